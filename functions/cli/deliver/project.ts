import * as z from 'zod'
import { ApiFailure, type ConduitApi } from '../conduit-api.ts'
import { exitCodes, Failure } from '../failure.ts'
import type { PlannedFile } from './plan.ts'

export interface DeliveryProject {
  projectId: string
  /** Experiments that none of the files goes to. */
  others: ReadonlySet<string>
  /** By the API's clock, and no later than it was asked. */
  startedAt: Date
}

/**
 * The project that the keys name, by XNAT's ID or as `hub:` and the hub's.
 *
 * @throws {Failure} when there is none: nothing could be delivered.
 */
export async function findDeliveryProject(
  api: ConduitApi,
  projectName: string,
  files: readonly PlannedFile[],
): Promise<DeliveryProject> {
  let startedAt = new Date()
  const projectId = await idOf(api, projectName, (time) => {
    startedAt = time
  })
  const answer = z.array(z.object({ ID: z.string(), label: z.string() }))
  const experiments = await api.ask({ method: 'GET', path: `/projects/${projectId}/experiments`, answer })
  const wanted = new Set(files.map(({ target }) => target.experiment))
  const others = experiments.filter(({ label }) => !wanted.has(label)).map(({ ID }) => ID)
  return { projectId, others: new Set(others), startedAt }
}

async function idOf(api: ConduitApi, projectName: string, onTime: (time: Date) => void): Promise<string> {
  const missing = () => new Failure(`XNAT has no project ${projectName}. Nothing was sent.`, exitCodes.failed)
  const Project = z.object({ ID: z.string() })
  const hubId = /^hub:(.+)$/.exec(projectName)?.[1]
  if (hubId !== undefined) {
    const query = new URLSearchParams({ secondary_ID: hubId })
    const found = await api.ask({ method: 'GET', path: `/projects?${query}`, answer: z.array(Project), onTime })
    const [project] = found
    if (project === undefined) throw missing()
    return project.ID
  }
  try {
    return (await api.ask({ method: 'GET', path: `/projects/${projectName}`, answer: Project, onTime })).ID
  } catch (error) {
    throw error instanceof ApiFailure && error.status === 404 ? missing() : error
  }
}
