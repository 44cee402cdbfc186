// Who sends a request: XnatBasicAuthenticationFilter, XnatExpiredPasswordFilter and XnatAuthenticationEntryPoint in one.
import type { IncomingMessage } from 'node:http'
import type { Xnat } from './exchange.ts'
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
export function signIn(request: IncomingMessage, xnat: Pick<Xnat, 'state' | 'now' | 'siteUrl'>): SignedIn {
  const { state } = xnat
  const present = liveLogin(request, state)
  const credentials = basicCredentials(request)
  if (credentials === undefined) return withoutCredentials(present, xnat)
  // XNAT: a live session of the same user, or of the owner of the same token, makes the password irrelevant
  // (XnatBasicAuthenticationFilter.java).
  const claimed = state.aliasTokens.get(credentials.username)?.username ?? credentials.username
  if (present !== undefined && present.username === claimed) return withoutCredentials(present, xnat)
  const user = authenticate(credentials, xnat)
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
export function authenticate(credentials: Credentials, { state, now }: Pick<Xnat, 'state' | 'now'>): User {
  const { failedLogins, aliasTokens, settings } = state
  const token = aliasTokens.get(credentials.username)
  const username = token?.username ?? credentials.username
  const user = state.users.get(username)
  const isLocked = failedLogins.count(username) >= settings.maxFailedLogins
  const isRight = token === undefined ? isPasswordOf(user, credentials.password) : credentials.password === token.secret
  if (user === undefined || isLocked || !user.enabled || !mayBeUnverified(user, state) || !isRight) {
    failedLogins.record(username, now())
    throw loginFailed(state)
  }
  failedLogins.forget(username)
  return state.users.put({ ...user, lastLoginAtMs: now().getTime() })
}

function isPasswordOf(user: User | undefined, password: string): boolean {
  // XNAT: 64 characters are taken for a hash when they are stored, which no password then matches (Users.java).
  return user !== undefined && user.password !== '' && user.password.length !== 64 && user.password === password
}

function mayBeUnverified(user: User, state: State): boolean {
  return user.verified || !state.settings.emailVerification
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

function withoutCredentials(present: Login | undefined, { state, siteUrl }: Pick<Xnat, 'state' | 'siteUrl'>): SignedIn {
  if (present === undefined) {
    return { login: state.sessions.start(undefined, { isRegistered: false }), user: undefined, isNew: true }
  }
  const user = present.username === undefined ? undefined : state.users.get(present.username)
  // XNAT: an account that is disabled under a live session is sent to a page that says so (XnatExpiredPasswordFilter.java).
  if (user?.enabled === false) {
    const headers = { Location: `${siteUrl()}/app/template/InactiveAccount.vm` }
    throw new HttpFailure(302, '', { voice: 'empty', headers })
  }
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

function loginFailed(state: State): HttpFailure {
  return new HttpFailure(
    401,
    'Your login attempt failed because the username and password combination you provided was invalid or your user ' +
      `already has the maximum number of user sessions open. After ${state.settings.maxFailedLogins} failed login ` +
      'attempts, your user account will be locked.',
    { voice: 'container' },
  )
}
