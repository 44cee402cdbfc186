// Accession numbers as others give them -> a cohort that is safe to ask a PACS for (flip-contract 2.5 and 2.11).

export interface CleanCohort {
  /** Each once, in the order in which they were first given. */
  accessionNumbers: string[]
  /** How many were left out: no text, blank, or with characters that a PACS reads as wildcards or lists. */
  dropped: number
}

/** Leaves out what would pull in strangers' studies, and what is there twice. Nothing is trimmed or folded. */
export function cleanAccessionNumbers(given: readonly unknown[]): CleanCohort {
  const kept = new Set<string>()
  let dropped = 0
  for (const value of given) {
    if (typeof value === 'string' && value.trim() !== '' && !/[*?\\]/.test(value)) kept.add(value)
    else dropped += 1
  }
  return { accessionNumbers: [...kept], dropped }
}

/** The label that XNAT gives the session of an accession number: it writes `_` for what no label may hold. */
export const sessionLabelOf = (accessionNumber: string) => accessionNumber.replace(/[^\w-]/g, '_')

/**
 * The accession numbers that can never be asked for: their characters would not survive as a label in XNAT, or another
 * of the cohort has the same label. They stay in the cohort as `refused`.
 */
export function refusedNumbers(cohort: Iterable<string>): ReadonlySet<string> {
  const refused = new Set<string>()
  const owners = new Map<string, string>()
  for (const accessionNumber of cohort) {
    const label = sessionLabelOf(accessionNumber)
    if (!isSegment(accessionNumber) || owners.has(label)) refused.add(accessionNumber)
    else owners.set(label, accessionNumber)
  }
  return refused
}

const isSegment = (text: string) => /^[A-Za-z0-9._~-]{1,64}$/.test(text) && text !== '.' && text !== '..'
