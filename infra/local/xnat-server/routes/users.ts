// Accounts (UsersApi.java). Groups, roles and sessions of an account have files of their own.
import * as z from 'zod'
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { canUseData, isAdmin } from '../permissions.ts'
import type { User } from '../records.ts'
import { type Reply, textReply } from '../reply.ts'
import { type Row, tableReply } from '../result-set.ts'
import type { Route } from '../router.ts'
import { changeUser, createUser, setFlag, UserModel } from '../user-changes.ts'
import { userJson } from '../user-json.ts'
import { isValidUsername, requireSelfOrAdmin, requireUserNamed } from '../user-lookup.ts'
import {
  bareReply,
  forbidden,
  readJson,
  requestFailure,
  requireAdmin,
  requireUser,
  xapiFailure,
  xapiJson,
  xapiRoute,
} from '../xapi.ts'

export const userXapiRoutes = [
  xapiRoute('/users', { GET: listUsernames, POST: postUser }),
  xapiRoute('/users/profiles', { GET: listProfiles }),
  xapiRoute('/users/current', { GET: listCurrent }),
  xapiRoute('/users/profile', { GET: (exchange) => showProfile(exchange, requireUser(exchange).username) }),
  xapiRoute('/users/profile/{USERNAME}', {
    GET: (exchange) => showProfile(exchange, exchange.params['USERNAME'] ?? ''),
  }),
  xapiRoute('/users/username', { GET: (exchange) => textReply(requireUser(exchange).username) }),
  xapiRoute('/users/update', { PUT: updateSelf }),
  xapiRoute('/users/projects', { GET: listEditableProjects }),
  xapiRoute('/users/authProviders', {
    GET: () => xapiJson([{ id: 'localdb', name: 'Database', authMethod: 'localdb' }]),
  }),
  xapiRoute('/users/authDetails/{USERNAME}', { GET: showAuthDetails }),
]

/** Apart from the rest, because here any other word is a username. */
export const namedUserXapiRoutes = [
  xapiRoute('/users/{USERNAME}', { GET: showUser, PUT: putUser }),
  xapiRoute('/users/{USERNAME}/(?<FLAG>enabled|verified)', { GET: showFlag }),
  xapiRoute('/users/{USERNAME}/(?<FLAG>enabled|verified)/{VALUE}', { PUT: putFlag }),
]

export const userRoutes: Route[] = [{ template: '/users', methods: { GET: listEnabled } }]

function listUsernames(exchange: Exchange): Reply {
  requireUserListAccess(exchange)
  return xapiJson(exchange.xnat.state.users.all().map(({ username }) => username))
}

function listProfiles(exchange: Exchange): Reply {
  requireUserListAccess(exchange)
  return profiles(exchange.xnat.state.users.all())
}

const yearMs = 365 * 24 * 60 * 60_000

// XNAT: enabled, or here within the last year (securityMaxLoginInterval, securityLastModifiedInterval).
function listCurrent(exchange: Exchange): Reply {
  requireUserListAccess(exchange)
  const since = exchange.xnat.now().getTime() - yearMs
  const isCurrent = (user: User) => user.enabled || (user.lastLoginAtMs ?? user.lastModifiedAtMs ?? 0) > since
  return profiles(exchange.xnat.state.users.all().filter(isCurrent))
}

function profiles(users: readonly User[]): Reply {
  return xapiJson(users.toSorted((one, other) => one.id - other.id).map((user) => userJson(user, { withLogin: true })))
}

function showProfile(exchange: Exchange, username: string): Reply {
  if (exchange.user?.username !== username) requireUserListAccess(exchange)
  if (!isValidUsername(username)) throw xapiFailure(400, 'Invalid username\n')
  const user = exchange.xnat.state.users.get(username)
  if (user === undefined) {
    throw xapiFailure(
      404,
      `Unable to find requested file or resource: No resource of type xdat:user with the ID or name ${username} exists.`,
    )
  }
  return xapiJson(userJson(user, { withLogin: true }))
}

function showUser(exchange: Exchange): Reply {
  const { username } = requireSelfOrAdmin(exchange)
  const user = exchange.xnat.state.users.get(username)
  // XNAT: here alone an unknown user is an InitializationException (UsersApi.java getUser).
  if (user === undefined) throw requestFailure(500, `An error occurred initializing the user ${username}`)
  return xapiJson(userJson(user, { withLogin: false }))
}

async function postUser(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const user = createUser(exchange.xnat, await readJson(exchange, UserModel))
  return xapiJson(userJson(user, { withLogin: false }), 201)
}

async function putUser(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const model = await readJson(exchange, UserModel)
  return changedReply(changeUser(exchange.xnat, requireUserNamed(exchange), model, { byAdmin: true }))
}

async function updateSelf(exchange: Exchange): Promise<Reply> {
  const user = requireUser(exchange)
  const model = await readJson(exchange, UserModel)
  return changedReply(changeUser(exchange.xnat, user, model, { byAdmin: isAdmin(user) }))
}

function changedReply(changed: User | undefined): Reply {
  return changed === undefined ? bareReply(304) : xapiJson(userJson(changed, { withLogin: false }))
}

function showFlag(exchange: Exchange): Reply {
  requireSelfOrAdmin(exchange, { refusal: 'false' })
  return xapiJson(requireUserNamed(exchange)[flagOf(exchange)])
}

function putFlag(exchange: Exchange): Reply {
  requireAdmin(exchange)
  const value = z.stringbool().safeParse(exchange.params['VALUE'])
  if (!value.success) throw requestFailure(500, `Invalid boolean value [${exchange.params['VALUE']}]`)
  setFlag(exchange.xnat, requireUserNamed(exchange), flagOf(exchange), value.data)
  return bareReply(200)
}

function flagOf({ params }: Exchange): 'enabled' | 'verified' {
  return params['FLAG'] === 'enabled' ? 'enabled' : 'verified'
}

function listEditableProjects({ xnat, user }: Exchange): Reply {
  const editable = xnat.state.projects.all().filter((project) => canUseData(user, 'edit', project))
  return xapiJson(editable.map(({ projectId }) => projectId))
}

function showAuthDetails(exchange: Exchange): Reply {
  const { username } = requireSelfOrAdmin(exchange)
  if (!isValidUsername(username)) throw xapiFailure(400, 'Invalid username\n')
  const { users, failedLogins } = exchange.xnat.state
  const user = users.get(username)
  if (user === undefined) return xapiJson([])
  return xapiJson([
    {
      xdatUsername: username,
      authMethod: 'localdb',
      authMethodId: '',
      authUser: username,
      lastLoginAttempt: user.lastLoginAtMs,
      lastSuccessfulLogin: user.lastLoginAtMs,
      failedLoginAttempts: failedLogins.count(username),
    },
  ])
}

// XNAT: the site's switch closes the list for all but administrators (UserResourceXapiAuthorization.java).
function requireUserListAccess(exchange: Exchange): void {
  const user = requireUser(exchange)
  if (exchange.xnat.state.settings.restrictUserListAccessToAdmins && !isAdmin(user)) throw forbidden()
}

// XNAT: enabled accounts only, by last name (UserListResource.java).
function listEnabled(exchange: Exchange): Reply {
  const { state } = exchange.xnat
  const isClosed = state.settings.restrictUserListAccessToAdmins && !isAdmin(exchange.user)
  if (exchange.user === undefined || isClosed) {
    throw new HttpFailure(403, 'Access Denied: Only site managers can access site-level user resources.')
  }
  const rows = state.users
    .all()
    .filter(({ enabled }) => enabled)
    .toSorted((one, other) => one.lastName.localeCompare(other.lastName, 'en'))
    .map(
      (user): Row => ({
        xdat_user_id: user.id,
        login: user.username,
        firstname: user.firstName,
        lastname: user.lastName,
        email: user.email,
      }),
    )
  const columns = ['xdat_user_id', 'login', 'firstname', 'lastname', 'email']
  return tableReply(exchange, rows, { columns, title: 'Projects' })
}
