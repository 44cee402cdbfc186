// Ends a project: its waiting imports first, so that nothing arrives behind the deletion, then its data, then our records.
import type { ObjectStore } from '../aws/objects.ts'
import { InvalidInputError } from '../errors.ts'
import { forgetRegistration } from '../provisioning/registration.ts'
import type { XnatClient } from '../xnat/client.ts'
import { deleteQueuedRequest, listQueuedRequests } from '../xnat/dqr-import.ts'
import { deleteProject as deleteXnatProject, findProject, type ProjectSummary } from '../xnat/projects.ts'

/**
 * Removes the project with its files, and what was waiting for it in DQR's queue.
 *
 * Safe to repeat after it died half-way: the project goes before our records of it, and a project that is gone has its
 * records removed and is answered as not found.
 *
 * @throws {InvalidInputError} PROJECT_NOT_FOUND
 */
export async function deleteProject(
  deps: { xnat: XnatClient; state: ObjectStore; signal: AbortSignal },
  projectId: string,
): Promise<ProjectSummary> {
  const { xnat, state, signal } = deps
  const project = await findProject(xnat, projectId, { signal })
  if (project === undefined) {
    await forgetRegistration(state, projectId)
    throw new InvalidInputError(`404: Project with ID '${projectId}' not found.`, { code: 'PROJECT_NOT_FOUND' })
  }
  const waiting = (await listQueuedRequests(xnat, { all: true, signal })).filter((row) => row.projectId === projectId)
  for (const { id } of waiting) await deleteQueuedRequest(xnat, id, { signal })
  await deleteXnatProject(xnat, projectId, { removeFiles: true, signal })
  await forgetRegistration(state, projectId)
  return project
}
