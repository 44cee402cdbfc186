// Evidence by study: what belongs to a StudyInstanceUID, an accession number or a session's label.
import type { DirectArchiveSession } from '../xnat/direct-archive.ts'
import type { ExecutedRequest, QueuedRequest } from '../xnat/dqr-import.ts'
import type { PrearchiveSession } from '../xnat/prearchive.ts'
import { type Evidence, unassigned } from './evidence.ts'

export interface StudyRows {
  experimentId: string | undefined
  queue: readonly QueuedRequest[]
  /** Newest first. */
  history: readonly ExecutedRequest[]
  directArchive: readonly DirectArchiveSession[]
  prearchive: readonly PrearchiveSession[]
}

export interface StudyName {
  /** Absent where one accession number has several studies, which it then does not tell apart. */
  accessionNumber: string | undefined
  uid: string | undefined
  label: string
}

export interface EvidenceIndex {
  rowsOf(study: StudyName): StudyRows
}

export function indexEvidence(evidence: Evidence, cohort: readonly string[]): EvidenceIndex {
  const { sessions, queue, history, directArchive, prearchive } = evidence
  const names = new Set(cohort)
  const ofRequest = (row: QueuedRequest) => [...key('uid', row.studyInstanceUid), ...key('number', row.accessionNumber)]
  const requests = { queue: byKeys(queue, ofRequest), history: byKeys(history, ofRequest) }
  const direct = byKeys(directArchive, (row) => [
    ...key('uid', row.studyInstanceUid),
    // An empty name gives way to the folder too (flip-contract 2.6).
    ...key('name', row.label || row.folder),
  ])
  const waiting = byKeys(prearchive, (row) => [
    ...key('uid', row.studyInstanceUid),
    // Another project may want a study of the same number: without a project the study itself must be known.
    ...(row.projectId === unassigned && row.studyInstanceUid !== undefined
      ? []
      : [...key('name', row.label), ...key('name', row.folder)]),
  ])

  return {
    rowsOf({ accessionNumber, uid, label }) {
      const requestKeys = [...key('uid', uid), ...key('number', accessionNumber)]
      // XNAT: a folder or name that is taken gets a suffix (xnat/auth-users-import 9).
      const suffixed = [1, 2, 3].map((number) => `${label}_${number}`).filter((name) => !names.has(name))
      const sessionNames = accessionNumber === undefined ? [label, ...suffixed] : [accessionNumber, label, ...suffixed]
      const sessionKeys = [...key('uid', uid), ...sessionNames.flatMap((name) => key('name', name))]
      return {
        experimentId:
          sessions.get(label) ?? (accessionNumber === undefined ? undefined : sessions.get(accessionNumber)),
        queue: pick(requests.queue, requestKeys),
        history: pick(requests.history, requestKeys).toSorted((one, other) => other.id - one.id),
        directArchive: pick(direct, sessionKeys),
        prearchive: pick(waiting, sessionKeys),
      }
    },
  }
}

const key = (kind: 'uid' | 'number' | 'name', value: string | undefined) =>
  value === undefined ? [] : [`${kind} ${value}`]

type Index<Row> = ReadonlyMap<string, readonly Row[]>

function byKeys<Row>(rows: readonly Row[], keysOf: (row: Row) => readonly string[]): Index<Row> {
  const index = new Map<string, Row[]>()
  for (const row of rows) {
    for (const key of new Set(keysOf(row))) {
      const group = index.get(key)
      if (group === undefined) index.set(key, [row])
      else group.push(row)
    }
  }
  return index
}

/** Each row once that is found under any of the keys. Most studies have none: they are told soon. */
function pick<Row>(index: Index<Row>, keys: readonly string[]): readonly Row[] {
  if (index.size === 0) return []
  const groups = keys.flatMap((each) => {
    const group = index.get(each)
    return group === undefined ? [] : [group]
  })
  return groups.length > 1 ? [...new Set(groups.flat())] : (groups[0] ?? [])
}
