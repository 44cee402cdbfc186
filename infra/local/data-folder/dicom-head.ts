// Tells which patient, study and series a DICOM file belongs to, from the start of the file.
import type { FileHandle } from 'node:fs/promises'
import { constants, inflateRawSync } from 'node:zlib'
import dicomParser, { type DataSet } from 'dicom-parser'

/** Values as they stand in the file, without padding; `''` for those that are empty or missing. */
export interface DicomHead {
  patientId: string
  accessionNumber: string
  studyId: string
  modality: string
  studyInstanceUid: string
  seriesInstanceUid: string
  seriesNumber: string
}

/** `broken`: begins as a DICOM file does, but names no study and series that can be read. */
export type DicomReading = { kind: 'dicom'; head: DicomHead } | { kind: 'broken' } | { kind: 'other' }

type Encoding = 'part-10' | 'explicit' | 'implicit'

const mebibyte = 1024 * 1024
/** The head of nearly every file fits the first; the others are for files with large sequences or private elements. */
const headSizes = [mebibyte / 16, mebibyte, 16 * mebibyte]

const seriesNumberTag = 'x00200011'

/** Recognises DICOM by content. Reads no more of the file than it takes to reach the series number. */
export async function readDicomHead(file: FileHandle, sizeBytes: number): Promise<DicomReading> {
  for (const headSize of headSizes) {
    const bytes = await readStart(file, Math.min(headSize, sizeBytes))
    const encoding = encodingOf(bytes)
    if (encoding === undefined) return { kind: 'other' }
    const dataSet = parseStart(bytes, encoding)
    const isWholeFile = bytes.length === sizeBytes
    if (dataSet !== undefined && (isWholeFile || isPastSeriesNumber(dataSet))) return toReading(dataSet)
    if (isWholeFile) break
  }
  return { kind: 'broken' }
}

async function readStart(file: FileHandle, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0)
  return buffer.subarray(0, bytesRead)
}

function encodingOf(bytes: Buffer): Encoding | undefined {
  if (bytes.toString('latin1', 128, 132) === 'DICM') return 'part-10'
  // Older files have no meta information and begin with the dataset: group 0008, as a rule (0008,0000) or (0008,0005).
  if (bytes.length < 8 || bytes.readUInt16LE(0) !== 0x0008 || bytes.readUInt16LE(2) > 0x00ff) return undefined
  if (/^[A-Z]{2}$/.test(bytes.toString('latin1', 4, 6))) return 'explicit'
  return bytes.readUInt32LE(4) <= 1024 ? 'implicit' : undefined
}

function parseStart(bytes: Buffer, encoding: Encoding): DataSet | undefined {
  try {
    return dicomParser.parseDicom(bytes, {
      untilTag: seriesNumberTag,
      inflater: inflateStart,
      ...(encoding === 'explicit' && { TransferSyntaxUID: '1.2.840.10008.1.2.1' }),
      ...(encoding === 'implicit' && { TransferSyntaxUID: '1.2.840.10008.1.2' }),
    })
  } catch (failure) {
    return dataSetReadBefore(failure)
  }
}

/** dicom-parser puts what it had read when the bytes ended into what it throws; without it, not even that much was read. */
function dataSetReadBefore(failure: unknown): DataSet | undefined {
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

function isPastSeriesNumber(dataSet: DataSet): boolean {
  return isWhole(dataSet, seriesNumberTag) || Object.keys(dataSet.elements).some((tag) => tag > seriesNumberTag)
}

function isWhole(dataSet: DataSet, tag: string): boolean {
  const element = dataSet.elements[tag]
  return element !== undefined && element.dataOffset + element.length <= dataSet.byteArray.length
}

function toReading(dataSet: DataSet): DicomReading {
  const textOf = (tag: string) => (isWhole(dataSet, tag) ? (dataSet.string(tag) ?? '') : '')
  const head = {
    patientId: textOf('x00100020'),
    accessionNumber: textOf('x00080050'),
    studyId: textOf('x00200010'),
    modality: textOf('x00080060'),
    studyInstanceUid: textOf('x0020000d'),
    seriesInstanceUid: textOf('x0020000e'),
    seriesNumber: textOf(seriesNumberTag),
  }
  const isPlaced = head.studyInstanceUid !== '' && head.seriesInstanceUid !== ''
  return isPlaced ? { kind: 'dicom', head } : { kind: 'broken' }
}
