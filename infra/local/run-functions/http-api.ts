import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import * as z from 'zod'
import { httpEvent } from './http-event.ts'
import { type HttpReply, httpReply, messageReply } from './http-result.ts'
import { createRouter, type FindRoute, type RouteDefinition } from './http-routes.ts'
import { InvocationError } from './invocation-error.ts'

// API Gateway: the quotas of an HTTP API that cannot be raised.
const MAX_BODY_BYTES = 10 * 1024 * 1024
const INTEGRATION_TIMEOUT_MS = 30_000

export type Invoke = (event: unknown) => Promise<unknown>

export interface HttpApiOptions {
  routes: readonly RouteDefinition<Invoke>[]
  /** Left out: 3000, or the next that is free. */
  port?: number | undefined
  /** Default 30 s, as on AWS. */
  integrationTimeoutMs?: number | undefined
  log: (line: string) => void
}

export interface HttpApi {
  url: string
  /** Takes no more requests, and lets those under way finish for at most `graceMs`. */
  stop(graceMs: number): Promise<void>
}

/**
 * API Gateway's HTTP API on 127.0.0.1, payload format 2.0.
 *
 * @throws when the port asked for is taken.
 */
export async function startHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const { integrationTimeoutMs = INTEGRATION_TIMEOUT_MS } = options
  const findRoute = createRouter(options.routes)
  const server = createServer((request, response) => {
    const requestId = randomUUID()
    answer(request, findRoute, requestId, integrationTimeoutMs)
      .then((reply) => send(response, reply, requestId))
      .catch((error) => {
        // Not its address, which carries what people chose.
        options.log(`${request.method} ${requestId} failed: ${error instanceof Error ? error.stack : error}`)
        send(response, messageReply(500, 'Internal Server Error'), requestId)
      })
  })
  const port = await listen(server, options.port)
  return { url: `http://127.0.0.1:${port}`, stop: (graceMs) => close(server, graceMs) }
}

async function answer(
  request: IncomingMessage,
  findRoute: FindRoute<Invoke>,
  requestId: string,
  integrationTimeoutMs: number,
): Promise<HttpReply> {
  const now = new Date()
  const [rawPath = '/', rawQueryString = ''] = splitAtQuestionMark(request.url ?? '/')
  const path = decodePath(rawPath)
  const route = path === undefined ? undefined : findRoute(request.method ?? 'GET', path)
  if (path === undefined || route === undefined) {
    request.resume()
    return path === undefined ? messageReply(400, 'Bad Request') : messageReply(404, 'Not Found')
  }
  const body = await readBody(request)
  if (body === undefined) return messageReply(413, 'Request Entity Too Large')
  const { routeKey, pathParameters } = route
  const event = httpEvent({ request, path, rawQueryString, routeKey, pathParameters, body, requestId, now })
  return await integrate(route.target, event, integrationTimeoutMs)
}

async function integrate(invoke: Invoke, event: unknown, timeoutMs: number): Promise<HttpReply> {
  const timeout = Promise.withResolvers<HttpReply>()
  const timer = setTimeout(() => timeout.resolve(messageReply(503, 'Service Unavailable')), timeoutMs)
  try {
    // A function that fails after its caller was sent away is dealt with too: race handles the loser's rejection.
    return await Promise.race([replyOf(invoke, event), timeout.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function replyOf(invoke: Invoke, event: unknown): Promise<HttpReply> {
  try {
    return httpReply(await invoke(event)) ?? messageReply(500, 'Internal Server Error')
  } catch (error) {
    if (!(error instanceof InvocationError)) throw error
    if (error.errorType === 'RequestEntityTooLarge') return messageReply(413, 'Request Entity Too Large')
    return messageReply(500, 'Internal Server Error')
  }
}

function splitAtQuestionMark(url: string): [string, string] {
  const at = url.indexOf('?')
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)]
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** `undefined` when there is too much of it; the rest is read and dropped, so that the answer can get through. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes: Buffer = chunk
    size += bytes.length
    if (size <= MAX_BODY_BYTES) chunks.push(bytes)
    else chunks.length = 0
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined
}

/** @throws when a header holds what HTTP cannot carry; nothing was sent then. */
function send(response: ServerResponse, { status, headers, body }: HttpReply, requestId: string): void {
  response.setHeaders(new Map<string, string | string[]>([...headers, ['apigw-requestid', requestId]]))
  response.statusCode = status
  response.end(body)
}

const SystemError = z.object({ code: z.string() })
const FIRST_PORT = 3000
const LAST_PORT = 3099

async function listen(server: Server, port: number | undefined): Promise<number> {
  if (port !== undefined) {
    if (await tryPort(server, port)) return boundPort(server)
    throw new Error(`Port ${port} is taken: stop what listens there, or choose another port`)
  }
  for (let candidate = FIRST_PORT; candidate <= LAST_PORT; candidate += 1) {
    if (await tryPort(server, candidate)) return candidate
  }
  throw new Error(`Ports ${FIRST_PORT} to ${LAST_PORT} are all taken: choose another port`)
}

async function tryPort(server: Server, port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const onError = (error: Error) => {
    if (SystemError.safeParse(error).data?.code === 'EADDRINUSE') resolve(false)
    else reject(error)
  }
  server.once('error', onError)
  server.listen(port, '127.0.0.1', () => resolve(true))
  return await promise.finally(() => server.off('error', onError))
}

function boundPort(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return address.port
}

async function close(server: Server, graceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await promise
  clearTimeout(timer)
}
