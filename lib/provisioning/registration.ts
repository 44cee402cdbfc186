// What the product itself remembers of a project: how it was asked for. All else is read from XNAT.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { HubProject } from './hub-project.ts'

const Registration = z.object({
  projectId: z.string(),
  createdAt: z.iso.datetime(),
  /** Absent for a project that others made, and that only imports by us. */
  hubProject: HubProject.optional(),
  /** The cohort's query of such a project, and its secondary ID in XNAT: the hub's id, if a hub made it. */
  query: z.string().optional(),
  secondaryId: z.string().optional(),
})
export type Registration = z.infer<typeof Registration>

const registrationKey = (projectId: string) => `projects/${projectId}.json`

/** Keeps how the project was asked for last. Nothing is written when it was asked for in the same way. */
export async function register(
  state: ObjectStore,
  projectId: string,
  hubProject: HubProject,
  now: () => Date,
): Promise<void> {
  const known = await findRegistration(state, projectId)
  if (known !== undefined && JSON.stringify(known.hubProject) === JSON.stringify(hubProject)) return
  const registration: Registration = { projectId, createdAt: known?.createdAt ?? now().toISOString(), hubProject }
  await state.writeText(registrationKey(projectId), JSON.stringify(registration), { contentType: 'application/json' })
}

/** Keeps that a project which others made imports by us. One that is registered stays as it is. */
export async function registerImport(
  state: ObjectStore,
  { projectId, ...registration }: { projectId: string; query?: string | undefined; secondaryId?: string | undefined },
  now: () => Date,
): Promise<Registration> {
  const made = Registration.parse({ projectId, createdAt: now().toISOString(), ...registration })
  const options = { contentType: 'application/json', ifAbsent: true }
  const outcome = await state.writeText(registrationKey(projectId), JSON.stringify(made), options)
  return outcome.kind === 'written' ? made : ((await findRegistration(state, projectId)) ?? made)
}

const registrations = 'projects/'

/** The IDs of all registered projects, in pages as S3 lists them: up to a thousand each. */
export async function* registeredProjects(
  state: ObjectStore,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<string[]> {
  let startAfter: string | undefined
  for (;;) {
    const page = await state.list(registrations, { ...options, ...(startAfter !== undefined && { startAfter }) })
    const ids = page.objects.map(({ key }) => key.slice(registrations.length).replace(/\.json$/, ''))
    if (ids.length > 0) yield ids
    startAfter = page.objects.at(-1)?.key
    if (page.isComplete || startAfter === undefined) return
  }
}

export async function findRegistration(state: ObjectStore, projectId: string): Promise<Registration | undefined> {
  const stored = await state.readText(registrationKey(projectId))
  return stored && Registration.parse(JSON.parse(stored.text))
}

export async function forgetRegistration(state: ObjectStore, projectId: string): Promise<void> {
  await state.remove(registrationKey(projectId))
}
