// Single accounts, as FLIP's callers manage them.
import { AppError, InvalidInputError, isRefusal, XnatError } from '../errors.ts'
import { knownAccount } from '../provisioning/users.ts'
import type { XnatClient } from '../xnat/client.ts'
import { findProject, listMembers, setMember } from '../xnat/projects.ts'
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

/** @throws {InvalidInputError} USER_EXISTS, USER_REFUSED */
export async function addUser({ xnat, signal }: UsersDeps, user: NewUser): Promise<User> {
  const { kind } = await createUser(xnat, user, { signal }).catch((error: unknown) => {
    // XNAT: answers 500 to a password that the site's rules do not take (xnat/auth-users-import 4.3).
    if (!(error instanceof XnatError && error.status === 500)) throw error
    throw new InvalidInputError('XNAT did not take the user. The password may be too weak for this site.', {
      code: 'USER_REFUSED',
      cause: error,
    })
  })
  if (kind === 'already-there') {
    throw new InvalidInputError('Error: A user of this name already exists', { code: 'USER_EXISTS' })
  }
  return getUser({ xnat, signal }, user.username)
}

/**
 * Disables every account with this address, since a person who may no longer sign in must not keep a second door; or
 * enables the one that is theirs.
 *
 * @throws {InvalidInputError} USER_NOT_FOUND
 */
export async function switchUser({ xnat, signal }: UsersDeps, email: string, enabled: boolean): Promise<User> {
  const users = await findUsersByEmail(xnat, email, { signal })
  const own = knownAccount(users, email)
  if (own === undefined) throw new InvalidInputError('404: User not found by email', { code: 'USER_NOT_FOUND' })
  for (const user of enabled ? [own] : users) {
    if (user.enabled !== enabled) await updateUser(xnat, user.username, { enabled }, { signal }).catch(goneUser)
  }
  return { ...own, enabled }
}

function goneUser(error: unknown): never {
  if (!(error instanceof XnatError && error.code === 'XNAT_NOT_FOUND')) throw error
  throw new InvalidInputError('User not found', { code: 'USER_NOT_FOUND', cause: error })
}

/** @throws {InvalidInputError} USER_NOT_FOUND, PROJECT_NOT_FOUND @throws {AppError} MEMBER_REFUSED */
export async function addUserToProject(
  { xnat, signal }: UsersDeps,
  { username, projectId }: { username: string; projectId: string },
): Promise<User> {
  const user = await getUser({ xnat, signal }, username)
  // XNAT: answers 200 for a user it does not know and mails an invitation (RES/ProjectMemberResource.java).
  if ((await findProject(xnat, projectId, { signal })) === undefined) {
    throw new InvalidInputError(`404: Project with ID '${projectId}' not found.`, { code: 'PROJECT_NOT_FOUND' })
  }
  // XNAT: a user is in one group of a project, and would be moved out of a higher one (RES/ProjectMemberResource.java).
  const members = await listMembers(xnat, projectId, { signal })
  if (!members.some(({ login }) => login === username)) {
    await setMember(xnat, { projectId, role: 'member', login: username }, { signal }).catch(refusedMember)
  }
  return user
}

function refusedMember(error: unknown): never {
  if (!isRefusal(error)) throw error
  throw new AppError(`Error: The user could not be added to project: ${error.status} - XNAT refused.`, {
    code: 'MEMBER_REFUSED',
    retry: 'never',
    cause: error,
  })
}

async function getUser({ xnat, signal }: UsersDeps, username: string): Promise<User> {
  const user = await findUser(xnat, username, { signal })
  if (user !== undefined) return user
  throw new InvalidInputError('404: User not found by username', { code: 'USER_NOT_FOUND' })
}
