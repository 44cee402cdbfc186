// A project approved on the hub -> an XNAT project, ready to receive, with its users.
import type { ObjectStore } from '../aws/objects.ts'
import type { Queue } from '../aws/queue.ts'
import { InvalidInputError } from '../errors.ts'
import { askForLook } from '../imports/messages.ts'
import { type AspectState, settle } from '../provisioning/aspect.ts'
import { findConversionCommand, subscriptionAspect, wrapperAspect } from '../provisioning/conversion.ts'
import type { HubProject } from '../provisioning/hub-project.ts'
import { findOrCreate, prearchiveAspect } from '../provisioning/project-aspects.ts'
import { findRegistration, register } from '../provisioning/registration.ts'
import { type SettledUsers, settleUsers, type UserDeps } from '../provisioning/users.ts'
import { findProject, listMembers } from '../xnat/projects.ts'
import { listUsers } from '../xnat/users.ts'

export interface ProvisionDeps extends UserDeps {
  state: ObjectStore
  imports: Queue
  /** The image of the command that converts DICOM to NIfTI, tag included. */
  conversionImage: string
  now?: () => Date
}

export interface ProvisionedProject {
  projectId: string
  name: string
  users: SettledUsers
}

/**
 * Makes sure that there is one XNAT project for the hub project: archiving at once what arrives, converting it when
 * wanted, with an account and membership for each user, and its cohort handed to the import.
 *
 * Safe to repeat, also at the same time and after a call that died half-way: the XNAT project's ID follows from the
 * hub's id, a project that already carries the hub's id as `secondary_ID` is adopted, and only what is missing or
 * changed is written. Users who have never signed in are invited again each time.
 *
 * @throws {ProvisioningError} COMMAND_NOT_INSTALLED, EVENT_SERVICE_OFF; what came before is kept.
 */
export async function provisionProject(deps: ProvisionDeps, hubProject: HubProject): Promise<ProvisionedProject> {
  const { projectId, name } = await findOrCreate(deps, hubProject)
  await register(deps.state, projectId, hubProject, deps.now ?? (() => new Date()))
  await settleProject(deps, projectId, hubProject)
  // Before the users: what one of them cannot have must not keep the studies waiting.
  await askForLook(deps.imports, { projectId })
  return { projectId, name, users: await settleUsers(deps, projectId, hubProject.users) }
}

async function settleProject(deps: ProvisionDeps, projectId: string, { convertsToNifti }: HubProject): Promise<void> {
  await settle([prearchiveAspect(deps, { projectId })])
  const command = await findConversionCommand(deps, deps.conversionImage)
  await settle([wrapperAspect(deps, projectId, command), subscriptionAspect(deps, projectId, command, convertsToNifti)])
}

export type InspectDeps = Pick<ProvisionDeps, 'xnat' | 'signal' | 'state' | 'conversionImage'>

export interface Finding {
  aspect: string
  state: AspectState['state']
  detail?: string
}

/**
 * Every aspect of the project as it is: as wanted, missing or changed.
 *
 * @throws {InvalidInputError} PROJECT_NOT_FOUND for a project that was not provisioned by this product.
 */
export async function inspectProvisioning(deps: InspectDeps, projectId: string): Promise<Finding[]> {
  const hubProject = await getHubProject(deps.state, projectId)
  const { xnat, signal } = deps
  if ((await findProject(xnat, projectId, { signal })) === undefined) {
    return [
      { aspect: 'project', state: 'missing', detail: 'the project is not in XNAT, or not visible to the account' },
    ]
  }
  const command = await findConversionCommand(deps, deps.conversionImage)
  const aspects = [
    prearchiveAspect(deps, { projectId }),
    wrapperAspect(deps, projectId, command),
    subscriptionAspect(deps, projectId, command, hubProject.convertsToNifti),
  ]
  const findings: Finding[] = [{ aspect: 'project', state: 'as-wanted' }]
  for (const aspect of aspects) findings.push({ aspect: aspect.name, ...(await aspect.inspect()) })
  return [...findings, await inspectMembers(deps, projectId, hubProject.users)]
}

/**
 * Sets right what is not as it was asked for, and tells how it stands then. Creates no project and invites nobody: that
 * is for the hub to ask.
 *
 * @throws {InvalidInputError} PROJECT_NOT_FOUND for a project that was not provisioned by this product, or is gone.
 */
export async function repairProvisioning(deps: ProvisionDeps, projectId: string): Promise<Finding[]> {
  const hubProject = await getHubProject(deps.state, projectId)
  if ((await findProject(deps.xnat, projectId, { signal: deps.signal })) === undefined) throw notFound(projectId)
  await settleProject(deps, projectId, hubProject)
  await settleUsers(deps, projectId, hubProject.users, { invites: false })
  return inspectProvisioning(deps, projectId)
}

async function getHubProject(state: ObjectStore, projectId: string): Promise<HubProject> {
  const hubProject = (await findRegistration(state, projectId))?.hubProject
  if (hubProject !== undefined) return hubProject
  throw notFound(projectId)
}

async function inspectMembers(
  { xnat, signal }: InspectDeps,
  projectId: string,
  users: HubProject['users'],
): Promise<Finding> {
  const wanted = users.filter(({ isDisabled }) => !isDisabled).map(({ email }) => email.toLowerCase())
  const [accounts, members] = await Promise.all([listUsers(xnat, { signal }), listMembers(xnat, projectId, { signal })])
  const logins = new Set(members.map(({ login }) => login))
  const present = new Set(
    accounts.filter(({ username }) => logins.has(username)).map(({ email }) => email?.toLowerCase()),
  )
  const missing = wanted.filter((email) => !present.has(email)).length
  return missing === 0
    ? { aspect: 'members', state: 'as-wanted' }
    : { aspect: 'members', state: 'missing', detail: `${missing} of ${wanted.length} users are no members` }
}

const notFound = (projectId: string) =>
  new InvalidInputError(`404: Project with ID '${projectId}' not found.`, { code: 'PROJECT_NOT_FOUND' })
