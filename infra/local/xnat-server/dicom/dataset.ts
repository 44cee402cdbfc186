// DICOM datasets, read from the start of a file: everything before the pixels, whatever the file's size.
import { type FileHandle, open } from 'node:fs/promises'
import { constants, inflateRawSync } from 'node:zlib'
import dicomParser, { type DataSet, type Element } from 'dicom-parser'

const mebibyte = 1024 * 1024
/** Nearly every header fits the first; the others are for files with large sequences or private elements. */
const headSizes = [mebibyte / 16, mebibyte, 16 * mebibyte]

type Encoding = 'part-10' | 'explicit' | 'implicit'

/** `broken`: begins as a DICOM file does, but ends or goes wrong before the elements that were asked for. */
export type DatasetStart = { kind: 'dicom'; dataset: DataSet } | { kind: 'broken' } | { kind: 'other' }

/**
 * The elements of a file up to `lastTag` (`x00204000`) and perhaps beyond; undefined when the file is no DICOM, or ends
 * in the midst of them.
 */
export async function readDataset(path: string, lastTag: string): Promise<DataSet | undefined> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const start = await readDatasetStart(file, { sizeBytes: size, lastTag })
    return start.kind === 'dicom' ? start.dataset : undefined
  } finally {
    await file.close()
  }
}

/** As `readDataset`, of a file's whole content. */
export function datasetOf(bytes: Buffer, lastTag: string): DataSet | undefined {
  const encoding = encodingOf(bytes)
  return encoding && parseStart(bytes, encoding, lastTag)
}

/** As `readDataset`, of an open file; recognises DICOM by content, and reads no more than it takes to reach `lastTag`. */
export async function readDatasetStart(
  file: FileHandle,
  { sizeBytes, lastTag }: { sizeBytes: number; lastTag: string },
): Promise<DatasetStart> {
  for (const headSize of headSizes) {
    const length = Math.min(headSize, sizeBytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0)
    const bytes = buffer.subarray(0, bytesRead)
    const encoding = encodingOf(bytes)
    if (encoding === undefined) return { kind: 'other' }
    const dataset = parseStart(bytes, encoding, lastTag)
    const isWholeFile = bytesRead === sizeBytes
    if (dataset !== undefined && (isWholeFile || reaches(dataset, lastTag))) return { kind: 'dicom', dataset }
    if (isWholeFile) break
  }
  return { kind: 'broken' }
}

/** Whether all of an element is there: a header that was cut short may end within one. */
export function isWhole(dataset: DataSet, element: Element): boolean {
  return element.dataOffset + element.length <= dataset.byteArray.length
}

// XNAT: files without preamble and meta information are read too (dcm4che's DicomInputStream guesses their encoding).
// They begin with the dataset: group 0008, as a rule (0008,0000) or (0008,0005).
function encodingOf(bytes: Buffer): Encoding | undefined {
  if (bytes.toString('latin1', 128, 132) === 'DICM') return 'part-10'
  if (bytes.length < 8 || bytes.readUInt16LE(0) !== 0x0008 || bytes.readUInt16LE(2) > 0x00ff) return undefined
  if (/^[A-Z]{2}$/.test(bytes.toString('latin1', 4, 6))) return 'explicit'
  return bytes.readUInt32LE(4) <= 1024 ? 'implicit' : undefined
}

function parseStart(bytes: Buffer, encoding: Encoding, lastTag: string): DataSet | undefined {
  try {
    return dicomParser.parseDicom(bytes, {
      untilTag: lastTag,
      inflater: inflateStart,
      ...(encoding === 'explicit' && { TransferSyntaxUID: '1.2.840.10008.1.2.1' }),
      ...(encoding === 'implicit' && { TransferSyntaxUID: '1.2.840.10008.1.2' }),
    })
  } catch (failure) {
    return readBefore(failure)
  }
}

/** dicom-parser throws when the bytes end, and puts what it had read by then into what it throws. */
function readBefore(failure: unknown): DataSet | undefined {
  if (typeof failure !== 'object' || failure === null || !('dataSet' in failure)) return undefined
  return isDataSet(failure.dataSet) ? failure.dataSet : undefined
}

function isDataSet(value: unknown): value is DataSet {
  return typeof value === 'object' && value !== null && 'elements' in value && 'byteArray' in value
}

/** For the deflated transfer syntax: dicom-parser reads what this returns from its first byte. */
function inflateStart(bytes: Uint8Array, datasetPosition: number): Buffer {
  return inflateRawSync(bytes.subarray(datasetPosition), {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: 64 * mebibyte,
  })
}

function reaches(dataset: DataSet, lastTag: string): boolean {
  return Object.values(dataset.elements).some(
    (element) => element.tag > lastTag || (element.tag === lastTag && isWhole(dataset, element)),
  )
}
