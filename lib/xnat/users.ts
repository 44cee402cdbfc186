import * as z from 'zod'
import { type Call, type CallOptions, jsonBody } from './call.ts'
import type { XnatClient } from './client.ts'
import { type XnatPath, xnatPath } from './path.ts'

// XNAT: /xapi leaves out what is null and sends times as milliseconds (F/configuration/SerializerConfig.java).
const UserReply = z
  .object({
    id: z.number(),
    username: z.string(),
    firstName: z.string().optional(),
    lastName: z.string().optional(),
    email: z.string().optional(),
    enabled: z.boolean(),
    verified: z.boolean(),
    lastModified: z.number().optional(),
    lastSuccessfulLogin: z.number().optional(),
  })
  .transform(({ lastModified, lastSuccessfulLogin, ...user }) => ({
    ...user,
    lastModifiedAtMs: lastModified,
    lastLoginAtMs: lastSuccessfulLogin,
  }))
export type User = z.infer<typeof UserReply>

const Names = z.array(z.string())

/** All usernames, those of disabled accounts included. */
export async function listUsernames(client: XnatClient, options: CallOptions = {}): Promise<string[]> {
  return client.json(Names, { method: 'GET', path: xnatPath`/xapi/users`, ...options })
}

/** All users that have a way to sign in. */
export async function listUsers(client: XnatClient, options: CallOptions = {}): Promise<User[]> {
  return client.json(z.array(UserReply), { method: 'GET', path: xnatPath`/xapi/users/profiles`, ...options })
}

/** The user of exactly this name, upper and lower case told apart, or `undefined`. */
export async function findUser(
  client: XnatClient,
  username: string,
  options: CallOptions = {},
): Promise<User | undefined> {
  // XNAT: of the two paths this one answers 404 for an unknown user, the other 500 (X/rest/users/UsersApi.java).
  return client.find(UserReply, { method: 'GET', path: xnatPath`/xapi/users/profile/${username}`, ...options })
}

/** The users with this address, upper and lower case alike. XNAT lets several accounts share one. */
export async function findUsersByEmail(client: XnatClient, email: string, options: CallOptions = {}): Promise<User[]> {
  const wanted = email.toLowerCase()
  return (await listUsers(client, options)).filter((user) => user.email?.toLowerCase() === wanted)
}

export interface NewUser {
  /** A letter, then letters, digits and `- _ ' .`, 64 at most. */
  username: string
  email: string
  firstName: string
  lastName: string
  /** Without one the account cannot sign in by password. */
  password?: string
  /** Default true: can sign in. */
  enabled?: boolean
  /** Default true: needs no confirmation by e-mail. */
  verified?: boolean
}

/** Creates a user. One of this name is left as it is. */
export async function createUser(
  client: XnatClient,
  { enabled = true, verified = true, ...user }: NewUser,
  options: CallOptions = {},
): Promise<{ kind: 'created' } | { kind: 'already-there' }> {
  // XNAT: verified is heeded only beside enabled (X/rest/users/UsersApi.java).
  const body = jsonBody({ ...user, enabled, verified })
  const reply = await client.send({ method: 'POST', path: xnatPath`/xapi/users`, body, accept: [409], ...options })
  return { kind: reply.status === 409 ? 'already-there' : 'created' }
}

export type UserChanges = Partial<Omit<NewUser, 'username'>>

/** Changes what is given. Disabling a user this way also revokes their alias tokens. */
export async function updateUser(
  client: XnatClient,
  username: string,
  changes: UserChanges,
  options: CallOptions = {},
): Promise<{ kind: 'changed' } | { kind: 'unchanged' }> {
  const call: Call = { method: 'PUT', path: userPath(username), body: jsonBody(changes), accept: [304], ...options }
  const { status } = await client.send(call)
  return { kind: status === 304 ? 'unchanged' : 'changed' }
}

/** Group IDs: `P_owner`, `P_member`, `P_collaborator`, `ALL_DATA_ADMIN`, `ALL_DATA_ACCESS`. */
export async function listGroups(client: XnatClient, username: string, options: CallOptions = {}): Promise<string[]> {
  return client.json(Names, { method: 'GET', path: xnatPath`${userPath(username)}/groups`, ...options })
}

/** Roles on the site: `Administrator`, `Dqr`, `ContainerManager`, `non_expiring`. One's own, or as an administrator. */
export async function listRoles(client: XnatClient, username: string, options: CallOptions = {}): Promise<string[]> {
  return client.json(Names, { method: 'GET', path: xnatPath`${userPath(username)}/roles`, ...options })
}

/** How many sessions our own account has open, this one included. */
export async function countOwnSessions(client: XnatClient, options: CallOptions = {}): Promise<number> {
  const path = xnatPath`/data/services/sessions`
  return client.parsedText(z.coerce.number().int(), { method: 'GET', path, ...options })
}

/** Adds a user to groups; `failed` are those that XNAT would not. */
export async function addToGroups(
  client: XnatClient,
  username: string,
  groupIds: readonly string[],
  options: CallOptions = {},
): Promise<{ failed: string[] }> {
  return changeGroups(client, 'PUT', { username, groupIds }, options)
}

export async function removeFromGroups(
  client: XnatClient,
  username: string,
  groupIds: readonly string[],
  options: CallOptions = {},
): Promise<{ failed: string[] }> {
  return changeGroups(client, 'DELETE', { username, groupIds }, options)
}

// XNAT: 200 with an empty list, or 202 with those that failed (X/rest/users/UsersApi.java).
async function changeGroups(
  client: XnatClient,
  method: 'PUT' | 'DELETE',
  { username, groupIds }: { username: string; groupIds: readonly string[] },
  options: CallOptions,
): Promise<{ failed: string[] }> {
  const path = xnatPath`${userPath(username)}/groups`
  return { failed: await client.json(Names, { method, path, body: jsonBody(groupIds), ...options }) }
}

function userPath(username: string): XnatPath {
  return xnatPath`/xapi/users/${username}`
}
