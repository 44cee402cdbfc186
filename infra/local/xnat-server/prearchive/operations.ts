// What can be done with a session in the prearchive: build, archive, move.
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import type { Project, User } from '../records.ts'
import { type Arriving, archiveSession } from './archive-session.ts'
import { buildDocument } from './build-document.ts'
import { addEntry, dropEntry, findEntry, logEntry, setStatus } from './entries.ts'
import { type ArchiveRules, entryKey, type PrearchiveEntry } from './entry.ts'

/**
 * Reads the session's files again. It is READY then, or RECEIVING if more files came in the meantime.
 *
 * @throws {HttpFailure} 500 when there is nothing to build from; the session is ERROR then.
 */
export async function buildEntry(xnat: Xnat, entry: PrearchiveEntry): Promise<PrearchiveEntry> {
  setStatus(xnat, entry, '_BUILDING')
  const document = await orFail(xnat, entry, async () => {
    const built = await buildDocument(xnat, entry)
    if (built === undefined) throw new HttpFailure(500, 'Error building session')
    return built
  })
  // XNAT: files that came while it was building send it back (PrearchiveRebuildHandler.java).
  const isInterrupted = findEntry(xnat, entry)?.status === 'RECEIVING_INTERRUPT'
  setStatus(xnat, entry, isInterrupted ? 'RECEIVING' : 'READY', { document })
  return requireEntry(xnat, entry)
}

export interface ArchiveWishes {
  user: User | undefined
  /** Label of the session, when it is not to be the one it came with. */
  label?: string | undefined
  subject?: string | undefined
}

/**
 * Archives a session and returns its address. The entry is gone then.
 *
 * @throws {HttpFailure} what keeps it out; the session is CONFLICT or ERROR then, and its log says why.
 */
export async function archiveEntry(
  xnat: Xnat,
  entry: PrearchiveEntry,
  rules: ArchiveRules,
  wishes: ArchiveWishes,
): Promise<string> {
  setStatus(xnat, entry, '_ARCHIVING')
  return orFail(xnat, entry, async () => {
    const url = await archiveSession(xnat, arriving(xnat, entry, wishes), rules)
    dropEntry(xnat, entry)
    return url
  })
}

/** Whatever goes wrong shows in the entry too, a fault of the stand-in's own included: else it would stay locked. */
async function orFail<T>(xnat: Xnat, entry: PrearchiveEntry, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    setStatus(xnat, entry, error instanceof HttpFailure && error.status === 409 ? 'CONFLICT' : 'ERROR')
    logEntry(xnat, entry, error instanceof Error ? error.message : String(error))
    throw error
  }
}

/** What an entry is when it is archived. */
export function arriving(xnat: Xnat, entry: PrearchiveEntry, { user, label, subject }: ArchiveWishes): Arriving {
  const { document } = entry
  const project = projectOf(xnat, entry)
  if (project === undefined) throw new HttpFailure(400, 'unable to identify destination project')
  if (document === undefined) throw new HttpFailure(500, `${entry.folder}.xml (No such file or directory)`)
  return {
    project,
    receivedId: entry.receivedId,
    document,
    label: label ?? entry.name,
    subjectName: subject ?? (entry.subject || (document.fields['dcmPatientName'] ?? '')),
    user,
  }
}

/** Whether a session goes on to the archive once it is built (PrearcSession.java isAutoArchive). */
export function isAutoArchive(xnat: Xnat, entry: PrearchiveEntry, asked?: boolean): boolean {
  const project = projectOf(xnat, entry)
  if (project === undefined) return false
  if (entry.autoArchive !== undefined && entry.autoArchive !== 'Manual') return true
  return asked ?? project.prearchiveCode >= 4
}

export function overwritesFiles(xnat: Xnat, entry: PrearchiveEntry): boolean {
  return entry.autoArchive === 'AutoArchiveOverwrite' || projectOf(xnat, entry)?.prearchiveCode === 5
}

export function autoArchiveOf(project: Project | undefined): PrearchiveEntry['autoArchive'] {
  if (project === undefined) return undefined
  return project.prearchiveCode === 4 ? 'AutoArchive' : project.prearchiveCode === 5 ? 'AutoArchiveOverwrite' : 'Manual'
}

/** @throws {HttpFailure} 409 when the other project has a session at the same place. */
export function moveEntry(xnat: Xnat, entry: PrearchiveEntry, projectId: string): PrearchiveEntry {
  const present = requireEntry(xnat, entry)
  const moved = { ...present, projectId }
  if (findEntry(xnat, moved) !== undefined) throw new HttpFailure(409, 'A session of that name is there already.')
  xnat.state.prearchive.delete(entryKey(present))
  const status = present.document === undefined ? 'RECEIVING' : 'READY'
  return addEntry(xnat, { ...moved, status, statusSinceMs: xnat.now().getTime(), task: undefined })
}

export function projectOf({ state }: Xnat, { projectId }: Pick<PrearchiveEntry, 'projectId'>): Project | undefined {
  return projectId === undefined ? undefined : state.projects.get(projectId)
}

function requireEntry(xnat: Xnat, entry: PrearchiveEntry): PrearchiveEntry {
  const present = findEntry(xnat, entry)
  if (present === undefined) throw new HttpFailure(404, `${entry.folder} does not exist`)
  return present
}
