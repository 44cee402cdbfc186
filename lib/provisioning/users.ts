// The hub's users -> XNAT accounts and members of the project.
import { randomInt } from 'node:crypto'
import { type EnvelopeKeys, seal } from '../envelope.ts'
import { AppError, InvalidInputError, ProvisioningError, XnatError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { listMembers, setMember } from '../xnat/projects.ts'
import { issueToken } from '../xnat/tokens.ts'
import { createUser, findUser, listUsers, type User } from '../xnat/users.ts'
import type { HubUser } from './hub-project.ts'
import { freeUsernames, usernameStem } from './usernames.ts'

export interface UserDeps {
  xnat: XnatClient
  signal: AbortSignal
  envelope: { keys: EnvelopeKeys; kid: string }
}

export interface InvitedUser {
  username: string
  email: string
  /** Opens the form in which the password is set, sealed for the hub (context `xnat_setup_path`). */
  sealedSetupPath: string
}

export interface SettledUsers {
  /** New accounts, and those that have never signed in: invited, once more. */
  invited: InvitedUser[]
  /** Accounts that are in use. */
  added: User[]
  /** Users who could not be settled; the others were. */
  failed: { email: string; code: string }[]
}

/**
 * Makes every user who is not disabled on the hub a member of the project, with an account of their own. One user's
 * failure is reported and keeps no other from being settled; what concerns all of them (XNAT away, no rights) is thrown.
 *
 * Without `invites` no set-up path is made: who is new or has never signed in is in no list, and is invited the next
 * time that somebody can hand the path on.
 *
 * Safe to repeat: an account is found again by its address, a membership is only written when it is missing.
 */
export async function settleUsers(
  deps: UserDeps,
  projectId: string,
  users: readonly HubUser[],
  options: { invites: boolean } = { invites: true },
): Promise<SettledUsers> {
  const settled: SettledUsers = { invited: [], added: [], failed: [] }
  const wanted = users.filter(({ isDisabled }) => !isDisabled)
  if (wanted.length === 0) return settled

  const directory = await openDirectory(deps, projectId)
  for (const { email } of wanted) {
    try {
      const { user, isNew } = await accountFor(deps, directory, email)
      if (!directory.members.has(user.username)) {
        await setMember(deps.xnat, { projectId, role: 'member', login: user.username }, { signal: deps.signal })
      }
      const isInUse = !isNew && user.lastLoginAtMs !== undefined
      if (isInUse) settled.added.push(user)
      else if (options.invites) settled.invited.push(await invite(deps, user.username, email))
    } catch (error) {
      if (!concernsOneUser(error)) throw error
      settled.failed.push({ email, code: error.code })
    }
  }
  return settled
}

function concernsOneUser(error: unknown): error is AppError {
  if (error instanceof XnatError && error.code === 'XNAT_FORBIDDEN') {
    throw new ProvisioningError(
      'Users cannot be settled: the service account may not make accounts, memberships or tokens for others. It has to be a site administrator in XNAT.',
      { code: 'MISSING_ROLE', cause: error },
    )
  }
  const concernsAll = ['XNAT_UNAUTHORIZED', 'XNAT_UNEXPECTED_REPLY']
  return error instanceof AppError && error.retry === 'never' && !concernsAll.includes(error.code)
}

interface Directory {
  users: User[]
  taken: Set<string>
  members: Set<string>
}

/** XNAT cannot be asked for the user with an address: one listing of the site for all of them. */
async function openDirectory({ xnat, signal }: UserDeps, projectId: string): Promise<Directory> {
  const [users, members] = await Promise.all([listUsers(xnat, { signal }), listMembers(xnat, projectId, { signal })])
  return {
    users,
    taken: new Set(users.map(({ username }) => username)),
    members: new Set(members.map(({ login }) => login)),
  }
}

async function accountFor(
  deps: UserDeps,
  directory: Directory,
  email: string,
): Promise<{ user: User; isNew: boolean }> {
  const known = knownAccount(directory.users, email)
  if (known !== undefined) return { user: known, isNew: false }
  const created = await createAccount(deps, directory.taken, email)
  directory.users.push(created)
  directory.taken.add(created.username)
  return { user: created, isNew: true }
}

/** Of accounts that share an address: the one spelled alike, then one that may sign in, then the oldest. */
export function knownAccount(users: readonly User[], email: string): User | undefined {
  const rank = (user: User) => Number(user.email !== email) * 2 + Number(!user.enabled)
  return users
    .filter((user) => user.email?.toLowerCase() === email.toLowerCase())
    .toSorted((one, other) => rank(one) - rank(other) || one.id - other.id)[0]
}

async function createAccount({ xnat, signal }: UserDeps, taken: ReadonlySet<string>, email: string): Promise<User> {
  const stem = usernameStem(email)
  if (stem === undefined) throw noUsername()
  for (const username of freeUsernames(stem, taken)) {
    const names = { username, email, firstName: username, lastName: username }
    const { kind } = await createUser(xnat, { ...names, password: randomPassword() }, { signal }).catch(refusedUser)
    const user = await findUser(xnat, username, { signal })
    // Taken meanwhile, by another call for the same address or by somebody else.
    if (kind === 'already-there' && user?.email?.toLowerCase() !== email.toLowerCase()) continue
    if (user !== undefined) return user
  }
  throw noUsername()
}

// XNAT: a password that the site's rules do not take, and whatever else keeps an account from being saved, is 500
// (xnat/auth-users-import 4.3).
function refusedUser(error: unknown): never {
  if (!(error instanceof XnatError && error.status === 500)) throw error
  throw new InvalidInputError('XNAT could not save the account', { code: 'USER_REFUSED', cause: error })
}

const noUsername = () => new InvalidInputError('no username can be made of the address', { code: 'NO_USERNAME' })

async function invite({ xnat, signal, envelope }: UserDeps, username: string, email: string): Promise<InvitedUser> {
  const { alias, secret } = await issueToken(xnat, { username, signal })
  const path = `/app/template/XDATScreen_UpdateUser.vm?a=${encodeURIComponent(alias)}&s=${encodeURIComponent(secret)}`
  return { username, email, sealedSetupPath: seal(path, { ...envelope, context: 'xnat_setup_path' }) }
}

const lower = 'abcdefghijklmnopqrstuvwxyz'
const upper = lower.toUpperCase()
const digits = '0123456789'
const signs = '!@#$%^&*()-_=+[]{}|;:,.<>?'

/** A password nobody learns: XNAT cannot set the password of an account that has none (flip-contract 2.4). */
export function randomPassword(): string {
  const pick = (alphabet: string) => alphabet.charAt(randomInt(alphabet.length))
  const chars = [lower, upper, digits, signs].map(pick)
  while (chars.length < 15) chars.push(pick(lower + upper + digits + signs))
  for (let last = chars.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1)
    const [a = '', b = ''] = [chars[last], chars[other]]
    chars[last] = b
    chars[other] = a
  }
  return chars.join('')
}
