// Logging in and out (UserSession.java, UserAuth.java, AuthenticationRestlet.java).
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { requireAcceptable } from '../media-types.ts'
import { emptyTextReply, type Reply, textReply } from '../reply.ts'
import type { Route } from '../router.ts'
import { authenticate, localUsername } from '../sign-in.ts'

export const signInRoutes: Route[] = [
  { template: '/JSESSION', methods: { GET: showSession, POST: showSession, DELETE: endSession } },
  { template: '/auth', methods: { GET: showUser } },
  { template: '/services/auth', methods: { GET: noLogInPage, PUT: logIn, POST: logIn } },
]

/** Open to everyone: without credentials this is a guest's session id, and proves nothing. */
function showSession(exchange: Exchange): Reply {
  const { login, query, method } = exchange
  // Restlet: only what GET shows is held against Accept.
  if (method !== 'POST') requireAcceptable(exchange, ['text/plain'])
  return textReply(query.has('CSRF') ? `${login.id}; XNAT_CSRF=${login.csrfToken}` : login.id)
}

function endSession({ login, xnat }: Exchange): Reply {
  xnat.state.sessions.end(login.id)
  return emptyTextReply()
}

function showUser(exchange: Exchange): Reply {
  const { login, query, user } = exchange
  requireAcceptable(exchange, ['text/plain'])
  const sentence = `User '${user?.username ?? 'guest'}' is logged in`
  return textReply(query.has('CSRF') ? `${sentence}; XNAT_CSRF=${login.csrfToken}` : sentence)
}

// XNAT: the service does not represent itself, which ends as 404 and not 405 (AuthenticationRestlet.java).
function noLogInPage(): never {
  throw new HttpFailure(404)
}

async function logIn({ request, xnat, login }: Exchange): Promise<Reply> {
  let body = ''
  for await (const chunk of request) body += chunk
  // XNAT: read as a form whatever its Content-Type says (AuthenticationRestlet.java).
  const form = new URLSearchParams(body)
  const username = form.get('username') ?? form.get('j_username') ?? ''
  const password = form.get('password') ?? form.get('j_password') ?? ''
  const authenticator = form.get('authenticatorId')
  if (authenticator !== null && authenticator !== 'localdb') {
    throw new HttpFailure(
      400,
      `Authentication failed: No authentication provider identified by id ${authenticator} found.`,
    )
  }
  const user = authenticateOr401({ username: localUsername(username), password }, xnat)
  xnat.state.sessions.end(login.id)
  // XNAT: this way in is not entered in the session registry, so it counts against no limit.
  const started = xnat.state.sessions.start(user.username, { isRegistered: false })
  return { ...textReply(started.id), cookies: [`JSESSIONID=${started.id}; Path=/; HttpOnly`] }
}

function authenticateOr401(credentials: { username: string; password: string }, xnat: Exchange['xnat']) {
  try {
    return authenticate(credentials, xnat)
  } catch (error) {
    throw error instanceof HttpFailure ? new HttpFailure(401, 'Authentication failed.', { cause: error }) : error
  }
}
