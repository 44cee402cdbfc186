// Single accounts, as FLIP's callers manage them.
import { InvalidInputError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { findProject, setMember } from '../xnat/projects.ts'
import {
  createUser,
  findUser,
  findUsersByEmail,
  listUsers,
  type NewUser,
  type User,
  updateUser,
} from '../xnat/users.ts'

export interface UsersDeps {
  xnat: XnatClient
  signal: AbortSignal
}

export const readUsers = ({ xnat, signal }: UsersDeps): Promise<User[]> => listUsers(xnat, { signal })

/** @throws {InvalidInputError} USER_EXISTS */
export async function addUser({ xnat, signal }: UsersDeps, user: NewUser): Promise<User> {
  const { kind } = await createUser(xnat, user, { signal })
  if (kind === 'already-there') {
    throw new InvalidInputError(`Error: User '${user.username}' already exists`, { code: 'USER_EXISTS' })
  }
  return getUser({ xnat, signal }, user.username)
}

/**
 * Enables or disables the account with this address. Where several share it, all of them: a person who may no longer
 * sign in must not keep a second door.
 *
 * @throws {InvalidInputError} USER_NOT_FOUND
 */
export async function switchUser({ xnat, signal }: UsersDeps, email: string, enabled: boolean): Promise<User> {
  const users = await findUsersByEmail(xnat, email, { signal })
  for (const user of users) {
    if (user.enabled !== enabled) await updateUser(xnat, user.username, { email, enabled }, { signal })
  }
  const [first] = users
  if (first === undefined) throw new InvalidInputError('404: User not found by email', { code: 'USER_NOT_FOUND' })
  return getUser({ xnat, signal }, first.username)
}

/** @throws {InvalidInputError} USER_NOT_FOUND, PROJECT_NOT_FOUND */
export async function addUserToProject(
  { xnat, signal }: UsersDeps,
  { username, projectId }: { username: string; projectId: string },
): Promise<User> {
  const user = await getUser({ xnat, signal }, username)
  // XNAT: answers 200 for a user it does not know and mails an invitation (RES/ProjectMemberResource.java).
  if ((await findProject(xnat, projectId, { signal })) === undefined) {
    throw new InvalidInputError(`404: Project with ID '${projectId}' not found.`, { code: 'PROJECT_NOT_FOUND' })
  }
  await setMember(xnat, { projectId, role: 'member', login: username }, { signal })
  return user
}

async function getUser({ xnat, signal }: UsersDeps, username: string): Promise<User> {
  const user = await findUser(xnat, username, { signal })
  if (user !== undefined) return user
  throw new InvalidInputError(`404: User '${username}' not found`, { code: 'USER_NOT_FOUND' })
}
