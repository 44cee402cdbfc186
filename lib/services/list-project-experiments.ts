import { InvalidInputError } from '../errors.ts'
import { type ExperimentSummary, listExperiments } from '../xnat/archive.ts'
import type { XnatClient } from '../xnat/client.ts'
import { findProject } from '../xnat/projects.ts'

/**
 * All experiments of an XNAT project, also those of types that its project-scoped listing leaves out.
 *
 * @throws {InvalidInputError} PROJECT_NOT_FOUND
 */
export async function listProjectExperiments(
  { xnat, signal }: { xnat: XnatClient; signal: AbortSignal },
  projectId: string,
): Promise<ExperimentSummary[]> {
  const project = await findProject(xnat, projectId, { signal })
  if (project === undefined) {
    // FLIP's text, with the prefix that its callers know.
    throw new InvalidInputError(`404: Project with ID '${projectId}' not found.`, { code: 'PROJECT_NOT_FOUND' })
  }
  return listExperiments(xnat, { projectId }, { signal })
}
