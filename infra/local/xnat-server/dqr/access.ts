// Who may use DQR (D:security/DqrUserXapiAuthorization.java).
import type { Exchange } from '../exchange.ts'
import { canUseData, isAdmin } from '../permissions.ts'
import type { User } from '../records.ts'
import { forbidden, requireUser } from '../xapi.ts'
import { dqrSettings } from './preferences.ts'

export function hasAllDataAccess(user: User): boolean {
  return isAdmin(user) || user.groups.includes('ALL_DATA_ADMIN') || user.groups.includes('ALL_DATA_ACCESS')
}

export function requireDataAccess(exchange: Exchange): User {
  const user = requireUser(exchange)
  if (!hasAllDataAccess(user)) throw forbidden()
  return user
}

export function requireDataAdmin(exchange: Exchange): User {
  const user = requireUser(exchange)
  if (!isAdmin(user) && !user.groups.includes('ALL_DATA_ADMIN')) throw forbidden()
  return user
}

/** `refusal`: what a 403 holds where the handler returns a primitive. */
export function requireDqrUser(exchange: Exchange, options: { projectId?: string; refusal?: string } = {}): User {
  const user = requireUser(exchange)
  if (hasAllDataAccess(user)) return user
  if (!dqrSettings(exchange.xnat).allUsers && !user.roles.includes('Dqr')) throw forbidden(options.refusal)
  const { projectId } = options
  if (projectId !== undefined && !mayEdit(exchange, user, projectId)) throw forbidden(options.refusal)
  return user
}

export function mayEdit({ xnat }: Exchange, user: User, projectId: string): boolean {
  const project = xnat.state.projects.get(projectId)
  return project !== undefined && canUseData(user, 'edit', project)
}
