// Projects: list, create, show, delete (ProjectListResource.java, ProjectResource.java).

import { createdInList } from '../created-reply.ts'
import { deleteProjectData } from '../deletion.ts'
import { readDocument } from '../document.ts'
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { projectItem } from '../item.ts'
import { itemReply, itemTypes } from '../item-reply.ts'
import { findProject } from '../lookup.ts'
import { requireAcceptable } from '../media-types.ts'
import { canEditProject, isAdmin } from '../permissions.ts'
import { collision, createProject, mergeProject, newProject, refuseCollision } from '../project-records.ts'
import { emptyTextReply, type Reply, textReply } from '../reply.ts'
import { archiveRoutes } from '../router.ts'
import { listProjects } from './project-list.ts'
import { changeSetting, checkedAccessibility, settingText } from './project-settings.ts'

export const projectRoutes = [
  ...archiveRoutes('/projects', { GET: listProjects, POST: createFromList }),
  ...archiveRoutes('/projects/{PROJECT_ID}', { GET: showProject, PUT: putProject, DELETE: deleteProject }),
]

async function createFromList(exchange: Exchange): Promise<Reply> {
  const { query, xnat } = exchange
  const document = await readDocument(exchange)
  if (document === undefined && !query.has('xsiType')) throw new HttpFailure(417, 'Need POST Contents')
  if (document !== undefined && document.xsiType !== 'xnat:projectData') return emptyTextReply()
  const projectId = query.get('ID') ?? document?.values.get('ID')
  if (projectId === undefined || projectId === '') throw new HttpFailure(417, 'Requires XNAT ProjectData ID')
  requireValidId(projectId)
  if (xnat.state.projects.get(projectId) !== undefined) throw new HttpFailure(409, 'Project already exists.')
  requireMayCreate(exchange)
  const project = newProject(exchange, projectId, document)
  // XNAT: a collision here is an exception without a text of its own (BaseXnatProjectdata.java createProject).
  if (collision(exchange, project) !== undefined || xnat.state.deletedProjects.get(projectId) !== undefined)
    throw new HttpFailure(500)
  createProject(exchange, project)
  return createdInList(exchange, projectId)
}

function showProject(exchange: Exchange): Reply {
  const project = findProject(exchange, exchange.params['PROJECT_ID'] ?? '')
  if (project === undefined) throw new HttpFailure(404, 'Unable to find the specified experiment.')
  const path = subPath(exchange)
  if (path === undefined) return itemReply(exchange, projectItem(project))
  requireAcceptable(exchange, itemTypes)
  return textReply(settingText(project, path))
}

async function putProject(exchange: Exchange): Promise<Reply> {
  const { params, xnat, user, query } = exchange
  const name = params['PROJECT_ID'] ?? ''
  const present = findProject(exchange, name) ?? xnat.state.projects.get(name)
  const path = subPath(exchange)
  if (path !== undefined) return changeSetting(exchange, present, path)
  const document = await readDocument(exchange)
  if (document !== undefined && document.xsiType !== 'xnat:projectData') throw new HttpFailure(422)
  const documentId = document?.values.get('ID')
  if (documentId !== undefined && documentId !== '' && documentId !== (present?.projectId ?? name)) {
    throw new HttpFailure(417, 'Project ID in the document differs from the one in the path.')
  }
  if (present === undefined) {
    requireValidId(name)
    requireMayCreate(exchange)
    if (xnat.state.deletedProjects.get(name) !== undefined) {
      throw new HttpFailure(403, `Project '${name}' was used in a previously deleted project and cannot be reused.`)
    }
    const project = newProject(exchange, name, document)
    refuseCollision(exchange, project)
    createProject(exchange, project)
    return emptyTextReply()
  }
  if (user === undefined || !canEditProject(user, present)) {
    throw new HttpFailure(403, "User account doesn't have permission to edit this project.")
  }
  const changed = mergeProject(exchange, present, document, { isNew: false })
  refuseCollision(exchange, changed)
  const accessibility = query.has('accessibility') ? checkedAccessibility(exchange) : present.accessibility
  xnat.state.projects.put({ ...changed, accessibility })
  return emptyTextReply()
}

async function deleteProject(exchange: Exchange): Promise<Reply> {
  const { params, user, xnat, query } = exchange
  const project = findProject(exchange, params['PROJECT_ID'] ?? '')
  // XNAT: 400 and not 404 for what cannot be seen (ProjectResource.java handleDelete).
  if (project === undefined) throw new HttpFailure(400)
  if (!canEditProject(user, project))
    throw new HttpFailure(403, "User account doesn't have permission to modify this project.")
  await deleteProjectData(xnat, project, { removeFiles: query.isTrue('removeFiles') })
  return emptyTextReply()
}

function subPath({ rest }: Exchange): string | undefined {
  const path = rest.replace(/^\/|\/$/g, '')
  return path === '' ? undefined : path
}

function requireValidId(projectId: string): void {
  if (!/^[A-Za-z0-9_-]+$/.test(projectId)) throw new HttpFailure(417, 'Invalid character in project ID.')
}

function requireMayCreate({ user, xnat }: Exchange): void {
  const allowed = user !== undefined && (xnat.state.settings.uiAllowNonAdminProjectCreation || isAdmin(user))
  if (!allowed) throw new HttpFailure(403, "User account doesn't have permission to edit this project.")
}
