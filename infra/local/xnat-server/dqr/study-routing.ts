// Where studies on their way belong, and how they are rewritten: one row per StudyInstanceUID for the whole site
// (X:HibernateStudyRoutingService.java, X:ClearStudyRoutingAction.java, X:ClearStudyRemappingAction.java).
import type { Xnat } from '../exchange.ts'
import type { QueuedRequest } from './records.ts'

/** DQR: a study that has a project keeps it, unless the new request brings a script; then the old routing is closed. */
export function routeStudy({ state }: Xnat, request: QueuedRequest): void {
  const { studyInstanceUid, remappingScript, projectId, username } = request
  if (remappingScript !== undefined) {
    state.dqr.routings.delete(studyInstanceUid)
    state.dqr.scripts.put({ studyInstanceUid, script: remappingScript, enabled: true })
  }
  if (projectId === '' || state.dqr.routings.get(studyInstanceUid) !== undefined) return
  state.dqr.routings.put({ studyInstanceUid, projectId, username })
}

/** XNAT: after archiving, and when a session is deleted from the prearchive by request. */
export function forgetRouting({ state }: Xnat, studyInstanceUid: string): void {
  state.dqr.routings.delete(studyInstanceUid)
  const script = state.dqr.scripts.get(studyInstanceUid)
  if (script !== undefined) state.dqr.scripts.put({ ...script, enabled: false })
}
