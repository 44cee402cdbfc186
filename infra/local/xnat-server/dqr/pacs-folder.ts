// A folder of DICOM files as studies of the simulated PACS.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Instance, readInstance } from '../dicom/instance.ts'
import type { PacsStudy } from './pacs-study.ts'

interface Found {
  path: string
  instance: Instance
}

/** Every study that has files in the folder or below it; what is no DICOM is left out. */
export async function studiesIn(folder: string): Promise<PacsStudy[]> {
  const found: Found[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const instance = await readInstance(path)
    if (instance !== undefined && instance.studyInstanceUid !== '') found.push({ path, instance })
  }
  return [...Map.groupBy(found, ({ instance }) => instance.studyInstanceUid).values()].flatMap(studyOf)
}

function studyOf(files: readonly Found[]): PacsStudy[] {
  const [first] = files
  if (first === undefined) return []
  const { instance } = first
  return [
    {
      studyInstanceUid: instance.studyInstanceUid,
      studyId: instance.studyId,
      studyDescription: instance.studyDescription,
      accessionNumber: instance.accessionNumber,
      studyDate: instance.studyDate,
      referringPhysicianName: '',
      patientId: instance.patientId,
      patientName: instance.patientName,
      patientSex: '',
      patientBirthDate: instance.patientBirthDate,
      series: [...Map.groupBy(files, (file) => file.instance.seriesInstanceUid)].map(([uid, sharing]) => ({
        seriesInstanceUid: uid,
        seriesNumber: sharing[0]?.instance.seriesNumber ?? '',
        modality: sharing[0]?.instance.modality ?? '',
        seriesDescription: sharing[0]?.instance.seriesDescription ?? '',
        instances: sharing.map(({ path }) => path),
      })),
      fate: { kind: 'arrives' },
      attempts: 0,
      fatedAfter: 0,
    },
  ]
}
