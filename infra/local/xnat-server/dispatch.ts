// From a request to the reply XNAT would give: firewall, sign-in, entry point, CSRF, routing.
import type { IncomingMessage } from 'node:http'
import type { Exchange, Methods, Xnat } from './exchange.ts'
import { homePage } from './home-page.ts'
import { HttpFailure, notCovered } from './http-failure.ts'
import { loginPage } from './login-page.ts'
import { Query } from './query.ts'
import { failureReply, type Reply } from './reply.ts'
import { type Match, Router } from './router.ts'
import { aliasTokenRoutes } from './routes/alias-tokens.ts'
import { archiveCatalogXapiRoutes } from './routes/archive-catalogs.ts'
import { archiveProcessorXapiRoutes } from './routes/archive-processors.ts'
import { archiveServiceRoutes } from './routes/archive-services.ts'
import { assessorRoutes } from './routes/assessors.ts'
import { commandXapiRoutes } from './routes/commands.ts'
import { containerHostXapiRoutes } from './routes/container-host.ts'
import { dicomDumpRoutes } from './routes/dicom-dump.ts'
import { dicomReceiverXapiRoutes } from './routes/dicom-receivers.ts'
import { directArchiveXapiRoutes } from './routes/direct-archive.ts'
import { dqrBatchXapiRoutes } from './routes/dqr-batch.ts'
import { dqrImportXapiRoutes } from './routes/dqr-import.ts'
import { dqrQueryXapiRoutes } from './routes/dqr-query.ts'
import { dqrSettingsXapiRoutes } from './routes/dqr-settings.ts'
import { eventCatalogXapiRoutes } from './routes/event-catalog.ts'
import { eventDeliveryXapiRoutes } from './routes/event-deliveries.ts'
import { eventFilterXapiRoutes, eventSubscriptionXapiRoutes } from './routes/event-subscriptions.ts'
import { experimentRoutes } from './routes/experiments.ts'
import { fileRoutes } from './routes/files.ts'
import { importRoutes } from './routes/import.ts'
import { eventTrackingXapiRoutes, statusRoutes } from './routes/import-status.ts'
import { uncoveredRoutes } from './routes/not-covered.ts'
import { pacsXapiRoutes } from './routes/pacs.ts'
import { pacsAvailabilityXapiRoutes } from './routes/pacs-availability.ts'
import { pluginXapiRoutes } from './routes/plugins.ts'
import { prearchiveRoutes } from './routes/prearchive.ts'
import { prearchiveBatchRoutes } from './routes/prearchive-batches.ts'
import { prearchiveScanRoutes } from './routes/prearchive-scans.ts'
import { prearchiveSessionRoutes } from './routes/prearchive-session.ts'
import { accessibilityRoutes } from './routes/project-settings.ts'
import { projectUserRoutes } from './routes/project-users.ts'
import { projectRoutes } from './routes/projects.ts'
import { refreshRoutes } from './routes/refresh-catalog.ts'
import { resourceRoutes } from './routes/resources.ts'
import { scanRoutes } from './routes/scans.ts'
import { schemaRoutes } from './routes/schemas.ts'
import { searchElementRoutes } from './routes/search-elements.ts'
import { signInRoutes } from './routes/sign-in.ts'
import { siteXapiRoutes } from './routes/site.ts'
import { subjectRoutes } from './routes/subjects.ts'
import { userCacheRoutes } from './routes/user-cache.ts'
import { userGroupXapiRoutes } from './routes/user-groups.ts'
import { userRoleXapiRoutes } from './routes/user-roles.ts'
import { userSessionRoutes, userSessionXapiRoutes } from './routes/user-sessions.ts'
import { namedUserXapiRoutes, userRoutes, userXapiRoutes } from './routes/users.ts'
import { wrapperProjectXapiRoutes, wrapperSwitchXapiRoutes } from './routes/wrapper-switches.ts'
import { cookiesFor, type SignedIn, signIn } from './sign-in.ts'
import type { PluginId } from './switches.ts'
import { isBrowser, isInteractive } from './user-agent.ts'
import type { XapiRoute } from './xapi.ts'

const router = new Router([
  ...uncoveredRoutes,
  ...signInRoutes,
  ...projectRoutes,
  ...accessibilityRoutes,
  ...projectUserRoutes,
  ...refreshRoutes,
  ...subjectRoutes,
  ...experimentRoutes,
  ...scanRoutes,
  ...assessorRoutes,
  ...resourceRoutes,
  ...fileRoutes,
  ...searchElementRoutes,
  ...userRoutes,
  ...userSessionRoutes,
  ...aliasTokenRoutes,
  ...prearchiveRoutes,
  ...prearchiveSessionRoutes,
  ...prearchiveScanRoutes,
  ...prearchiveBatchRoutes,
  ...archiveServiceRoutes,
  ...importRoutes,
  ...statusRoutes,
  ...userCacheRoutes,
  ...dicomDumpRoutes,
])

const pluginXapi: Readonly<Record<PluginId, readonly XapiRoute[]>> = {
  'dicom-query-retrieve': [
    ...pacsXapiRoutes,
    ...pacsAvailabilityXapiRoutes,
    ...dqrSettingsXapiRoutes,
    ...dqrQueryXapiRoutes,
    ...dqrBatchXapiRoutes,
    ...dqrImportXapiRoutes,
  ],
  containers: [
    ...wrapperSwitchXapiRoutes,
    ...wrapperProjectXapiRoutes,
    ...commandXapiRoutes,
    ...containerHostXapiRoutes,
  ],
}

const xapi: readonly XapiRoute[] = [
  ...siteXapiRoutes,
  ...schemaRoutes,
  ...userXapiRoutes,
  ...userRoleXapiRoutes,
  ...userSessionXapiRoutes,
  ...userGroupXapiRoutes,
  ...namedUserXapiRoutes,
  ...directArchiveXapiRoutes,
  ...eventTrackingXapiRoutes,
  ...archiveCatalogXapiRoutes,
  ...dicomReceiverXapiRoutes,
  ...archiveProcessorXapiRoutes,
  ...pluginXapiRoutes,
  ...eventCatalogXapiRoutes,
  ...eventFilterXapiRoutes,
  ...eventSubscriptionXapiRoutes,
  ...eventDeliveryXapiRoutes,
]

interface Received {
  request: IncomingMessage
  method: string
  rawPath: string
  query: Query
  truncateStore: boolean
}

/** The reply to a request, failures included. Throws only for what is a fault of the stand-in itself. */
export async function dispatch(
  request: IncomingMessage,
  xnat: Xnat,
  options: { truncateStore: boolean },
): Promise<Reply> {
  const received = receive(request, options)
  let signedIn: SignedIn | undefined
  try {
    refuseUnsafePath(received.rawPath)
    signedIn = signIn(request, xnat)
    return withCookies(await route(received, signedIn, xnat), signedIn, xnat)
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    return withCookies(failureReply(error), signedIn, xnat)
  }
}

function receive(request: IncomingMessage, options: { truncateStore: boolean }): Received {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  const query = new Query(mark < 0 ? '' : url.slice(mark + 1))
  return { request, method: tunnelled(request, query), rawPath: mark < 0 ? url : url.slice(0, mark), query, ...options }
}

// Restlet: POST ?method=PUT is a PUT (com/noelios/restlet/application/TunnelFilter.java).
function tunnelled(request: IncomingMessage, query: Query): string {
  const asked = query.get('method')?.toUpperCase()
  return request.method === 'POST' && asked !== undefined ? asked : (request.method ?? 'GET')
}

// XNAT: Spring's StrictHttpFirewall refuses these before anything else sees them. Its exception is not handled there,
// which makes it a 500.
function refuseUnsafePath(path: string): void {
  if (/%2f|%25|%5c|%2e|;|\\|\/\/|\/\.\.?(\/|$)/i.test(path)) {
    throw new HttpFailure(500, 'The request was rejected because the URL was not normalized.', { voice: 'container' })
  }
}

async function route(received: Received, signedIn: SignedIn, xnat: Xnat): Promise<Reply> {
  const { method, rawPath } = received
  if (rawPath.startsWith('/app/template/Login.vm')) return loginPage()
  if (rawPath === '/') {
    // XNAT: outside the data paths everybody is sent to the login page (XnatAuthenticationEntryPoint.java).
    if (signedIn.user === undefined && xnat.state.settings.requireLogin) throw redirectToLogin(xnat)
    return homePage(signedIn.user)
  }
  const mount = /^\/(data|REST|xapi)(?=\/|$)/.exec(rawPath)?.[1]
  if (mount === undefined) throw notCovered(method, rawPath)
  const path = rawPath.slice(mount.length + 1)
  return mount === 'xapi' ? routeXapi(received, signedIn, xnat, path) : routeData(received, signedIn, xnat, path)
}

async function routeData(received: Received, signedIn: SignedIn, xnat: Xnat, path: string): Promise<Reply> {
  if (!/^\/(JSESSION|services\/auth)\/?$/.test(path)) requireLogin(received, signedIn, xnat)
  const match = router.match(path)
  if (match === undefined) throw new HttpFailure(404)
  refuseForgery(received, signedIn, xnat)
  refuseEncodedBody(received)
  const reply = await call(match, received, signedIn, xnat)
  refuseRangeOfUnknownLength(received, reply)
  // Restlet: RangeFilter says so on every response, whether the resource has ranges or not.
  return { ...reply, headers: { 'Accept-Ranges': 'bytes', ...reply.headers } }
}

// Restlet: an open or suffix range of a body of unknown length cannot be counted (RangeFilter.java).
function refuseRangeOfUnknownLength({ request }: Received, { status, headers }: Reply): void {
  const isOpen = /^bytes=(-\d+|\d+-)$/.test(request.headers.range ?? '')
  if (isOpen && status === 200 && headers['Content-Length'] === undefined) throw new HttpFailure(500)
}

async function routeXapi(received: Received, signedIn: SignedIn, xnat: Xnat, path: string): Promise<Reply> {
  const { method, rawPath } = received
  for (const routes of [xapi, ...xnat.state.switches.plugins.map((id) => pluginXapi[id])]) {
    for (const { pattern, isOpen, methods } of routes) {
      const found = pattern.exec(path)
      if (found === null) continue
      if (!isOpen) requireLogin(received, signedIn, xnat)
      return call({ methods, params: decoded(found.groups ?? {}), rest: '' }, received, signedIn, xnat)
    }
  }
  requireLogin(received, signedIn, xnat)
  // Spring: nobody answers for the paths of a plug-in that is not there.
  const isKnown = Object.values(pluginXapi).some((routes) => routes.some(({ pattern }) => pattern.test(path)))
  throw isKnown ? new HttpFailure(404, undefined, { voice: 'container' }) : notCovered(method, rawPath)
}

/** Spring decodes path variables, which Restlet does not. */
function decoded(params: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]))
  } catch (error) {
    if (error instanceof URIError) throw new HttpFailure(400, error.message, { voice: 'container' })
    throw error
  }
}

async function call(
  { methods, params, rest }: Match,
  received: Received,
  signedIn: SignedIn,
  xnat: Xnat,
): Promise<Reply> {
  const { request, method, rawPath, query, truncateStore } = received
  const name = handledAs(method)
  const handler = name && methods[name]
  if (handler === undefined) throw new HttpFailure(405, undefined, { headers: { Allow: allowed(methods) } })
  const { user, login } = signedIn
  const exchange: Exchange = { request, method, rawPath, params, rest, query, user, login, xnat, truncateStore }
  return handler(exchange)
}

function handledAs(method: string): keyof Methods | undefined {
  if (method === 'HEAD') return 'GET'
  return method === 'GET' || method === 'PUT' || method === 'POST' || method === 'DELETE' ? method : undefined
}

function allowed(methods: Methods): string {
  return Object.keys(methods)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ')
}

/** @throws {HttpFailure} 401, or 302 to the login page for agents that look like a person's (XnatAuthenticationEntryPoint.java). */
function requireLogin({ request, rawPath }: Received, { user }: SignedIn, xnat: Xnat): void {
  if (user !== undefined || !xnat.state.settings.requireLogin) return
  const isScript = request.headers['x-requested-with'] === 'XMLHttpRequest'
  if (isInteractive(request) && !isScript) throw redirectToLogin(xnat)
  throw unauthorized(xnat, rawPath)
}

export function redirectToLogin(xnat: Xnat): HttpFailure {
  return new HttpFailure(302, '', { voice: 'empty', headers: { Location: `${xnat.siteUrl()}/app/template/Login.vm` } })
}

export function unauthorized(xnat: Xnat, rawPath: string): HttpFailure {
  return new HttpFailure(401, 'Full authentication is required to access this resource', {
    voice: rawPath.startsWith('/xapi') ? 'empty' : 'container',
    headers: { 'WWW-Authenticate': `Basic realm="${xnat.state.settings.siteId}"` },
  })
}

// XNAT: a missing or wrong token is an exception like any other, so 500 (SecureAction.java).
function refuseForgery({ request, method, query }: Received, { login }: SignedIn, xnat: Xnat): void {
  const isWrite = method === 'POST' || method === 'PUT' || method === 'DELETE'
  if (!isWrite || !xnat.state.settings.enableCsrfToken || !isBrowser(request)) return
  if (query.get('XNAT_CSRF') !== login.csrfToken) throw new HttpFailure(500, 'Invalid submit value (CSRF)')
}

/** XNAT decodes gzip here; the stand-in does not, and must not store what was sent encoded. */
function refuseEncodedBody({ request, method, rawPath }: Received): void {
  if (request.headers['content-encoding'] === undefined) return
  throw notCovered(method, `${rawPath} with an encoded body`)
}

function withCookies(reply: Reply, signedIn: SignedIn | undefined, xnat: Xnat): Reply {
  const started = signedIn ?? {
    login: xnat.state.sessions.start(undefined, { isRegistered: false }),
    user: undefined,
    isNew: true,
  }
  const own = reply.cookies ?? []
  const cookies = cookiesFor(started, xnat.state, xnat.now())
  // A sign-in through the body brings its own session cookie, which is then the only one.
  return {
    ...reply,
    cookies: [...own, ...cookies.filter((cookie) => own.length === 0 || !cookie.startsWith('JSESSIONID'))],
  }
}
