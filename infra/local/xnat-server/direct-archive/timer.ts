// The life of a direct-archive row (DirectArchiveSessionServiceImpl.java build, archive, moveToPrearchive).
import type { Chore } from '../background.ts'
import { isStuck } from '../dqr/fates.ts'
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { archiveSession } from '../prearchive/archive-session.ts'
import { buildDocument } from '../prearchive/build-document.ts'
import { firstDue } from '../prearchive/due.ts'
import { addEntry, findEntry, logEntry } from '../prearchive/entries.ts'
import type { PrearchiveEntry } from '../prearchive/entry.ts'
import { discardReceived } from '../prearchive/received-files.ts'
import { type DirectArchiveRow, directArchiveKey } from './row.ts'
import { changeRow, setRowStatus } from './rows.ts'

export const directArchiveTimer: Chore = {
  dueAt: (xnat) => next(xnat)?.dueAt,
  async run(xnat) {
    const found = next(xnat)
    if (found !== undefined) await takeStep(xnat, found.session)
  },
}

function next(xnat: Xnat) {
  return firstDue(xnat.state.directArchiveWaiting, (row) => patienceMs(xnat, row))
}

function patienceMs({ state }: Xnat, { status, studyInstanceUid }: DirectArchiveRow): number | undefined {
  const { directArchiveHangsIn, sessionStepMs } = state.switches
  if (status === directArchiveHangsIn || isStuck(state, studyInstanceUid, status)) return undefined
  return status === 'RECEIVING' ? state.settings.sessionXmlRebuilderInterval * 60_000 : sessionStepMs
}

async function takeStep(xnat: Xnat, row: DirectArchiveRow): Promise<void> {
  try {
    await step(xnat, row)
  } catch (error) {
    moveToPrearchive(xnat, row, error instanceof Error ? error.message : String(error))
    if (!(error instanceof HttpFailure)) throw error
  }
}

async function step(xnat: Xnat, row: DirectArchiveRow): Promise<void> {
  switch (row.status) {
    case 'RECEIVING':
      return setRowStatus(xnat, row, 'QUEUED_BUILDING')
    case 'QUEUED_BUILDING':
      return setRowStatus(xnat, row, 'BUILDING')
    case 'BUILDING':
      return build(xnat, row)
    case 'QUEUED_ARCHIVING':
      return setRowStatus(xnat, row, 'ARCHIVING')
    default:
      return archive(xnat, row)
  }
}

async function build(xnat: Xnat, row: DirectArchiveRow): Promise<void> {
  const document = await buildDocument(xnat, row)
  if (document === undefined) throw new HttpFailure(500, 'Error building session')
  changeRow(xnat, row, { document })
  setRowStatus(xnat, row, 'QUEUED_ARCHIVING')
}

async function archive(xnat: Xnat, row: DirectArchiveRow): Promise<void> {
  const { state } = xnat
  const { document } = row
  const project = state.projects.get(row.projectId)
  const mayPass = state.switches.directArchiveFails === 'never'
  if (document === undefined || project === undefined || !mayPass) throw new HttpFailure(500, 'Unable to save session')
  const subjectName = row.subject || (document.fields['dcmPatientName'] ?? '')
  const { receivedId, name } = row
  // XNAT: as the user for received files, whoever sent them, and never into a session that is there.
  const user = state.users.get('admin')
  const rules = { merge: false, override: false, overwriteFiles: false }
  await archiveSession(xnat, { project, receivedId, document, label: name, subjectName, user }, rules)
  state.directArchive.delete(directArchiveKey(row))
  discardReceived(xnat, receivedId)
}

/** With the session, the reason: in the log of the new entry, unless even the move fails. */
function moveToPrearchive(xnat: Xnat, row: DirectArchiveRow, reason: string): void {
  const { state } = xnat
  if (state.switches.directArchiveFails === 'left') {
    changeRow(xnat, row, { message: reason })
    setRowStatus(xnat, row, 'ERROR')
    return
  }
  state.directArchive.delete(directArchiveKey(row))
  const entry = addEntry(xnat, entryOf(xnat, row))
  logEntry(xnat, entry, `Attempt to direct-archive failed\norg.nrg.xnat.archive.ArchivingException: ${reason}\n`)
}

function entryOf(xnat: Xnat, { message: _, ...row }: DirectArchiveRow): PrearchiveEntry {
  const nowMs = xnat.now().getTime()
  let { timestamp } = row
  while (findEntry(xnat, { ...row, timestamp }) !== undefined) timestamp += '_DA'
  return {
    ...row,
    timestamp,
    // XNAT: ERROR when the document had been built, else the timer of the prearchive tries again.
    status: row.document === undefined ? 'RECEIVING' : 'ERROR',
    statusSinceMs: nowMs,
    autoArchive: 'AutoArchive',
    logs: [],
  }
}
