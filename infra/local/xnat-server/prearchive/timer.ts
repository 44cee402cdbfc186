// What XNAT does with waiting sessions by itself: a timer that builds the idle ones, and a queue for the rest
// (SessionXMLRebuilder.java, PrearchiveRebuildHandler.java, PrearchiveArchiveHandler.java).
import type { Chore } from '../background.ts'
import { isStuck } from '../dqr/fates.ts'
import { forgetRouting } from '../dqr/study-routing.ts'
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { firstDue } from './due.ts'
import { dropEntry, setStatus } from './entries.ts'
import type { PrearchiveEntry } from './entry.ts'
import { archiveEntry, buildEntry, isAutoArchive, moveEntry, overwritesFiles } from './operations.ts'

export const prearchiveTimer: Chore = {
  dueAt: (xnat) => next(xnat)?.dueAt,
  async run(xnat) {
    const found = next(xnat)
    if (found !== undefined) await takeStep(xnat, found.session)
  },
}

function next(xnat: Xnat) {
  return firstDue(xnat.state.prearchiveWaiting, (entry) => patienceMs(xnat, entry))
}

function patienceMs({ state }: Xnat, entry: PrearchiveEntry): number | undefined {
  const { status, task } = entry
  const { prearchiveHangsIn, sessionStepMs } = state.switches
  if (prearchiveHangsIn === status || isStuck(state, entry.studyInstanceUid, status)) return undefined
  if (status === 'RECEIVING') {
    // XNAT: sessions of the upload assistant are finished by it (SessionXMLRebuilder.java).
    if (entry.preventAutoCommit || entry.source === 'uploader') return undefined
    return state.settings.sessionXmlRebuilderInterval * 60_000
  }
  const isUnderWay =
    task !== undefined && /^(QUEUED_\w+|RECEIVING_INTERRUPT|BUILDING|ARCHIVING|MOVING|DELETING)$/.test(status)
  return isUnderWay ? sessionStepMs : undefined
}

async function takeStep(xnat: Xnat, entry: PrearchiveEntry): Promise<void> {
  switch (entry.status) {
    case 'RECEIVING':
      return setStatus(xnat, entry, 'QUEUED_BUILDING', { task: { kind: 'build', thenArchive: true } })
    // XNAT: files came while it was built, so it waits for more, and is not archived (PrearchiveRebuildHandler.java).
    case 'RECEIVING_INTERRUPT':
      return setStatus(xnat, entry, 'RECEIVING', { lastModifiedMs: xnat.now().getTime() })
    case 'QUEUED_BUILDING':
      return setStatus(xnat, entry, 'BUILDING')
    case 'QUEUED_ARCHIVING':
      return setStatus(xnat, entry, 'ARCHIVING')
    case 'QUEUED_MOVING':
      return setStatus(xnat, entry, 'MOVING')
    case 'QUEUED_DELETING':
      return setStatus(xnat, entry, 'DELETING')
    default:
      await finish(xnat, entry)
  }
}

async function finish(xnat: Xnat, entry: PrearchiveEntry): Promise<void> {
  try {
    await doTask(xnat, entry)
  } catch (error) {
    // Whoever asked is gone; the entry's status and log tell what came of it.
    if (!(error instanceof HttpFailure)) throw error
    if (entry.task?.kind === 'move') setStatus(xnat, entry, 'ERROR')
  }
}

async function doTask(xnat: Xnat, entry: PrearchiveEntry): Promise<void> {
  const { task } = entry
  if (task === undefined) return
  if (task.kind === 'delete') {
    forgetRouting(xnat, entry.studyInstanceUid)
    return dropEntry(xnat, entry)
  }
  if (task.kind === 'move') {
    moveEntry(xnat, entry, task.projectId)
  } else if (task.kind === 'archive') {
    const user = xnat.state.users.get(task.username)
    await archiveEntry(xnat, entry, task.rules, { user })
  } else {
    const built = await buildEntry(xnat, entry)
    if (task.thenArchive && built.status === 'READY' && isAutoArchive(xnat, built)) queueArchiving(xnat, built)
  }
}

// XNAT: what was told to archive itself may merge, and replaces files with code 5 only (PrearchiveArchiveHandler.java).
function queueArchiving(xnat: Xnat, entry: PrearchiveEntry): void {
  const rules = {
    merge: entry.autoArchive !== undefined && entry.autoArchive !== 'Manual',
    override: false,
    overwriteFiles: overwritesFiles(xnat, entry),
  }
  setStatus(xnat, entry, 'QUEUED_ARCHIVING', { task: { kind: 'archive', rules, username: 'admin' } })
}
