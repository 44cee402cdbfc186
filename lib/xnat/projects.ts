import * as z from 'zod'
import { InvalidInputError, XnatError } from '../errors.ts'
import type { CallOptions, Query } from './call.ts'
import type { XnatClient } from './client.ts'
import { ItemReply } from './item.ts'
import { decodedSegment, xnatPath } from './path.ts'
import { cell, filledCell, resultSet } from './result-set.ts'
import { type ProjectDescription, projectXml } from './xml.ts'

const ProjectRow = z
  .object({
    ID: filledCell,
    secondary_ID: cell,
    name: cell,
    description: cell,
    pi_firstname: cell,
    pi_lastname: cell,
  })
  .transform((row) => ({
    projectId: row.ID,
    secondaryId: row.secondary_ID,
    name: row.name,
    description: row.description,
    piFirstName: row.pi_firstname,
    piLastName: row.pi_lastname,
  }))
export type ProjectSummary = z.infer<typeof ProjectRow>

export interface ProjectFilter {
  projectId?: string
  secondaryId?: string
  name?: string
  /** Only projects the account may edit, or delete. */
  restrict?: 'edit' | 'delete'
}

/** The projects the account can read, narrowed by values that must be equal. */
export async function listProjects(
  client: XnatClient,
  filter: ProjectFilter = {},
  options: CallOptions = {},
): Promise<ProjectSummary[]> {
  const { projectId, secondaryId, name, restrict } = filter
  for (const value of [projectId, secondaryId, name]) refuseOperators(value)
  const query: Query = { format: 'json', ID: projectId, secondary_ID: secondaryId, name, restrict }
  const rows = await client.json(resultSet(ProjectRow), {
    method: 'GET',
    path: xnatPath`/data/projects`,
    query,
    ...options,
  })
  return rows.filter(
    (row) =>
      (projectId === undefined || row.projectId === projectId) &&
      (secondaryId === undefined || row.secondaryId === secondaryId) &&
      (name === undefined || row.name === name),
  )
}

// XNAT: in filters "*" and "%" are wildcards and "," means or (RES/QueryOrganizerResource.java), and & < > " ' arrive
// XML-escaped (RES/SecureResource.java), so none of them can be asked for exactly.
function refuseOperators(value: string | undefined): void {
  if (value !== undefined && (value === '' || /[*%,&<>"']/.test(value))) {
    throw new InvalidInputError('XNAT cannot search for this value exactly', { code: 'FILTER_NOT_EXACT' })
  }
}

/** The project with this ID, or `undefined` when it is missing or the account may not see it. An alias is no ID. */
export async function findProject(
  client: XnatClient,
  projectId: string,
  options: CallOptions = {},
): Promise<ProjectSummary | undefined> {
  const path = xnatPath`/data/projects/${projectId}`
  const item = await client.find(ItemReply, { method: 'GET', path, query: { format: 'json' }, ...options })
  // XNAT: the path takes aliases too (TESTS/TestProjectResources.java).
  if (item === undefined || item.fields['ID'] !== projectId) return undefined
  const investigator = item.children['PI']?.[0]?.fields
  return {
    projectId,
    secondaryId: item.fields['secondary_ID'],
    name: item.fields['name'],
    description: item.fields['description'],
    piFirstName: investigator?.['firstname'],
    piLastName: investigator?.['lastname'],
  }
}

/** The project whose secondary ID is exactly this, or `undefined`. */
export async function findProjectBySecondaryId(
  client: XnatClient,
  secondaryId: string,
  options: CallOptions = {},
): Promise<ProjectSummary | undefined> {
  return (await listProjects(client, { secondaryId }, options))[0]
}

export type Accessibility = 'private' | 'protected' | 'public'

export type CreateOutcome = { kind: 'created' } | { kind: 'already-there' }

/**
 * Creates a project, private unless said otherwise. A project with this ID is left as it is and reported as
 * `already-there`, even when the account cannot see it.
 *
 * @throws {XnatError} XNAT_CONFLICT when another visible project has the name or secondary ID.
 */
export async function createProject(
  client: XnatClient,
  project: ProjectDescription & { accessibility?: Accessibility },
  options: CallOptions = {},
): Promise<CreateOutcome> {
  const path = xnatPath`/data/projects`
  const reply = await client.send({
    method: 'POST',
    path,
    query: { accessibility: project.accessibility ?? 'private' },
    body: { text: projectXml(project), contentType: 'text/xml' },
    accept: [409, 500],
    ...options,
  })
  if (reply.status === 409) return { kind: 'already-there' }
  if (reply.status !== 500) return { kind: 'created' }
  // XNAT: a name or secondary ID in use is a 500 without a word (DM/BaseXnatProjectdata.java).
  const code = (await isTaken(client, project, options)) ? 'XNAT_CONFLICT' : 'XNAT_UNREACHABLE'
  throw new XnatError({ code, method: 'POST', pathTemplate: path.template, status: 500 })
}

async function isTaken(client: XnatClient, project: ProjectDescription, options: CallOptions): Promise<boolean> {
  const wanted = [project.projectId, project.secondaryId, project.name].map((value) => value?.toLowerCase())
  const projects = await listProjects(client, {}, options)
  return projects.some((each) =>
    [each.projectId, each.secondaryId, each.name].some((value) => value && wanted.includes(value.toLowerCase())),
  )
}

/** Creates the project or changes what the description names; XNAT does not say which of the two it did. */
export async function putProject(
  client: XnatClient,
  project: ProjectDescription & { accessibility?: Accessibility },
  options: CallOptions = {},
): Promise<void> {
  await client.send({
    method: 'PUT',
    path: xnatPath`/data/projects/${project.projectId}`,
    query: { accessibility: project.accessibility },
    body: { text: projectXml(project), contentType: 'text/xml' },
    ...options,
  })
}

/**
 * Deletes a project; with `removeFiles` XNAT moves its files to its cache folder. The ID can never be used again.
 * A project that is missing or cannot be seen is `not-there`.
 */
export async function deleteProject(
  client: XnatClient,
  projectId: string,
  { removeFiles = false, ...options }: CallOptions & { removeFiles?: boolean } = {},
): Promise<{ kind: 'deleted' } | { kind: 'not-there' }> {
  const path = xnatPath`/data/projects/${projectId}`
  const query: Query = { removeFiles: removeFiles || undefined }
  // XNAT: 400, not 404, for a project that is not there (RES/ProjectResource.java).
  const reply = await client.send({ method: 'DELETE', path, query, accept: [400, 404], isSlow: true, ...options })
  return reply.status >= 400 ? { kind: 'not-there' } : { kind: 'deleted' }
}

/** 0 leaves uploads in the prearchive, 4 archives them, 5 archives and overwrites files; XNAT stores any integer. */
export async function getPrearchiveCode(
  client: XnatClient,
  projectId: string,
  options: CallOptions = {},
): Promise<number> {
  const path = xnatPath`/data/projects/${projectId}/prearchive_code`
  return client.parsedText(IntegerText, { method: 'GET', path, ...options })
}

const IntegerText = z
  .string()
  .regex(/^-?\d+$/)
  .transform(Number)

/** @throws {XnatError} XNAT_FORBIDDEN when the account is no owner, or the site forbids archiving by itself. */
export async function setPrearchiveCode(
  client: XnatClient,
  projectId: string,
  prearchiveCode: number,
  options: CallOptions = {},
): Promise<void> {
  const path = xnatPath`/data/projects/${projectId}/prearchive_code/${prearchiveCode}`
  await client.send({ method: 'PUT', path, ...options })
}

const AccessibilityText = z.enum(['private', 'protected', 'public'])

export async function getAccessibility(
  client: XnatClient,
  projectId: string,
  options: CallOptions = {},
): Promise<Accessibility> {
  const path = xnatPath`/data/projects/${projectId}/accessibility`
  return client.parsedText(AccessibilityText, { method: 'GET', path, ...options })
}

export async function setAccessibility(
  client: XnatClient,
  projectId: string,
  accessibility: Accessibility,
  options: CallOptions = {},
): Promise<void> {
  const path = xnatPath`/data/projects/${projectId}/accessibility/${accessibility}`
  await client.send({ method: 'PUT', path, ...options })
}

const MemberRow = z
  .object({ GROUP_ID: cell, displayname: cell, login: filledCell, firstname: cell, lastname: cell, email: cell })
  .transform((row) => ({
    groupId: row.GROUP_ID,
    groupName: row.displayname,
    login: row.login,
    firstName: row.firstname,
    lastName: row.lastname,
    email: row.email,
  }))
export type ProjectMember = z.infer<typeof MemberRow>

export type ProjectRole = 'owner' | 'member' | 'collaborator'

/** Everyone in the project's groups. Owners and site administrators only. */
export async function listMembers(
  client: XnatClient,
  projectId: string,
  options: CallOptions = {},
): Promise<ProjectMember[]> {
  const path = xnatPath`/data/projects/${projectId}/users`
  return client.json(resultSet(MemberRow), { method: 'GET', path, query: { format: 'json' }, ...options })
}

/**
 * Puts a user into one of the project's groups, out of the others. XNAT sends an invitation to a name it does not know,
 * and says the same as for one that it does.
 */
export async function setMember(
  client: XnatClient,
  { projectId, role, login }: { projectId: string; role: ProjectRole; login: string },
  options: CallOptions = {},
): Promise<void> {
  const path = xnatPath`/data/projects/${projectId}/users/${role}/${decodedSegment(login)}`
  await client.send({ method: 'PUT', path, query: { format: 'json' }, ...options })
}

export async function removeMember(
  client: XnatClient,
  { projectId, role, login }: { projectId: string; role: ProjectRole; login: string },
  options: CallOptions = {},
): Promise<void> {
  const path = xnatPath`/data/projects/${projectId}/users/${role}/${decodedSegment(login)}`
  await client.send({ method: 'DELETE', path, query: { format: 'json' }, ...options })
}
