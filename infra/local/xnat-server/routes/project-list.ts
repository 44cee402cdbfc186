// The list of projects, and the other list it becomes in filter mode (ProjectListResource.java).
import type { Exchange } from '../exchange.ts'
import { projectFields } from '../fields.ts'
import { HttpFailure } from '../http-failure.ts'
import { type ListedRecord, listingReply } from '../listing.ts'
import { canEditProject, canReadProject, canUseData, groupIn } from '../permissions.ts'
import type { Project } from '../records.ts'
import type { Reply } from '../reply.ts'
import { refuseActions } from '../uncovered-options.ts'

const defaultColumns = ['ID', 'secondary_ID', 'name', 'description', 'pi_firstname', 'pi_lastname']
// XNAT: any of these switches the list to another one with display-search columns (ProjectListResource.java).
const filterModeKeys = ['accessible', 'data', 'prearc_code', 'owner', 'member', 'collaborator']
const uncoveredFilters = ['admin', 'activeSince', 'recent', 'favorite', 'users', 'permissions', 'creatableTypes']

export function listProjects(exchange: Exchange): Reply {
  const { query, xnat, user } = exchange
  refuseActions(exchange, uncoveredFilters)
  const readable = xnat.state.projects.all().filter((project) => canReadProject(user, project))
  const mode = filterModeKeys.find((key) => query.has(key))
  if (mode !== undefined) return filteredProjects(exchange, readable)
  const restrict = query.get('restrict')
  const listed =
    restrict === 'edit' || restrict === 'delete'
      ? readable.filter((project) => canEditProject(user, project))
      : readable
  return listingReply(exchange, listed.map(listedProject), { defaultColumns, keys: ['ID'], title: 'Projects' })
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
    if (query.has('accessible') && !hasAccess(exchange, project)) return false
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

// XNAT: true is what one belongs to and what is not private, false what one sees without belonging to it.
function hasAccess({ query, user }: Exchange, project: Project): boolean {
  const isMember = groupIn(user, project.projectId) !== undefined
  if (query.isFalse('accessible')) return !isMember
  return isMember || project.accessibility !== 'private' || (user?.groups.includes('ALL_DATA_ADMIN') ?? false)
}

function roleName(group: string | undefined): string | undefined {
  return group === undefined ? undefined : `${group.charAt(0).toUpperCase()}${group.slice(1)}s`
}
