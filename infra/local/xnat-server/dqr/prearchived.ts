// What DQR does to the sessions of its retrieves in the prearchive (D:events/PacsDequeueThread.java).
import type { Xnat } from '../exchange.ts'
import { dropEntry, setStatus } from '../prearchive/entries.ts'
import type { PrearchiveEntry } from '../prearchive/entry.ts'
import { isStuck } from './fates.ts'

/** A retrieve is over: the session is built now, and not when it has been idle for long. */
export function queueRebuild(xnat: Xnat, studyInstanceUid: string, projectId: string): void {
  const { prearchiveHangsIn } = xnat.state.switches
  if (prearchiveHangsIn === 'RECEIVING' || isStuck(xnat.state, studyInstanceUid, 'RECEIVING')) return
  for (const entry of sessionsOf(xnat, studyInstanceUid, projectId)) {
    if (entry.status !== 'RECEIVING') continue
    setStatus(xnat, entry, 'QUEUED_BUILDING', { task: { kind: 'build', thenArchive: true } })
  }
}

/** What a broken retrieve left. DQR: only if there is exactly one. */
export function deletePartialSession(xnat: Xnat, studyInstanceUid: string, projectId: string): void {
  const [entry, ...others] = sessionsOf(xnat, studyInstanceUid, projectId)
  if (entry !== undefined && others.length === 0) dropEntry(xnat, entry)
}

function sessionsOf({ state }: Xnat, studyInstanceUid: string, projectId: string): PrearchiveEntry[] {
  return state.prearchive.group(studyInstanceUid).filter((entry) => (entry.projectId ?? '') === projectId)
}
