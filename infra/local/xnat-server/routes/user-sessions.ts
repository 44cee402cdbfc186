// Who is logged in, and ending their sessions (UsersApi.java, UserSessionId.java, SessionCountRestlet.java).
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { isAdmin } from '../permissions.ts'
import { emptyTextReply, jsonReply, type Reply, textReply } from '../reply.ts'
import { archiveRoutes, type Route } from '../router.ts'
import { requireSelfOrAdmin, requireUserNamed } from '../user-lookup.ts'
import { bareReply, requestFailure, requireAdmin, xapiJson, xapiRoute } from '../xapi.ts'

export const userSessionXapiRoutes = [
  xapiRoute('/users/active', { GET: listActive }),
  xapiRoute('/users/active/{USERNAME}', { GET: listSessions, DELETE: endSessions }),
]

export const userSessionRoutes: Route[] = [
  ...archiveRoutes('/user/{USER_ID}/sessions', { GET: countSessions, DELETE: endAllSessions }),
  { template: '/services/sessions', methods: { GET: countOwn } },
  { template: '/services/sessions/{USERNAME}', methods: { GET: countOf } },
]

function listActive(exchange: Exchange): Reply {
  requireAdmin(exchange)
  const { sessions, users } = exchange.xnat.state
  const active = users.all().flatMap(({ username }) => {
    const ids = sessions.registered(username).map(({ id }) => id)
    return ids.length === 0 ? [] : [[username, { sessions: ids, count: ids.length }]]
  })
  return xapiJson(Object.fromEntries(active))
}

function listSessions(exchange: Exchange): Reply {
  const { username } = requireSelfOrAdmin(exchange)
  const ids = exchange.xnat.state.sessions.registered(username).map(({ id }) => id)
  return ids.length === 0 ? bareReply(304) : xapiJson(ids)
}

// XNAT: the caller's own session is ended too, but left out of the answer (UsersApi.java).
function endSessions(exchange: Exchange): Reply {
  requireSelfOrAdmin(exchange)
  const { username } = requireUserNamed(exchange)
  const { sessions } = exchange.xnat.state
  if (!sessions.isInRegistry(username)) throw requestFailure(404, 'Invalid username and/or password')
  const ended = sessions.registered(username).map(({ id }) => id)
  if (ended.length === 0) return bareReply(304)
  for (const id of ended) sessions.expire(id)
  return xapiJson(ended.filter((id) => id !== exchange.login.id))
}

function countSessions(exchange: Exchange): Reply {
  const username = requireOwnOrAdmin(exchange)
  return jsonReply({ [username]: exchange.xnat.state.sessions.registered(username).length })
}

function endAllSessions(exchange: Exchange): Reply {
  const username = requireOwnOrAdmin(exchange)
  const { sessions } = exchange.xnat.state
  if (!sessions.isInRegistry(username)) throw new HttpFailure(404)
  for (const { id } of sessions.registered(username)) sessions.expire(id)
  return emptyTextReply()
}

function countOwn({ user, xnat }: Exchange): Reply {
  return textReply(String(user === undefined ? 0 : xnat.state.sessions.registered(user.username).length))
}

function countOf(exchange: Exchange): Reply {
  const { user, params, xnat } = exchange
  const username = params['USERNAME'] ?? ''
  if (user?.username !== username && !isAdmin(user)) {
    throw new HttpFailure(403, 'Only site admins can request the session count for another user.')
  }
  if (xnat.state.users.get(username) === undefined) {
    throw new HttpFailure(400, `The user identified by ${username} can not be found in the system.`)
  }
  return textReply(String(xnat.state.sessions.registered(username).length))
}

function requireOwnOrAdmin({ user, params }: Exchange): string {
  const username = params['USER_ID'] ?? ''
  if (user?.username !== username && !isAdmin(user)) {
    throw new HttpFailure(403, 'Only administrators can get the session list for users other than themselves.')
  }
  return username
}
