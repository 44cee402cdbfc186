// Tells which patient, study and series a DICOM file belongs to, from the start of the file.
import type { FileHandle } from 'node:fs/promises'
import type { DataSet } from 'dicom-parser'
import { isWhole, readDatasetStart } from '../xnat-server/dicom/dataset.ts'

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

const seriesNumberTag = 'x00200011'

/** Recognises DICOM by content. Reads no more of the file than it takes to reach the series number. */
export async function readDicomHead(file: FileHandle, sizeBytes: number): Promise<DicomReading> {
  const start = await readDatasetStart(file, { sizeBytes, lastTag: seriesNumberTag })
  return start.kind === 'dicom' ? toReading(start.dataset) : start
}

function toReading(dataSet: DataSet): DicomReading {
  const textOf = (tag: string) => {
    const element = dataSet.elements[tag]
    return element !== undefined && isWhole(dataSet, element) ? (dataSet.string(tag) ?? '') : ''
  }
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
