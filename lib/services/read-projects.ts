// What callers may read of projects. Each asks XNAT for the one thing, never for all of the site.
import * as z from 'zod'
import { InvalidInputError } from '../errors.ts'
import { type ExperimentSummary, listExperiments, listSubjects, type SubjectSummary } from '../xnat/archive.ts'
import type { XnatClient } from '../xnat/client.ts'
import { xnatPath } from '../xnat/path.ts'
import { findProject, listProjects, type ProjectSummary } from '../xnat/projects.ts'

export interface ReadDeps {
  xnat: XnatClient
  signal: AbortSignal
}

export const readProjects = ({ xnat, signal }: ReadDeps): Promise<ProjectSummary[]> =>
  listProjects(xnat, {}, { signal })

/** @throws {InvalidInputError} PROJECT_NOT_FOUND, in FLIP's words and with the prefix that its callers know. */
export async function getProject({ xnat, signal }: ReadDeps, projectId: string): Promise<ProjectSummary> {
  const project = await findProject(xnat, projectId, { signal })
  if (project !== undefined) return project
  throw new InvalidInputError(`404: Project with ID '${projectId}' not found.`, { code: 'PROJECT_NOT_FOUND' })
}

/** @throws {InvalidInputError} PROJECT_NOT_FOUND */
export async function readSubjects(deps: ReadDeps, projectId: string): Promise<SubjectSummary[]> {
  await getProject(deps, projectId)
  return listSubjects(deps.xnat, { projectId }, { signal: deps.signal })
}

/**
 * All experiments of a project, also those of types that its project-scoped listing leaves out.
 *
 * @throws {InvalidInputError} PROJECT_NOT_FOUND
 */
export async function readExperiments(deps: ReadDeps, projectId: string): Promise<ExperimentSummary[]> {
  await getProject(deps, projectId)
  return listExperiments(deps.xnat, { projectId }, { signal: deps.signal })
}

/**
 * One experiment by its ID or label, as XNAT's own JSON document.
 *
 * @throws {InvalidInputError} PROJECT_NOT_FOUND, EXPERIMENT_NOT_FOUND
 */
export async function readExperiment(
  deps: ReadDeps,
  { projectId, experiment }: { projectId: string; experiment: string },
): Promise<Record<string, unknown>> {
  await getProject(deps, projectId)
  const path = xnatPath`/data/projects/${projectId}/experiments/${experiment}`
  const call = { method: 'GET', path, query: { format: 'json' }, signal: deps.signal } as const
  const document = await deps.xnat.find(z.record(z.string(), z.unknown()), call)
  if (document !== undefined) return document
  throw new InvalidInputError(`404: Experiment with this ID or label not found in project '${projectId}'.`, {
    code: 'EXPERIMENT_NOT_FOUND',
  })
}
