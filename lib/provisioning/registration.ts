// What the product itself remembers of a project: how it was asked for. All else is read from XNAT.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { HubProject } from './hub-project.ts'

const Registration = z.object({
  projectId: z.string(),
  createdAt: z.iso.datetime(),
  hubProject: HubProject,
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

export async function findRegistration(state: ObjectStore, projectId: string): Promise<Registration | undefined> {
  const stored = await state.readText(registrationKey(projectId))
  return stored && Registration.parse(JSON.parse(stored.text))
}

export async function forgetRegistration(state: ObjectStore, projectId: string): Promise<void> {
  await state.remove(registrationKey(projectId))
}
