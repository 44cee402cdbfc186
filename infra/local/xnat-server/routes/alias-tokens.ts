// Alias tokens (AliasTokenRestlet.java). Every operation is a GET.
import { type AliasToken, issueToken } from '../alias-tokens.ts'
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { isAdmin } from '../permissions.ts'
import { jsonReply, type Reply } from '../reply.ts'
import type { Route } from '../router.ts'

export const aliasTokenRoutes: Route[] = [
  { template: '/services/tokens/{OPERATION}', methods: { GET: operate } },
  { template: '/services/tokens/{OPERATION}/user/{USERNAME}', methods: { GET: operate } },
  { template: '/services/tokens/{OPERATION}/{TOKEN}', methods: { GET: operate } },
  { template: '/services/tokens/{OPERATION}/{TOKEN}/{SECRET}', methods: { GET: operate } },
]

function operate(exchange: Exchange): Reply {
  const { params, xnat } = exchange
  const token = params['TOKEN'] === undefined ? undefined : requireToken(exchange, params['TOKEN'])
  const username = requireOwn(exchange, token)
  switch (params['OPERATION']) {
    case 'issue':
      if (xnat.state.users.get(username) === undefined) {
        throw new HttpFailure(400, `An error occurred retrieving the user: ${username}`)
      }
      return jsonReply(tokenJson(issueToken(xnat, username)))
    case 'show':
      return jsonReply(
        xnat.state.aliasTokens
          .all()
          .filter((each) => each.username === username)
          .map(tokenJson),
      )
    case 'validate':
      if (token === undefined || params['SECRET'] === undefined) {
        throw new HttpFailure(401, 'You must specify both token and secret to validate a token.')
      }
      // XNAT: a wrong secret is a null, and nulls are not written.
      return jsonReply(token.secret === params['SECRET'] ? { valid: token.username } : {})
    case 'invalidate':
      if (token !== undefined) xnat.state.aliasTokens.delete(token.alias)
      return { ...jsonReply({}), body: '{"result": "OK"}' }
    default:
      throw new HttpFailure(400, `Unknown operation: ${params['OPERATION']}`)
  }
}

/** By alias, or by number. */
function requireToken({ xnat }: Exchange, name: string): AliasToken {
  const { aliasTokens } = xnat.state
  const found = aliasTokens.get(name) ?? aliasTokens.find(({ tokenId }) => String(tokenId) === name)
  if (found !== undefined) return found
  const kind = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name) ? 'alias' : 'ID'
  throw new HttpFailure(404, `Can't find an alias token with the ${kind} ${name}`)
}

/** Whose tokens are meant. */
function requireOwn({ user, params }: Exchange, token: AliasToken | undefined): string {
  const username = params['USERNAME'] ?? user?.username ?? 'guest'
  if (username.toLowerCase() === 'guest') throw new HttpFailure(403, "The guest user can't request alias tokens")
  const isOwn = username === user?.username && (token === undefined || token.username === user.username)
  if (!isOwn && !isAdmin(user)) {
    throw new HttpFailure(403, 'Non-admin users can only request operations on alias tokens for their own account')
  }
  return username
}

function tokenJson(token: AliasToken) {
  return {
    id: token.tokenId,
    enabled: true,
    created: token.issuedAtMs,
    timestamp: token.issuedAtMs,
    disabled: 0,
    alias: token.alias,
    secret: token.secret,
    estimatedExpirationTime: token.expectedEndMs,
    singleUse: false,
    xdatUserId: token.username,
  }
}
