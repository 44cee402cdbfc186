// Attribute matching of a C-FIND (DICOM PS3.4 C.2.2.2).
import type { FindKeys, FoundStudy } from './remote-pacs.ts'

export interface Matching {
  /** Whether letters match whatever their case: not for DICOM, except in names, but Orthanc does so by default. */
  foldsCase: boolean
}

export function matchesStudy(study: FoundStudy, keys: FindKeys, matching: Matching): boolean {
  const names = { foldsCase: true }
  return (
    matchesText(study.patientId, keys.patientId, matching) &&
    matchesText(study.patientName, keys.patientName, names) &&
    matchesText(study.accessionNumber, keys.accessionNumber, matching) &&
    matchesText(study.studyId, keys.studyId, matching) &&
    matchesUid(study.studyInstanceUid, keys.studyInstanceUid) &&
    matchesDate(study.studyDate, keys.studyDate) &&
    matchesDate(study.patientBirthDate, keys.patientBirthDate) &&
    matchesModality(study.modalitiesInStudy, keys.modality, matching)
  )
}

/** A single value, or one with wildcards: `*` for any run of characters, `?` for one. Nothing matches everything. */
export function matchesText(value: string, key: string | undefined, { foldsCase }: Matching): boolean {
  if (key === undefined || key === '') return true
  const pattern = key
    .trim()
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${pattern}$`, foldsCase ? 'is' : 's').test(value.trim())
}

/** One UID, or several with backslashes between them. */
function matchesUid(value: string, key: string | undefined): boolean {
  return key === undefined || key === '' || key.split('\\').includes(value)
}

function matchesModality(values: readonly string[], key: string | undefined, matching: Matching): boolean {
  if (key === undefined || key === '') return true
  return key.split('\\').some((wanted) => values.some((value) => matchesText(value, wanted, matching)))
}

/** `20240131`, or a range that may lack an end: `20240101-`. */
function matchesDate(value: string, key: string | undefined): boolean {
  if (key === undefined || key === '') return true
  const dash = key.indexOf('-')
  if (dash < 0) return value === key
  const [from, to] = [key.slice(0, dash), key.slice(dash + 1)]
  return value !== '' && (from === '' || value >= from) && (to === '' || value <= to)
}
