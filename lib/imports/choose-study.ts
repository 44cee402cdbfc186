// Which of the studies that a PACS answered with is meant by an accession number.
import type { PacsStudy } from '../xnat/dqr.ts'

/** `exactly-one`: several are ambiguous; `newest`: the one of the latest day; `all`: each in a session of its own. */
export type StudyChoice = 'exactly-one' | 'newest' | 'all'

export type Choice =
  | { kind: 'chosen'; studyInstanceUids: string[] }
  | { kind: 'none'; code: 'NOT_ON_PACS' | 'SEVERAL_STUDIES' }

/**
 * Takes only studies whose accession number is exactly the one asked for: some PACS match loosely. An answer that may
 * be cut off is not decided on, nor are two studies of the same latest day.
 */
export function chooseStudies(
  policy: StudyChoice,
  accessionNumber: string,
  { studies, isCut }: { studies: readonly PacsStudy[]; isCut: boolean },
): Choice {
  const exact = new Map(
    studies
      .filter((study) => study.accessionNumber === accessionNumber)
      .map((study) => [study.studyInstanceUid, study]),
  )
  if (isCut) return { kind: 'none', code: 'SEVERAL_STUDIES' }
  const found = [...exact.values()].toSorted(byDateAndUid)
  if (found.length === 0) return { kind: 'none', code: 'NOT_ON_PACS' }
  if (found.length === 1 || policy === 'all') {
    return { kind: 'chosen', studyInstanceUids: found.map(({ studyInstanceUid }) => studyInstanceUid) }
  }
  const [newest, next] = found.toReversed()
  if (policy === 'exactly-one' || newest === undefined || dateOf(newest) === dateOf(next)) {
    return { kind: 'none', code: 'SEVERAL_STUDIES' }
  }
  return { kind: 'chosen', studyInstanceUids: [newest.studyInstanceUid] }
}

// DQR: `yyyy-MM-dd`, left out when the study has none.
const dateOf = (study: PacsStudy | undefined) => study?.studyDate ?? ''

function byDateAndUid(one: PacsStudy, other: PacsStudy): number {
  const [first, second] = [dateOf(one) + one.studyInstanceUid, dateOf(other) + other.studyInstanceUid]
  return first < second ? -1 : first > second ? 1 : 0
}

/**
 * The label of each study's session: the accession number's for the first, one with a number for each further. Studies
 * that have a label keep it, so that an attempt made again meets its own sessions.
 */
export function labelStudies(
  base: string,
  studyInstanceUids: readonly string[],
  known: readonly (readonly [uid: string, label: string])[],
): [uid: string, label: string][] {
  const labels = new Map(known)
  const taken = new Set(labels.values())
  for (const uid of studyInstanceUids) {
    if (labels.has(uid)) continue
    let label = base
    for (let number = 2; taken.has(label); number += 1) label = `${base}__${number}`
    labels.set(uid, label)
    taken.add(label)
  }
  return studyInstanceUids.map((uid) => [uid, labels.get(uid) ?? base])
}
