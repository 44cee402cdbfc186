// Roles of accounts (UsersApi.java, XDATUser.java addRole, deleteRole).
import * as z from 'zod'
import type { Exchange, Xnat } from '../exchange.ts'
import type { User } from '../records.ts'
import type { Reply } from '../reply.ts'
import { save } from '../user-changes.ts'
import { requireSelfOrAdmin, requireUserNamed } from '../user-lookup.ts'
import { bareReply, readJson, requireAdmin, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'

export const userRoleXapiRoutes = [
  xapiRoute('/users/roles', { GET: listRoles }),
  xapiRoute('/users/roles/{ROLE}', { GET: listUsersOfRole }),
  xapiRoute('/users/rolemap', { GET: showRoleMap }),
  xapiRoute('/users/{USERNAME}/roles', { GET: listRolesOfUser, PUT: addRoles, DELETE: removeRoles }),
  xapiRoute('/users/{USERNAME}/roles/{ROLE}', { PUT: addRole, DELETE: removeRole }),
]

const Roles = z.array(z.string())
const administrator = 'Administrator'

// XNAT: roles are those defined by properties of the core and its plug-ins, and any other that somebody has.
const definedRoles = [administrator, 'non_expiring', 'CustomFormManager', 'Dqr', 'ContainerManager']

function listRoles(exchange: Exchange): Reply {
  requireAdmin(exchange)
  return xapiJson(knownRoles(exchange.xnat))
}

function listUsersOfRole(exchange: Exchange): Reply {
  requireAdmin(exchange)
  return xapiJson(usersOf(exchange.xnat, exchange.params['ROLE'] ?? ''))
}

function showRoleMap(exchange: Exchange): Reply {
  requireAdmin(exchange)
  return xapiJson(Object.fromEntries(knownRoles(exchange.xnat).map((role) => [role, usersOf(exchange.xnat, role)])))
}

function listRolesOfUser(exchange: Exchange): Reply {
  requireSelfOrAdmin(exchange)
  return xapiJson(requireUserNamed(exchange).roles)
}

async function addRoles(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const roles = await readJson(exchange, Roles)
  grant(exchange.xnat, requireUserNamed(exchange), roles)
  return xapiJson([])
}

/** 202 with those that failed: the last administrator stays one. */
async function removeRoles(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const roles = await readJson(exchange, Roles)
  const user = requireUserNamed(exchange)
  const failed = roles.filter((role) => role === administrator && isLastAdmin(exchange.xnat, user))
  revoke(
    exchange.xnat,
    user,
    roles.filter((role) => !failed.includes(role)),
  )
  return xapiJson(failed, failed.length === 0 ? 200 : 202)
}

function addRole(exchange: Exchange): Reply {
  requireAdmin(exchange)
  grant(exchange.xnat, requireUserNamed(exchange), [exchange.params['ROLE'] ?? ''])
  return bareReply(200)
}

function removeRole(exchange: Exchange): Reply {
  requireAdmin(exchange)
  const role = exchange.params['ROLE'] ?? ''
  const user = requireUserNamed(exchange)
  if (role === administrator && isLastAdmin(exchange.xnat, user)) {
    throw xapiFailure(
      409,
      `Can't remove the administrator role from user ${user.username}: there are no other enabled verified users as administrators!`,
    )
  }
  revoke(exchange.xnat, user, [role])
  return bareReply(200)
}

function grant(xnat: Xnat, user: User, roles: readonly string[]): void {
  save(xnat, { ...user, roles: [...new Set([...user.roles, ...roles.filter((role) => role.trim() !== '')])] })
}

function revoke(xnat: Xnat, user: User, roles: readonly string[]): void {
  save(xnat, { ...user, roles: user.roles.filter((role) => !roles.includes(role)) })
}

function isLastAdmin({ state }: Xnat, user: User): boolean {
  return !state.users.all().some((other) => {
    const isAble = other.enabled && other.verified
    return other.username !== user.username && isAble && other.roles.includes(administrator)
  })
}

function knownRoles({ state }: Xnat): string[] {
  return [...new Set([...definedRoles, ...state.users.all().flatMap(({ roles }) => roles)])]
}

function usersOf({ state }: Xnat, role: string): string[] {
  return state.users.all().flatMap(({ username, roles }) => (roles.includes(role) ? [username] : []))
}
