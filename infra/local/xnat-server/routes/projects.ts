// Projects: list, create, show, delete (ProjectListResource.java, ProjectResource.java).
import { deleteProjectData } from '../deletion.ts'
import { type ItemDocument, readDocument } from '../document.ts'
import type { Exchange } from '../exchange.ts'
import { fieldsFromDocument, fieldsFromQuery, projectFields } from '../fields.ts'
import { HttpFailure } from '../http-failure.ts'
import { projectItem } from '../item.ts'
import { itemReply } from '../item-reply.ts'
import { type ListedRecord, listingReply } from '../listing.ts'
import { findProject } from '../lookup.ts'
import { canEditProject, canReadProject, canUseData, groupIn, isAdmin } from '../permissions.ts'
import type { Project } from '../records.ts'
import { emptyTextReply, type Reply, textReply } from '../reply.ts'
import { archiveRoutes } from '../router.ts'
import { changeSetting, checkedAccessibility, settingText } from './project-settings.ts'

export const projectRoutes = [
  ...archiveRoutes('/projects', { GET: listProjects, POST: createFromList }),
  ...archiveRoutes('/projects/{PROJECT_ID}', { GET: showProject, PUT: putProject, DELETE: deleteProject }),
]

const defaultColumns = ['ID', 'secondary_ID', 'name', 'description', 'pi_firstname', 'pi_lastname']
// XNAT: any of these switches the list to another one with display-search columns (ProjectListResource.java).
const filterModeKeys = [
  'accessible',
  'data',
  'prearc_code',
  'owner',
  'member',
  'collaborator',
  'admin',
  'activeSince',
  'recent',
  'favorite',
]

function listProjects(exchange: Exchange): Reply {
  const { query, xnat, user } = exchange
  const readable = xnat.state.projects.all().filter((project) => canReadProject(user, project))
  const mode = filterModeKeys.find((key) => query.has(key))
  if (mode !== undefined) return filteredProjects(exchange, readable)
  const restrict = query.get('restrict')
  const listed =
    restrict === 'edit' || restrict === 'delete'
      ? readable.filter((project) => canEditProject(user, project))
      : readable
  return listingReply(exchange, listed.map(listedProject), { defaultColumns, title: 'Projects' })
}

function listedProject(project: Project): ListedRecord {
  return {
    values: {
      ID: project.projectId,
      secondary_ID: project.secondaryId,
      name: project.name,
      description: project.fields['description'],
      keywords: project.fields['keywords'],
      alias: project.aliases[0],
      pi_firstname: project.fields['PI/firstname'],
      pi_lastname: project.fields['PI/lastname'],
      URI: `/data/projects/${project.projectId}`,
    },
    fields: project.fields,
    fieldSet: projectFields,
  }
}

function filteredProjects(exchange: Exchange, readable: readonly Project[]): Reply {
  const { query, user } = exchange
  const data = query.get('data')
  // XNAT: the intended 400 is caught on its way out (ProjectListResource.java).
  if (data !== undefined && data !== 'readable' && data !== 'writable') throw new HttpFailure(500)
  const keep = (project: Project): boolean => {
    const group = groupIn(user, project.projectId)
    if (query.has('accessible') && query.isTrue('accessible') !== isAccessible(exchange, project)) return false
    if (data !== undefined && !canUseData(user, data === 'readable' ? 'read' : 'edit', project)) return false
    if (query.isTrue('owner') && group !== 'owner') return false
    if (query.isTrue('member') && group !== 'member') return false
    return !(query.isTrue('collaborator') && group !== 'collaborator')
  }
  const withCode = query.isTrue('prearc_code')
  const records = readable.filter(keep).map(
    (project): ListedRecord => ({
      values: {
        id: project.projectId,
        name: project.name,
        description: project.fields['description'],
        secondary_id: project.secondaryId,
        pi: [project.fields['PI/lastname'], project.fields['PI/firstname']].filter(Boolean).join(', '),
        project_access: project.accessibility,
        insert_date: project.inserted.at.slice(0, 19).replace('T', ' '),
        insert_user: project.inserted.by,
        [`user_role_${user?.id ?? 0}`]: roleName(groupIn(user, project.projectId)),
        ...(withCode && { proj_prearchive_code: project.prearchiveCode, proj_quarantine: project.quarantineCode }),
        URI: `/data/projects/${project.projectId}`,
      },
      fields: project.fields,
      fieldSet: projectFields,
    }),
  )
  const columns = [
    'id',
    'name',
    'description',
    'secondary_id',
    'pi',
    'project_access',
    'insert_date',
    'insert_user',
    `user_role_${user?.id ?? 0}`,
  ]
  return listingReply(exchange, records, {
    defaultColumns: withCode ? [...columns, 'proj_quarantine', 'proj_prearchive_code'] : columns,
    fixedColumns: ['URI'],
    title: 'Projects',
    extras: { xdat_user_id: String(user?.id ?? 0) },
  })
}

function isAccessible({ user }: Exchange, project: Project): boolean {
  return (
    groupIn(user, project.projectId) !== undefined ||
    project.accessibility !== 'private' ||
    (user?.groups.includes('ALL_DATA_ADMIN') ?? false)
  )
}

function roleName(group: string | undefined): string | undefined {
  return group === undefined ? undefined : `${group.charAt(0).toUpperCase()}${group.slice(1)}s`
}

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
  create(exchange, project)
  const url = `${xnat.siteUrl()}${exchange.rawPath.replace(/\/$/, '')}/${projectId}`
  const reply = textReply(url)
  return { ...reply, headers: { ...reply.headers, Location: url } }
}

function showProject(exchange: Exchange): Reply {
  const project = findProject(exchange, exchange.params['PROJECT_ID'] ?? '')
  if (project === undefined) throw new HttpFailure(404, 'Unable to find the specified experiment.')
  const path = subPath(exchange)
  if (path === undefined) return itemReply(exchange, projectItem(project))
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
    create(exchange, project)
    return emptyTextReply()
  }
  if (user === undefined || !canEditProject(user, present)) {
    throw new HttpFailure(403, "User account doesn't have permission to edit this project.")
  }
  const changed = merge(exchange, present, document, { isNew: false })
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

function newProject(exchange: Exchange, projectId: string, document: ItemDocument | undefined): Project {
  const { xnat, user, query } = exchange
  const blank: Project = {
    projectId,
    secondaryId: projectId,
    name: projectId,
    aliases: [],
    // XNAT: protected unless told otherwise (BaseXnatProjectdata.java createProject).
    accessibility: query.has('accessibility') ? checkedAccessibility(exchange) : 'protected',
    prearchiveCode: xnat.state.settings.defaultPrearchiveCode,
    quarantineCode: 0,
    currentArc: 'arc001',
    fields: {},
    inserted: { at: xnat.now().toISOString(), by: user?.username ?? 'guest' },
  }
  return merge(exchange, blank, document, { isNew: true })
}

function merge(
  { query }: Exchange,
  project: Project,
  document: ItemDocument | undefined,
  options: { isNew: boolean },
): Project {
  const fromDocument = document === undefined ? {} : fieldsFromDocument(document.values, projectFields)
  const aliases = document?.children.get('aliases/alias')?.map((alias) => alias.values.get('') ?? '') ?? []
  const alias = query.get('alias')
  return {
    ...project,
    secondaryId: query.get('secondary_ID') ?? document?.values.get('secondary_ID') ?? project.secondaryId,
    name: query.get('name') ?? document?.values.get('name') ?? project.name,
    aliases: [...new Set([...project.aliases, ...aliases, ...(alias === undefined ? [] : [alias])])].filter(
      (name) => name !== '',
    ),
    fields: { ...project.fields, ...fromDocument, ...fieldsFromQuery(query, projectFields, options) },
  }
}

function create({ xnat, user }: Exchange, project: Project): void {
  const { state } = xnat
  state.projects.put(project)
  if (user === undefined) return
  const present = state.users.get(user.username) ?? user
  state.users.put({ ...present, groups: [...present.groups, `${project.projectId}_owner`] })
}

function refuseCollision(exchange: Exchange, project: Project): void {
  const found = collision(exchange, project)
  if (found === undefined) return
  throw new HttpFailure(
    409,
    `Requested new project conflicts with existing projects: Invalid ${found.kind}: '${found.name}' is already being used.`,
  )
}

// XNAT: IDs, titles, running titles and aliases share one case-insensitive name space (BaseXnatProjectdata.java).
function collision({ xnat }: Exchange, project: Project): { kind: string; name: string } | undefined {
  const taken = new Set(
    xnat.state.projects
      .all()
      .filter(({ projectId }) => projectId !== project.projectId)
      .flatMap(({ projectId, name, secondaryId, aliases }) => [projectId, name, secondaryId, ...aliases])
      .map((name) => name.toLowerCase()),
  )
  const names = [
    { kind: 'Project Id', name: project.projectId },
    { kind: 'Project Title', name: project.name },
    { kind: 'Running Title', name: project.secondaryId },
    ...project.aliases.map((name) => ({ kind: 'Alias', name })),
  ]
  return names.find(({ name }) => taken.has(name.toLowerCase()))
}
