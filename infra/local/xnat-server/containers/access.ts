// Who may manage containers (C:utils/ContainerServicePermissionUtils.java, 3.7 and later).
import type { Exchange } from '../exchange.ts'
import { canUseData, isAdmin, type Right } from '../permissions.ts'
import type { User } from '../records.ts'
import { forbidden, requestFailure, requireUser } from '../xapi.ts'

/** Container Service: being an administrator does not make a manager. */
export function isContainerManager(user: User | undefined): boolean {
  return user?.roles.includes('ContainerManager') ?? false
}

/** As XNAT's authorizers say it: 403, empty. */
export function requireManager(exchange: Exchange): User {
  const user = requireUser(exchange)
  if (!isContainerManager(user)) throw forbidden()
  return user
}

/** As the Container Service's own methods say it: 401, and why. */
export function requireManagerInside(exchange: Exchange): User {
  const user = requireUser(exchange)
  if (!isContainerManager(user)) throw requestFailure(401, `User ${user.username} is not a Container Manager.`)
  return user
}

export function requireProjectRight(exchange: Exchange, right: Right): string {
  const user = requireUser(exchange)
  const projectId = exchange.params['PROJECT_ID'] ?? ''
  const project = exchange.xnat.state.projects.get(projectId)
  const mayDo = isAdmin(user) || (project !== undefined && canUseData(user, right, project))
  if (!isContainerManager(user) && !mayDo) {
    const name = right === 'delete' ? 'Delete' : 'Edit'
    throw requestFailure(401, `User ${user.username} does not have ${name} access.`)
  }
  return projectId
}
