import type { SessionStatus } from '../../infra/local/xnat-server/prearchive/entry.ts'
import type { XnatServer } from '../../infra/local/xnat-server/server.ts'

interface Received {
  projectId: string
  /** Of the session, and of its folder and subject. */
  name: string
  studyInstanceUid: string
  status: SessionStatus
  atMs: number
}

/** A session on its way into the archive of a project, of which XNAT knows nothing but where it stands. */
export function receivedSession({ state }: XnatServer, { projectId, name, studyInstanceUid, status, atMs }: Received) {
  const receivedId = state.next('received')
  return {
    receivedId,
    projectId,
    timestamp: `20260105_${String(receivedId).padStart(9, '0')}`,
    folder: name,
    name,
    subject: name,
    studyInstanceUid,
    scanDate: '',
    scanTime: '',
    status,
    statusSinceMs: atMs,
    lastModifiedMs: atMs,
    uploadedMs: atMs,
    preventAnon: false,
    preventAutoCommit: false,
    source: '',
    visit: '',
    protocol: '',
    timeZone: '',
  }
}
