// Ends a project: its waiting imports first, so that nothing arrives behind the deletion, then its data, then our records.
import { setTimeout as wait } from 'node:timers/promises'
import type { ObjectStore } from '../aws/objects.ts'
import { InvalidInputError, XnatError } from '../errors.ts'
import { forgetImport } from '../imports/forget-import.ts'
import { forgetRegistration } from '../provisioning/registration.ts'
import type { XnatClient } from '../xnat/client.ts'
import { deleteQueuedRequest, listQueuedRequests, type QueuedRequest } from '../xnat/dqr-import.ts'
import { deleteProject as deleteXnatProject, findProject, type ProjectSummary } from '../xnat/projects.ts'

interface DeleteDeps {
  xnat: XnatClient
  state: ObjectStore
  signal: AbortSignal
}

/**
 * Removes the project with its files, and what was waiting for it in DQR's queue.
 *
 * Safe to repeat after it died half-way: the project goes before our records of it, and a project that is gone has its
 * records removed and is answered as not found.
 *
 * @throws {InvalidInputError} PROJECT_NOT_FOUND, PROJECT_NOT_DELETED
 */
export async function deleteProject(deps: DeleteDeps, projectId: string): Promise<ProjectSummary> {
  const { xnat, state, signal } = deps
  const project = await findProject(xnat, projectId, { signal })
  if (project === undefined) {
    await forgetProject(state, projectId)
    throw new InvalidInputError(`404: Project with ID '${projectId}' not found.`, { code: 'PROJECT_NOT_FOUND' })
  }
  for (const { id } of await waitingImports(deps, projectId)) await deleteQueuedRequest(xnat, id, { signal })
  await deleteXnatProject(xnat, projectId, { removeFiles: true, signal })
  await requireGone(deps, projectId)
  await forgetProject(state, projectId)
  return project
}

/** The registration first: a planner that is at it meanwhile looks for it behind its writes, and takes them back. */
async function forgetProject(state: ObjectStore, projectId: string): Promise<void> {
  await forgetRegistration(state, projectId)
  await forgetImport(state, projectId)
}

async function waitingImports({ xnat, signal }: DeleteDeps, projectId: string): Promise<QueuedRequest[]> {
  try {
    return (await listQueuedRequests(xnat, { all: true, signal })).filter((row) => row.projectId === projectId)
  } catch (error) {
    // XNAT without the DQR plug-in has no such path, and nothing that waits.
    if (error instanceof XnatError && error.code === 'XNAT_NOT_FOUND') return []
    throw error
  }
}

// XNAT: shows a deleted project for about a second more, and may answer 200 without deleting when data is shared into
// the project (xnat/data-api 1.5 and 8).
const looks = { times: 10, everyMs: 500 }

async function requireGone({ xnat, signal }: DeleteDeps, projectId: string): Promise<void> {
  for (let look = 0; look < looks.times; look += 1) {
    if ((await findProject(xnat, projectId, { signal })) === undefined) return
    await wait(looks.everyMs, undefined, { signal })
  }
  throw new InvalidInputError(
    'XNAT did not delete the project. Data that is shared into it keeps it from being deleted: end the sharing first.',
    { code: 'PROJECT_NOT_DELETED' },
  )
}
