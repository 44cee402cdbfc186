// Whether an archived session holds what a session should. XNAT archives empty shells and calls them sessions.
import { XnatError } from '../errors.ts'
import { listScans } from '../xnat/archive.ts'
import { listAssessors } from '../xnat/assessors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { listSessionResources } from '../xnat/session-files.ts'

/** `filled`: every scan has a file; `partly`: some have none; `empty`: none has, or there is no scan. */
export type SessionCheck = 'filled' | 'partly' | 'empty'

interface CheckDeps {
  xnat: XnatClient
  signal: AbortSignal
}

/** Counts anew, by the catalogs. `undefined` when the session is gone by now. One request, or two. */
export async function checkSession(
  { xnat, signal }: CheckDeps,
  experimentId: string,
): Promise<SessionCheck | undefined> {
  try {
    const resources = await listSessionResources(xnat, { experimentId }, { signal })
    const filled = new Set(
      resources.flatMap(({ category, parentId, fileCount = 0 }) =>
        category === 'scans' && parentId !== undefined && fileCount > 0 ? [parentId] : [],
      ),
    )
    if (filled.size === 0) return 'empty'
    const scans = await listScans(xnat, { experimentId }, { signal })
    return scans.every(({ scanId }) => filled.has(scanId)) ? 'filled' : 'partly'
  } catch (error) {
    if (error instanceof XnatError && error.code === 'XNAT_NOT_FOUND') return undefined
    throw error
  }
}

/** Whether deleting the session would lose nothing: no file at any level of it, and no assessment; or it is gone. */
export async function holdsNothing({ xnat, signal }: CheckDeps, experimentId: string): Promise<boolean> {
  try {
    const [resources, assessors] = await Promise.all([
      listSessionResources(xnat, { experimentId }, { signal }),
      listAssessors(xnat, { experimentId }, { signal }),
    ])
    // One whose files XNAT does not count may hold some.
    return assessors.length === 0 && resources.every(({ fileCount }) => fileCount === 0)
  } catch (error) {
    if (error instanceof XnatError && error.code === 'XNAT_NOT_FOUND') return true
    throw error
  }
}
