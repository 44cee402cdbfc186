import type { Exchange } from './exchange.ts'
import { isAdmin } from './permissions.ts'
import type { User } from './records.ts'
import { forbidden, requestFailure, requireUser } from './xapi.ts'

// XNAT: Patterns.java EXPR_USERNAME.
export function isValidUsername(username: string): boolean {
  return /^[a-zA-Z][A-Za-z0-9-_'.]{0,63}$/.test(username)
}

/** The user a path names, in exactly that case. */
export function requireUserNamed({ xnat, params }: Exchange): User {
  const user = xnat.state.users.get(params['USERNAME'] ?? '')
  if (user === undefined) throw requestFailure(404, 'Invalid username and/or password')
  return user
}

/** The name in the path, if it is the caller's own or the caller an administrator (UserXapiAuthorization.java). */
export function requireSelfOrAdmin(exchange: Exchange, options: { refusal?: string } = {}): { username: string } {
  const user = requireUser(exchange)
  const username = exchange.params['USERNAME'] ?? ''
  if (user.username !== username && !isAdmin(user)) throw forbidden(options.refusal)
  return { username }
}
