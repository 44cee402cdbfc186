// A study in the simulated PACS: declared by a test, with as many instances as it says, or read from files.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { Fate } from './fates.ts'
import type { FoundStudy } from './remote-pacs.ts'

const Series = z.object({
  seriesInstanceUid: z.string(),
  seriesNumber: z.string(),
  modality: z.string(),
  seriesDescription: z.string(),
  /** How many to make up, or the files to send. */
  instances: z.union([z.number().int().nonnegative(), z.array(z.string())]),
})
export type PacsSeries = z.infer<typeof Series>

export const PacsStudy = z.object({
  studyInstanceUid: z.string(),
  studyId: z.string(),
  studyDescription: z.string(),
  accessionNumber: z.string(),
  studyDate: z.string(),
  referringPhysicianName: z.string(),
  patientId: z.string(),
  patientName: z.string(),
  patientSex: z.string(),
  patientBirthDate: z.string(),
  series: z.array(Series),
  fate: Fate,
  /** How often it has been retrieved, successfully or not, and how often before its fate was decreed. */
  attempts: z.number(),
  fatedAfter: z.number().default(0),
})
export type PacsStudy = z.infer<typeof PacsStudy>

/** A study as a test declares it: an accession number is enough. */
export const PacsStudyOrder = z
  .strictObject({
    accessionNumber: z.string(),
    studyInstanceUid: z.string(),
    studyId: z.string(),
    studyDescription: z.string(),
    /** `yyyyMMdd` */
    studyDate: z.string().regex(/^\d{8}$/),
    modality: z.string(),
    referringPhysicianName: z.string(),
    patientId: z.string(),
    patientName: z.string(),
    patientSex: z.string(),
    patientBirthDate: z.string(),
    series: z.array(z.strictObject({ ...Series.shape, instances: z.number().int().nonnegative() }).partial()),
    fate: Fate,
  })
  .partial()
  .required({ accessionNumber: true })
export type PacsStudyOrder = z.input<typeof PacsStudyOrder>

/** Fills in what an order leaves out; UIDs are made from the accession number, so they stay the same. */
export function studyFrom(input: PacsStudyOrder): PacsStudy {
  const order = PacsStudyOrder.parse(input)
  const { accessionNumber, modality = 'MR', series = [{}] } = order
  return {
    studyInstanceUid: order.studyInstanceUid ?? uidOf(`study ${accessionNumber}`),
    studyId: order.studyId ?? accessionNumber,
    studyDescription: order.studyDescription ?? `${modality} study`,
    accessionNumber,
    studyDate: order.studyDate ?? '20240102',
    referringPhysicianName: order.referringPhysicianName ?? '',
    patientId: order.patientId ?? `PAT-${accessionNumber}`,
    patientName: order.patientName ?? `Doe^${accessionNumber}`,
    patientSex: order.patientSex ?? 'O',
    patientBirthDate: order.patientBirthDate ?? '19700101',
    series: series.map((each, index) => ({
      seriesInstanceUid: each.seriesInstanceUid ?? uidOf(`series ${accessionNumber} ${index}`),
      seriesNumber: each.seriesNumber ?? String(index + 1),
      modality: each.modality ?? modality,
      seriesDescription: each.seriesDescription ?? `Series ${index + 1}`,
      instances: each.instances ?? 2,
    })),
    fate: order.fate ?? { kind: 'arrives' },
    attempts: 0,
    fatedAfter: 0,
  }
}

export function foundStudy(held: PacsStudy): FoundStudy {
  const { series, fate: _fate, attempts: _attempts, fatedAfter: _fatedAfter, ...study } = held
  return { ...study, modalitiesInStudy: [...new Set(series.map(({ modality }) => modality))] }
}

/** A UID made from a name (DICOM PS3.5 B.2, with a hash in place of a random number). */
export function uidOf(name: string): string {
  const digest = createHash('sha256').update(`stand-in XNAT: ${name}`).digest('hex').slice(0, 32)
  return `2.25.${BigInt(`0x${digest}`)}`
}
