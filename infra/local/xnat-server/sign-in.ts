// Who sends a request: XnatBasicAuthenticationFilter, XnatExpiredPasswordFilter and XnatAuthenticationEntryPoint in one.
import type { IncomingMessage } from 'node:http'
import { HttpFailure } from './http-failure.ts'
import type { User } from './records.ts'
import type { Login } from './sessions.ts'
import type { State } from './state.ts'

export interface SignedIn {
  login: Login
  /** undefined: the guest. */
  user: User | undefined
  isNew: boolean
}

/**
 * Finds the request's session or starts one, signing in with basic credentials when there are any.
 *
 * @throws {HttpFailure} 401 for wrong credentials, a locked or disabled account, or one session too many.
 */
export function signIn(request: IncomingMessage, state: State): SignedIn {
  const present = liveLogin(request, state)
  const credentials = basicCredentials(request)
  if (credentials === undefined) return withoutCredentials(present, state)
  // XNAT: a live session of the same user makes the password irrelevant (XnatBasicAuthenticationFilter.java).
  if (present !== undefined && present.username === credentials.username) {
    return { login: present, user: state.users.get(credentials.username), isNew: false }
  }
  const user = authenticate(credentials, state)
  if (present !== undefined) state.sessions.end(present.id)
  const login = state.sessions.start(user.username, { isRegistered: true })
  // XNAT: the limit is checked after registration, so a refused attempt leaves its session behind (SecurityConfig.java).
  if (state.sessions.countRegistered(user.username) > state.settings.concurrentMaxSessions) throw loginFailed(state)
  return { login, user, isNew: true }
}

export interface Credentials {
  username: string
  password: string
}

/** @throws {HttpFailure} 401, the same for every reason. */
export function authenticate({ username, password }: Credentials, state: State): User {
  const user = state.users.get(username)
  const failures = failedLogins(state)
  const isLocked = (failures.get(username) ?? 0) >= state.settings.maxFailedLogins
  if (user === undefined || isLocked || !user.enabled || !user.verified || user.password !== password) {
    failures.set(username, (failures.get(username) ?? 0) + 1)
    throw loginFailed(state)
  }
  failures.delete(username)
  return user
}

/** The two cookies XNAT sets. JSESSIONID goes out with a new session only, the other with every response. */
export function cookiesFor({ login, isNew }: SignedIn, state: State, now: Date): string[] {
  // XNAT: the legacy cookie processor quotes the value because of its comma (META-INF/context.xml).
  const expiry = `SESSION_EXPIRATION_TIME="${now.getTime()},${state.settings.sessionTimeoutMs}"; Version=1; Path=/`
  return isNew ? [`JSESSIONID=${login.id}; Path=/; HttpOnly`, expiry] : [expiry]
}

// XNAT: /data/services/auth reads "localdb/name" and "name" alike; only the local provider exists here.
export function localUsername(username: string): string {
  return username.startsWith('localdb/') ? username.slice('localdb/'.length) : username
}

function withoutCredentials(present: Login | undefined, state: State): SignedIn {
  if (present === undefined) {
    return { login: state.sessions.start(undefined, { isRegistered: false }), user: undefined, isNew: true }
  }
  const user = present.username === undefined ? undefined : state.users.get(present.username)
  return { login: present, user, isNew: false }
}

function liveLogin(request: IncomingMessage, state: State): Login | undefined {
  const found = /(?:^|;\s*)JSESSIONID="?([^;"]+)/.exec(request.headers.cookie ?? '')
  return found?.[1] === undefined ? undefined : state.sessions.touch(found[1])
}

function basicCredentials(request: IncomingMessage): Credentials | undefined {
  const header = request.headers.authorization
  if (header === undefined || !/^basic /i.test(header)) return undefined
  const decoded = Buffer.from(header.slice('basic '.length), 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  // XNAT: a token without a colon is an unhandled exception (XnatBasicAuthenticationFilter.java).
  if (colon < 0) throw new HttpFailure(500, 'Invalid basic authentication token', { voice: 'container' })
  return { username: localUsername(decoded.slice(0, colon)), password: decoded.slice(colon + 1) }
}

const failuresByState = new WeakMap<State, Map<string, number>>()

function failedLogins(state: State): Map<string, number> {
  const known = failuresByState.get(state) ?? new Map<string, number>()
  failuresByState.set(state, known)
  return known
}

function loginFailed(state: State): HttpFailure {
  return new HttpFailure(
    401,
    'Your login attempt failed because the username and password combination you provided was invalid or your user ' +
      `already has the maximum number of user sessions open. After ${state.settings.maxFailedLogins} failed login ` +
      'attempts, your user account will be locked.',
    { voice: 'container' },
  )
}
