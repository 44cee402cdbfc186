// Who may touch a session in the prearchive (PrearcUtils.java getPrearcDir, canModify).
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { isUnassigned } from '../import/destination.ts'
import { canUseData, hasAllData, isAdmin } from '../permissions.ts'
import type { User } from '../records.ts'
import { entryName } from './entries.ts'
import type { EntryName } from './entry.ts'

type Who = Pick<Exchange, 'xnat' | 'user'>

/**
 * The session a path names, whether there is one or not.
 *
 * @throws {HttpFailure} 403 without the right to edit the project; 500 when there is no such project.
 */
export function requireAccess({ xnat, user, params }: Exchange, options: { allowUnassigned: boolean }): EntryName {
  const project = params['PROJECT_ID'] ?? ''
  const name = entryName(project, params['SESSION_TIMESTAMP'] ?? '', params['SESSION_LABEL'] ?? '')
  refuseOthers({ xnat, user }, name, options)
  return name
}

export function refuseOthers({ xnat, user }: Who, { projectId }: EntryName, options: { allowUnassigned: boolean }) {
  if (projectId === undefined) {
    if (!options.allowUnassigned && !seesUnassigned(user)) throw new HttpFailure(403, 'Unassigned')
    return
  }
  const project = xnat.state.projects.get(projectId)
  // XNAT: an IOException like any other (PrearcUtils.java getPrearcDir).
  if (project === undefined) throw new HttpFailure(500, `No project named ${projectId}`)
  if (!canUseData(user, 'edit', project)) {
    throw new HttpFailure(
      403,
      `User ${user?.username ?? 'guest'} does not have permission to edit project ${projectId}`,
    )
  }
}

export function mayModify({ xnat, user }: Who, projectId: string | undefined): boolean {
  if (isAdmin(user)) return true
  const project = projectId === undefined || isUnassigned(projectId) ? undefined : xnat.state.projects.get(projectId)
  return project !== undefined && canUseData(user, 'edit', project)
}

export function seesUnassigned(user: User | undefined): boolean {
  return isAdmin(user) || hasAllData(user, 'read')
}
