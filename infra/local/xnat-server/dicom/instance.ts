import type { DataSet } from 'dicom-parser'
import { readSmall } from '../stored-file.ts'
import { datasetOf, readDataset } from './dataset.ts'
import { textOf } from './text.ts'

/** What XNAT looks at in one instance. Values as in the file, `''` for what is empty or missing. */
export type Instance = ReturnType<typeof valuesOf>

const lastTag = 'x00324000'

/** Reads an instance; undefined for a file that is no DICOM or whose header is not whole. */
export async function readInstance(path: string): Promise<Instance | undefined> {
  const small = readSmall(path)
  return small === undefined ? valuesIn(await readDataset(path, lastTag)) : instanceOf(small)
}

/** The same of a file's whole content. */
export function instanceOf(bytes: Buffer): Instance | undefined {
  return valuesIn(datasetOf(bytes, lastTag))
}

function valuesIn(dataset: DataSet | undefined): Instance | undefined {
  return dataset && valuesOf((tag) => textOf(dataset, tag))
}

function valuesOf(read: (tag: string) => string) {
  return {
    sopClassUid: read('x00080016'),
    sopInstanceUid: read('x00080018'),
    studyDate: read('x00080020'),
    seriesDate: read('x00080021'),
    studyTime: read('x00080030'),
    seriesTime: read('x00080031'),
    accessionNumber: read('x00080050'),
    modality: read('x00080060'),
    manufacturer: read('x00080070'),
    studyDescription: read('x00081030'),
    seriesDescription: read('x0008103e'),
    model: read('x00081090'),
    patientName: read('x00100010'),
    patientId: read('x00100020'),
    patientBirthDate: read('x00100030'),
    additionalPatientHistory: read('x001021b0'),
    patientComments: read('x00104000'),
    bodyPartExamined: read('x00180015'),
    protocolName: read('x00181030'),
    studyInstanceUid: read('x0020000d'),
    seriesInstanceUid: read('x0020000e'),
    studyId: read('x00200010'),
    seriesNumber: read('x00200011'),
    instanceNumber: read('x00200013'),
    studyComments: read(lastTag),
  }
}
