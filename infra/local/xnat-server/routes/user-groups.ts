// Membership of groups (UsersApi.java, UserGroupManager.java, UserGroupXapiAuthorization.java).
import * as z from 'zod'
import type { Exchange, Xnat } from '../exchange.ts'
import { groupIn, isAdmin } from '../permissions.ts'
import type { User } from '../records.ts'
import type { Reply } from '../reply.ts'
import { save } from '../user-changes.ts'
import { requireSelfOrAdmin, requireUserNamed } from '../user-lookup.ts'
import {
  bareReply,
  forbidden,
  readJson,
  requestFailure,
  requireUser,
  xapiFailure,
  xapiJson,
  xapiRoute,
} from '../xapi.ts'

export const userGroupXapiRoutes = [
  xapiRoute('/users/{USERNAME}/groups', { GET: listGroups, PUT: addGroups, DELETE: removeGroups }),
  xapiRoute('/users/{USERNAME}/groups/{GROUP}', { PUT: addGroup, DELETE: removeGroup }),
]

const Groups = z.array(z.string())

function listGroups(exchange: Exchange): Reply {
  requireSelfOrAdmin(exchange)
  return xapiJson(requireUserNamed(exchange).groups)
}

/** 202 with those that failed, if any did. */
async function addGroups(exchange: Exchange): Promise<Reply> {
  const groups = await readJson(exchange, Groups)
  requireMayAdd(exchange, groups)
  requireUserNamed(exchange)
  const failed = groups.filter((group) => !join(exchange.xnat, requireUserNamed(exchange), group))
  return xapiJson(failed, failed.length === 0 ? 200 : 202)
}

async function removeGroups(exchange: Exchange): Promise<Reply> {
  requireSelfOrAdmin(exchange)
  const groups = await readJson(exchange, Groups)
  leave(exchange.xnat, requireUserNamed(exchange), groups)
  return xapiJson([])
}

function addGroup(exchange: Exchange): Reply {
  const { GROUP = '', USERNAME = '' } = exchange.params
  requireMayAdd(exchange, [GROUP])
  if (USERNAME === 'guest') throw xapiFailure(400, "You can't add the guest user to groups\n")
  if (!join(exchange.xnat, requireUserNamed(exchange), GROUP)) {
    throw requestFailure(500, `Error occurred adding user ${USERNAME} to group ${GROUP}`)
  }
  return bareReply(200)
}

function removeGroup(exchange: Exchange): Reply {
  requireSelfOrAdmin(exchange)
  leave(exchange.xnat, requireUserNamed(exchange), [exchange.params['GROUP'] ?? ''])
  return bareReply(200)
}

/** A project's owner may add others to its groups; everything else is the administrators'. */
function requireMayAdd(exchange: Exchange, groups: readonly string[]): void {
  const user = requireUser(exchange)
  if (isAdmin(user)) return
  const isOwned = groups.every((group) => {
    const parts = projectGroup(group)
    return parts !== undefined && groupIn(user, parts.projectId) === 'owner'
  })
  if (!isOwned) throw forbidden()
}

/** False for a group that does not exist. XNAT: one group per project, so another of the same project is left. */
function join(xnat: Xnat, user: User, group: string): boolean {
  const isSiteGroup = group === 'ALL_DATA_ADMIN' || group === 'ALL_DATA_ACCESS'
  const parts = projectGroup(group)
  if (!isSiteGroup && (parts === undefined || xnat.state.projects.get(parts.projectId) === undefined)) return false
  const others = user.groups.filter((each) => {
    const other = projectGroup(each)
    return each !== group && (parts === undefined || other?.projectId !== parts.projectId)
  })
  save(xnat, { ...user, groups: [...others, group] })
  return true
}

function leave(xnat: Xnat, user: User, groups: readonly string[]): void {
  save(xnat, { ...user, groups: user.groups.filter((group) => !groups.includes(group)) })
}

function projectGroup(group: string): { projectId: string } | undefined {
  const projectId = /^(.+)_(?:owner|member|collaborator)$/.exec(group)?.[1]
  return projectId === undefined ? undefined : { projectId }
}
