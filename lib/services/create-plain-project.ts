import { InvalidInputError, XnatError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { createProject, findProject, type ProjectSummary } from '../xnat/projects.ts'

interface PlainProject {
  projectId: string
  secondaryId: string
  name: string
  description: string
}

/**
 * Creates an XNAT project as it is described, and nothing around it.
 *
 * @throws {InvalidInputError} PROJECT_EXISTS
 */
export async function createPlainProject(
  { xnat, signal }: { xnat: XnatClient; signal: AbortSignal },
  project: PlainProject,
): Promise<ProjectSummary> {
  const { kind } = await createProject(xnat, project, { signal }).catch((error: unknown) => {
    throw error instanceof XnatError && error.code === 'XNAT_CONFLICT' ? taken('secondary ID or name') : error
  })
  if (kind === 'already-there') {
    throw new InvalidInputError(
      `Project ID '${project.projectId}' already exists. Can't create a new project with the same ID.`,
      { code: 'PROJECT_EXISTS' },
    )
  }
  // XNAT: what was just created may be unseen for a second (xnat/data-api section 8); we know what it is.
  const { projectId, ...rest } = project
  return (
    (await findProject(xnat, projectId, { signal })) ?? {
      projectId,
      ...rest,
      piFirstName: undefined,
      piLastName: undefined,
    }
  )
}

const taken = (what: string) =>
  new InvalidInputError(`The ${what} is already used by another project.`, { code: 'PROJECT_EXISTS' })
