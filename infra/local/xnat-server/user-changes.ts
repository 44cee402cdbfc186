// Creating and changing accounts as XNAT's REST API does (UsersApi.java createUser, updateUser).
import * as z from 'zod'
import { invalidateTokensOf } from './alias-tokens.ts'
import type { Xnat } from './exchange.ts'
import type { User } from './records.ts'
import { isValidUsername } from './user-lookup.ts'
import { requestFailure, xapiFailure } from './xapi.ts'

export const UserModel = z
  .object({
    username: z.string(),
    password: z.string(),
    currentPassword: z.string(),
    email: z.string(),
    firstName: z.string(),
    lastName: z.string(),
    enabled: z.boolean(),
    verified: z.boolean(),
  })
  .partial()
export type UserModel = z.infer<typeof UserModel>

/**
 * Creates an account.
 *
 * @throws {HttpFailure} 400 for missing or malformed fields, 409 for a name that is taken, 500 for a weak password.
 */
export function createUser(xnat: Xnat, model: UserModel): User {
  const { username = '', firstName = '', lastName = '', email = '', password = '' } = model
  refuseFaults({ username, email, firstName, lastName })
  if (xnat.state.users.get(username) !== undefined) {
    throw xapiFailure(409, `The resource of type user with the name ${username} already exists.`)
  }
  if (!isStrong(xnat, password)) throw requestFailure(500, `Error occurred creating user ${username}`)
  return xnat.state.addUser({
    username,
    firstName,
    lastName,
    email,
    password,
    enabled: model.enabled ?? false,
    // XNAT: "verified" is looked at only beside "enabled" (UsersApi.java createUser).
    verified: model.enabled === undefined ? false : (model.verified ?? false),
    lastModifiedAtMs: xnat.now().getTime(),
  })
}

/** Applies what differs; undefined when nothing does. An account's owner may change only its address and password. */
export function changeUser(
  xnat: Xnat,
  user: User,
  model: UserModel,
  { byAdmin }: { byAdmin: boolean },
): User | undefined {
  if (isGiven(model.username) && model.username !== user.username) {
    const message = 'The username for the submitted user object must match the username for the API call\n'
    throw xapiFailure(400, message)
  }
  const address = addressChange(xnat, user, model, byAdmin)
  const password = passwordChange(xnat, user, model, byAdmin)
  const changes = { ...address, ...password, ...(byAdmin && profileChange(user, model)) }
  if (Object.keys(changes).length === 0) return undefined
  if (password !== undefined) xnat.state.failedLogins.forget(user.username)
  if (byAdmin && model.enabled === false && user.enabled) invalidateTokensOf(xnat, user.username)
  return save(xnat, { ...user, ...changes })
}

/** XNAT: this way leaves the user's alias tokens alone (UsersApi.java usersIdEnabledFlagPut). */
export function setFlag(xnat: Xnat, user: User, flag: 'enabled' | 'verified', value: boolean): void {
  if (user[flag] !== value) save(xnat, { ...user, [flag]: value })
}

export function save({ state, now }: Xnat, user: User): User {
  return state.users.put({ ...user, lastModifiedAtMs: now().getTime() })
}

function addressChange({ state }: Xnat, user: User, { email }: UserModel, byAdmin: boolean) {
  if (!isGiven(email) || email === user.email) return undefined
  if (!isAddress(email)) throw xapiFailure(400, 'Invalid email format\n')
  if (byAdmin) return { email }
  if (state.users.find((other) => other.email === email) !== undefined) {
    throw requestFailure(500, "The email address you've specified is already in use.")
  }
  return state.settings.emailVerification ? { pendingEmail: email } : { email }
}

function passwordChange(xnat: Xnat, user: User, { password, currentPassword }: UserModel, byAdmin: boolean) {
  if (!isGiven(password)) return undefined
  if (!byAdmin && currentPassword !== user.password) {
    throw requestFailure(500, 'Current password needed to update password')
  }
  // XNAT: wrapped in an XapiException whose 400 nobody reads (UsersApi.java updateUser, XapiRestControllerAdvice.java).
  if (!isStrong(xnat, password)) throw requestFailure(500, 'Password is not sufficiently complex.')
  return { password }
}

function profileChange(user: User, model: UserModel): Partial<User> {
  const { firstName, lastName, enabled, verified } = model
  return {
    ...(isGiven(firstName) && firstName !== user.firstName && { firstName }),
    ...(isGiven(lastName) && lastName !== user.lastName && { lastName }),
    ...(enabled !== undefined && enabled !== user.enabled && { enabled }),
    ...(verified !== undefined && verified !== user.verified && { verified }),
  }
}

function isStrong({ state }: Xnat, password: string): boolean {
  return password === '' || new RegExp(state.settings.passwordComplexity).test(password)
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== ''
}

// XNAT: Users.java EXPRESSION_EMAIL; the domain needs no dot.
function isAddress(email: string): boolean {
  return /^[\w!#$%&'*+/=?`{|}~^-]+(\.[\w!#$%&'*+/=?`{|}~^-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(email)
}

// XNAT: DataFormatException.java; names are Patterns.LIMIT_XSS_CHARS.
function refuseFaults(fields: Record<'username' | 'email' | 'firstName' | 'lastName', string>): void {
  const isName = (text: string) => /^[^&<>"/]+$/.test(text)
  const isRight = { username: isValidUsername, email: isAddress, firstName: isName, lastName: isName }
  const names = ['username', 'email', 'firstName', 'lastName'] as const
  const missing = names.filter((name) => !isGiven(fields[name]))
  const invalid = names.filter((name) => isGiven(fields[name]) && !isRight[name](fields[name]))
  if (missing.length === 0 && invalid.length === 0) return
  const lines = [
    'There was an error with the submitted data',
    ...(missing.length > 0 ? [` * Missing fields: ${missing.join(', ')}`] : []),
    ...(invalid.length > 0
      ? [' * Invalid fields:', ...invalid.map((name) => `    - ${name}: Invalid ${name} format`)]
      : []),
  ]
  throw xapiFailure(400, lines.map((line) => `${line}\n`).join(''))
}
