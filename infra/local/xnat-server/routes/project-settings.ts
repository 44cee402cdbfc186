// Settings of a project that are addressed by path (ProjectResource.java, ProjectAccessibilityResource.java).
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { findProject } from '../lookup.ts'
import { requireAcceptable } from '../media-types.ts'
import { canEditProject } from '../permissions.ts'
import type { Project } from '../records.ts'
import { emptyTextReply, type Reply, textReply } from '../reply.ts'
import { archiveRoutes } from '../router.ts'

export const accessibilityRoutes = [
  ...archiveRoutes('/projects/{PROJECT_ID}/accessibility', { GET: showAccessibility, PUT: putAccessibility }),
  ...archiveRoutes('/projects/{PROJECT_ID}/accessibility/{ACCESS_LEVEL}', {
    GET: showAccessibility,
    PUT: putAccessibility,
  }),
]

/** @throws {HttpFailure} 400 for any other path below a project. */
export function settingText(project: Project, path: string): string {
  if (path === 'prearchive_code') return String(project.prearchiveCode)
  if (path === 'quarantine_code') return String(project.quarantineCode)
  if (path === 'current_arc') return project.currentArc
  throw new HttpFailure(400)
}

export function changeSetting(exchange: Exchange, project: Project | undefined, path: string): Reply {
  const [setting = '', value = '', ...more] = path.split('/')
  if (project === undefined || more.length > 0) throw new HttpFailure(400)
  const change = settingChange(exchange, setting, value)
  if (!canEditProject(exchange.user, project))
    throw new HttpFailure(403, "User account doesn't have permission to edit this project.")
  exchange.xnat.state.projects.put({ ...project, ...change })
  return emptyTextReply()
}

function settingChange({ xnat }: Exchange, setting: string, value: string): Partial<Project> {
  switch (setting) {
    case 'prearchive_code': {
      const prearchiveCode = codeOf(value)
      if (prearchiveCode !== 0 && !xnat.state.settings.projectAllowAutoArchive) throw new HttpFailure(403)
      return { prearchiveCode }
    }
    case 'quarantine_code':
      return { quarantineCode: codeOf(value) }
    case 'current_arc':
      return { currentArc: value }
    case 'scan_type_mapping':
      return {}
    default:
      throw new HttpFailure(400)
  }
}

function codeOf(value: string): number {
  if (value === 'true') return 1
  if (value === 'false') return 0
  if (!/^-?\d+$/.test(value)) throw new HttpFailure(400, `The submitted code ${value} is invalid: must be an integer.`)
  return Number(value)
}

function showAccessibility(exchange: Exchange): Reply {
  requireAcceptable(exchange, ['text/plain'])
  const project = findProject(exchange, exchange.params['PROJECT_ID'] ?? '')
  if (project === undefined) throw new HttpFailure(404)
  return textReply(project.accessibility)
}

function putAccessibility(exchange: Exchange): Reply {
  const { params, user, xnat } = exchange
  const project = findProject(exchange, params['PROJECT_ID'] ?? '')
  if (project === undefined) throw new HttpFailure(404)
  if (!canEditProject(user, project)) throw new HttpFailure(403)
  if (params['ACCESS_LEVEL'] === undefined) throw new HttpFailure(400)
  const accessibility = checkedAccessibility(exchange)
  xnat.state.projects.put({ ...project, accessibility })
  return textReply(accessibility)
}

/** @throws {HttpFailure} 403 when the site allows private projects only. */
export function checkedAccessibility({ query, xnat, params }: Exchange): Project['accessibility'] {
  const level = params['ACCESS_LEVEL'] ?? query.get('accessibility')
  if (!xnat.state.settings.securityAllowNonPrivateProjects && level !== 'private') throw new HttpFailure(403)
  return level === 'public' || level === 'protected' ? level : 'private'
}
