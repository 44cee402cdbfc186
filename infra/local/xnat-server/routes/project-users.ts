// Who belongs to a project, and as what (ProjectUserListResource.java, ProjectMemberResource.java).
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { findProject } from '../lookup.ts'
import { canEditProject } from '../permissions.ts'
import type { Project, User } from '../records.ts'
import type { Reply } from '../reply.ts'
import { type Row, tableReply } from '../result-set.ts'
import { archiveRoutes } from '../router.ts'

export const projectUserRoutes = [
  ...archiveRoutes('/projects/{PROJECT_ID}/users', { GET: listUsers }),
  ...archiveRoutes('/projects/{PROJECT_ID}/users/{GROUP_ID}/{USER_ID}', {
    GET: listUsers,
    PUT: addMember,
    DELETE: removeMember,
  }),
]

const groups = [
  { suffix: 'owner', displayName: 'Owners' },
  { suffix: 'member', displayName: 'Members' },
  { suffix: 'collaborator', displayName: 'Collaborators' },
] as const

function listUsers(exchange: Exchange): Reply {
  const project = requireProject(exchange)
  if (!canEditProject(exchange.user, project)) throw new HttpFailure(403)
  return usersTable(exchange, project)
}

function addMember(exchange: Exchange): Reply {
  const { project, groupId, members } = requireMembership(exchange)
  if (!canEditProject(exchange.user, project)) return { ...usersTable(exchange, project), status: 403 }
  if (exchange.params['USER_ID'] === 'guest') return { ...usersTable(exchange, project), status: 412 }
  for (const member of members) {
    // XNAT: one group per project; a second PUT moves the user (UserGroupManager.java).
    exchange.xnat.state.users.put({ ...member, groups: [...withoutProject(member, project), groupId] })
  }
  return usersTable(exchange, project)
}

function removeMember(exchange: Exchange): Reply {
  const { project, groupId, members } = requireMembership(exchange)
  if (!canEditProject(exchange.user, project)) return { ...usersTable(exchange, project), status: 403 }
  for (const member of members) {
    exchange.xnat.state.users.put({ ...member, groups: member.groups.filter((group) => group !== groupId) })
  }
  return usersTable(exchange, project)
}

interface Membership {
  project: Project
  groupId: string
  /** Empty for an unknown name: XNAT then sends an invitation and answers as if nothing were wrong. */
  members: User[]
}

function requireMembership(exchange: Exchange): Membership {
  const { GROUP_ID = '', USER_ID = '' } = exchange.params
  const project = requireProject(exchange)
  const asked = decodeURIComponent(GROUP_ID)
  const group = groups.find(
    ({ suffix, displayName }) =>
      asked === `${project.projectId}_${suffix}` || asked === suffix || asked === displayName,
  )
  if (group === undefined) throw new HttpFailure(404)
  const names = decodeURIComponent(USER_ID).split(/\s+,\s+/)
  const members = exchange.xnat.state.users
    .all()
    .filter(
      ({ username, email, id }) => names.includes(username) || names.includes(email) || names.includes(String(id)),
    )
  return { project, groupId: `${project.projectId}_${group.suffix}`, members }
}

function requireProject(exchange: Exchange): Project {
  const project = findProject(exchange, exchange.params['PROJECT_ID'] ?? '')
  if (project === undefined) throw new HttpFailure(404)
  return project
}

function withoutProject(user: User, project: Project): string[] {
  return user.groups.filter((group) => !groups.some(({ suffix }) => group === `${project.projectId}_${suffix}`))
}

function usersTable(exchange: Exchange, project: Project): Reply {
  const rows = groups.flatMap(({ suffix, displayName }) =>
    exchange.xnat.state.users
      .all()
      .filter((user) => user.enabled && user.groups.includes(`${project.projectId}_${suffix}`))
      .map(
        (user): Row => ({
          GROUP_ID: `${project.projectId}_${suffix}`,
          displayname: displayName,
          login: user.username,
          firstname: user.firstName,
          lastname: user.lastName,
          email: user.email,
        }),
      ),
  )
  return tableReply(exchange, rows, {
    columns: ['GROUP_ID', 'displayname', 'login', 'firstname', 'lastname', 'email'],
    title: 'Projects',
  })
}
