// What a study query may ask for (D:dicom/converters/PacsSearchCriteriaDeserializer.java, D:utils/DqrDateRange.java).
import * as z from 'zod'
import type { FindKeys } from './remote-pacs.ts'

/** `yyyyMMdd`, `yyyy-MM-dd` or `yyyy/MM/dd`, perhaps with a time after it, which does not matter here. */
const StudyDate = z
  .string()
  .regex(/^(\d{8}|\d{4}-\d{2}-\d{2}|\d{4}\/\d{2}\/\d{2})([ T].*)?$/)
  .transform((text) => text.replace(/[-/]/g, '').slice(0, 8))

const Text = z.union([z.string(), z.number(), z.boolean()]).transform(String)

export const SearchCriteria = z.object({
  pacsId: z.coerce.number().default(0),
  patientId: Text.optional(),
  patientName: Text.optional(),
  dob: Text.optional(),
  accessionNumber: Text.optional(),
  studyInstanceUid: Text.optional(),
  studyId: Text.optional(),
  modality: Text.optional(),
  studyDateRange: z.object({ start: StudyDate.optional(), end: StudyDate.optional() }).optional(),
  studyDateFrom: StudyDate.optional(),
  studyDateTo: StudyDate.optional(),
  studyDateIsToday: z.unknown().optional(),
})
export type SearchCriteria = z.infer<typeof SearchCriteria>

export function findKeys(criteria: SearchCriteria, now: Date): FindKeys {
  const { patientId, patientName, dob, accessionNumber, studyInstanceUid, studyId, modality } = criteria
  const studyDate = datesOf(criteria, now)
  const texts = { patientId, patientName, accessionNumber, studyInstanceUid, studyId, modality, studyDate }
  const keys = { ...texts, patientBirthDate: dob?.replace(/[-/]/g, '') }
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined))
}

function datesOf(criteria: SearchCriteria, now: Date): string | undefined {
  const { studyDateRange, studyDateFrom, studyDateTo, studyDateIsToday } = criteria
  if (studyDateIsToday !== undefined) return now.toISOString().slice(0, 10).replaceAll('-', '')
  const from = studyDateRange?.start ?? studyDateFrom
  const to = studyDateRange?.end ?? studyDateTo
  return from === undefined && to === undefined ? undefined : `${from ?? ''}-${to ?? ''}`
}
