import { setTimeout as wait } from 'node:timers/promises'
import { XnatError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import {
  createProject,
  findProjectBySecondaryId,
  getPrearchiveCode,
  type ProjectSummary,
  setPrearchiveCode,
} from '../xnat/projects.ts'
import type { Aspect } from './aspect.ts'
import { type HubProject, xnatNames } from './hub-project.ts'

interface ProjectDeps {
  xnat: XnatClient
  signal: AbortSignal
}

/** How often a hub project may have been deleted and asked for again. */
const generations = 10

/**
 * The XNAT project of the hub project: the one that carries the hub's id as `secondary_ID`, or a new one. Who asks at
 * the same time gets the same.
 *
 * @throws {XnatError} XNAT_CONFLICT when another project has the name.
 */
export async function findOrCreate(
  { xnat, signal }: ProjectDeps,
  hubProject: HubProject,
): Promise<{ projectId: string; name: string }> {
  const find = () => findProjectBySecondaryId(xnat, hubProject.hubProjectId, { signal })
  for (let generation = 0; ; generation += 1) {
    const wanted = xnatNames(hubProject, generation)
    const found = await find()
    if (found !== undefined) return { projectId: found.projectId, name: found.name ?? wanted.name }
    try {
      await createProject(xnat, wanted, { signal })
      await untilVisible({ xnat, signal }, wanted.projectId)
      return wanted
    } catch (error) {
      // XNAT: answers 500 to an ID that was deleted, to a name that is taken, and also after having created the project
      // on a site without siteUrl (xnat/data-api 1.2, flip-contract 8). Which it was shows in what is there now.
      if (!isServerFailure(error)) throw error
      const isTaken = error.code === 'XNAT_CONFLICT' && (await find()) === undefined
      if (isTaken || generation === generations) throw error
    }
  }
}

// XNAT: a project that was just created may be answered 403 or 404 for about a second (xnat/data-api section 8).
const looks = { times: 10, everyMs: 500 }

async function untilVisible({ xnat, signal }: ProjectDeps, projectId: string): Promise<void> {
  for (let look = 1; ; look += 1) {
    try {
      await getPrearchiveCode(xnat, projectId, { signal })
      return
    } catch (error) {
      const isHidden =
        error instanceof XnatError && (error.code === 'XNAT_NOT_FOUND' || error.code === 'XNAT_FORBIDDEN')
      if (!isHidden || look === looks.times) throw error
    }
    await wait(looks.everyMs, undefined, { signal })
  }
}

const isServerFailure = (error: unknown): error is XnatError => error instanceof XnatError && error.status === 500

/** XNAT: archive at once what arrives, without writing over sessions that are there (xnat/data-api 1.6). */
const archiveAtOnce = 4

export function prearchiveAspect(
  { xnat, signal }: ProjectDeps,
  { projectId }: Pick<ProjectSummary, 'projectId'>,
): Aspect {
  return {
    name: 'prearchive-code',
    inspect: async () => {
      const code = await getPrearchiveCode(xnat, projectId, { signal })
      return code === archiveAtOnce
        ? { state: 'as-wanted' }
        : { state: 'changed', detail: `the code is ${code}, not ${archiveAtOnce}` }
    },
    mend: () => setPrearchiveCode(xnat, projectId, archiveAtOnce, { signal }),
  }
}
