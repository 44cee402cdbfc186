// The table of the prearchive (PrearcDatabase.java).
import type { Instance } from '../dicom/instance.ts'
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { isoDate, isoTime } from './build-document.ts'
import {
  type EntryName,
  entryKey,
  type PrearchiveEntry,
  type ReceivedSession,
  type SessionStatus,
  unassigned,
} from './entry.ts'
import { discardReceived } from './received-files.ts'

export function findEntry({ state }: Pick<Xnat, 'state'>, name: EntryName): PrearchiveEntry | undefined {
  return state.prearchive.get(entryKey(name))
}

/** The name of an entry as paths have it. */
export function entryName(project: string, timestamp: string, folder: string): EntryName {
  return { ...(project.toLowerCase() !== unassigned.toLowerCase() && { projectId: project }), timestamp, folder }
}

/** Replaces an entry by what has become of it in the meantime, with these changes. An entry that is gone stays gone. */
export function changeEntry(xnat: Xnat, name: EntryName, changes: Partial<PrearchiveEntry>): void {
  const present = findEntry(xnat, name)
  if (present !== undefined) xnat.state.prearchive.put({ ...present, ...changes })
}

export function setStatus(
  xnat: Xnat,
  name: EntryName,
  status: SessionStatus,
  changes: Partial<PrearchiveEntry> = {},
): void {
  const isAtRest = ['RECEIVING', 'READY', 'CONFLICT', 'ERROR'].includes(status)
  const statusSinceMs = xnat.now().getTime()
  changeEntry(xnat, name, { status, statusSinceMs, ...(isAtRest && { task: undefined }), ...changes })
}

/** What happened to a session. The only place where XNAT says why one failed. */
export function logEntry(xnat: Xnat, name: EntryName, text: string): void {
  const present = findEntry(xnat, name)
  if (present === undefined) return
  let id = xnat.now().getTime()
  while (present.logs.some((log) => log.id === String(id))) id += 1
  const log = { id: String(id), atMs: xnat.now().getTime(), text }
  xnat.state.prearchive.put({ ...present, logs: [...present.logs, log] })
}

export function dropEntry(xnat: Xnat, entry: PrearchiveEntry): void {
  xnat.state.prearchive.delete(entryKey(entry))
  discardReceived(xnat, entry.receivedId)
}

/** What a sender or a file says of a session. */
export interface SessionClaim {
  projectId: string | undefined
  name: string
  folder: string
  subject: string
  /** undefined: the time it begins. */
  timestamp: string | undefined
  visit: string
  protocol: string
  timeZone: string
  source: string
  preventAnon: boolean
  preventAutoCommit: boolean
}

/** A session without files. */
export function newSession(xnat: Xnat, claim: SessionClaim, instance: Instance): ReceivedSession {
  const nowMs = xnat.now().getTime()
  const { studyDate, studyTime } = instance
  const { name, folder, subject, visit, protocol, timeZone, source, preventAnon, preventAutoCommit } = claim
  return {
    receivedId: xnat.state.next('received'),
    timestamp: claim.timestamp ?? freeTimestamp(xnat, claim),
    folder,
    name,
    subject,
    studyInstanceUid: instance.studyInstanceUid,
    scanDate: isoDate(studyDate) === '' ? '' : `${isoDate(studyDate)} ${isoTime(studyTime) || '00:00:00'}.0`,
    scanTime: isoTime(studyTime),
    status: 'RECEIVING',
    statusSinceMs: nowMs,
    lastModifiedMs: nowMs,
    uploadedMs: nowMs,
    preventAnon,
    preventAutoCommit,
    source,
    visit,
    protocol,
    timeZone,
  }
}

/**
 * The entry that further files of a study belong to; undefined when there has to be a new one.
 *
 * XNAT: found by project, study and name; whatever it was doing, it then receives again (eitherGetOrCreateSession).
 * The enum of its statuses makes all of them interruptible by an oversight; here those that move files are not.
 */
export function reopenEntry(xnat: Xnat, claim: SessionClaim, studyInstanceUid: string): PrearchiveEntry | undefined {
  const found = xnat.state.prearchive
    .group(studyInstanceUid)
    .find((entry) => entry.projectId === claim.projectId && entry.name === claim.name)
  if (found === undefined || /^_?(ARCHIVING|MOVING|DELETING)$/.test(found.status)) return undefined
  if (/^_?BUILDING$/.test(found.status)) setStatus(xnat, found, 'RECEIVING_INTERRUPT')
  else if (!found.status.startsWith('RECEIVING')) setStatus(xnat, found, 'RECEIVING')
  touch(xnat, found)
  return findEntry(xnat, found)
}

// XNAT: at most every 15 seconds (GradualDicomImporter.java updateSessionLastMod).
function touch(xnat: Xnat, entry: PrearchiveEntry): void {
  const nowMs = xnat.now().getTime()
  if (nowMs - entry.lastModifiedMs > 15_000) changeEntry(xnat, entry, { lastModifiedMs: nowMs })
}

/** @throws {HttpFailure} 400 when another study is at that place. */
export function addEntry(xnat: Xnat, entry: PrearchiveEntry): PrearchiveEntry {
  const placed = entry.projectId === undefined ? withFreeFolder(xnat, entry) : entry
  // XNAT: meant to add a suffix, but catches an exception that PostgreSQL does not throw (eitherGetOrCreateSession).
  if (findEntry(xnat, placed) !== undefined)
    throw new HttpFailure(400, `Trying to add an existing session: ${placed.folder}`)
  return xnat.state.prearchive.put(placed)
}

// XNAT: each further suffix is added to the one before: X, X_1, X_1_2, X_1_2_3 (eitherGetOrCreateSession appendSuffix).
function withFreeFolder(xnat: Xnat, entry: PrearchiveEntry): PrearchiveEntry {
  let placed = entry
  for (let suffix = 1; suffix <= 3 && findEntry(xnat, placed) !== undefined; suffix += 1) {
    placed = { ...placed, folder: `${placed.folder}_${suffix}`, name: `${placed.name}_${suffix}` }
  }
  return placed
}

/** `20240131_090000123`, as XNAT names the folder of an upload. Two sessions of one name never share it. */
function freeTimestamp(xnat: Xnat, { projectId, folder }: Pick<SessionClaim, 'projectId' | 'folder'>): string {
  for (let ms = xnat.now().getTime(); ; ms += 1) {
    const timestamp = new Date(ms)
      .toISOString()
      .replace(/[-:.Z]/g, '')
      .replace('T', '_')
    if (findEntry(xnat, { projectId, timestamp, folder }) === undefined) return timestamp
  }
}
