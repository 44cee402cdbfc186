// One request and its answer: what goes over the wire, and what it means when it breaks off.
import { InvalidInputError, XnatError } from '../errors.ts'
import { type Call, queryString, type ReplyHeaders } from './call.ts'
import type { HttpAgent } from './client.ts'
import type { Settings } from './client-options.ts'
import { type Outgoing, openOutgoing } from './outgoing.ts'
import { mayBePage } from './reply.ts'

export interface Attempt {
  number: number
  signal: AbortSignal
}

export interface Answer {
  status: number
  headers: ReplyHeaders
  /** The body, where it had to be read to know what it is; and the same as text. */
  page: Buffer | undefined
  html: string | undefined
  body: Awaited<ReturnType<HttpAgent['request']>>['body']
  outgoing: Outgoing
}

/** Sends a call once, under an identity that stands in its headers, and waits until the answer begins. */
export async function exchange(
  { agent, settings }: { agent: HttpAgent; settings: Settings },
  call: Call,
  identity: Readonly<Record<string, string>>,
  attempt: Attempt,
): Promise<Answer> {
  const { origin, userAgent, clock, onRequest } = settings
  const outgoing = await openOutgoing(call.body)
  const startedAt = clock.now()
  let status: number | undefined
  try {
    const response = await agent.request({
      origin,
      path: targetOf(call, settings),
      method: call.method,
      headers: { accept: '*/*', 'user-agent': userAgent, ...call.headers, ...outgoing.headers, ...identity },
      body: outgoing.body,
      signal: attempt.signal,
      ...silencesOf(call, settings),
    })
    status = response.statusCode
    const answer = { status, headers: response.headers, body: response.body, outgoing }
    if (call.method === 'HEAD' || !mayBePage(answer)) return { ...answer, page: undefined, html: undefined }
    const page = Buffer.from(await response.body.arrayBuffer())
    return { ...answer, page, html: page.toString() }
  } catch (error) {
    throw explainBreak(call, error, outgoing)
  } finally {
    const durationMs = clock.now() - startedAt
    onRequest({ method: call.method, pathTemplate: call.path.template, status, durationMs, attempt: attempt.number })
  }
}

function targetOf(call: Call, { contextPath }: Settings): string {
  const query = queryString(call.query ?? {})
  return `${contextPath}${call.path.path}${query === '' ? '' : `?${query}`}`
}

function silencesOf(call: Call, { timeouts }: Settings): { headersTimeout: number; bodyTimeout: number } {
  const { headersMs, slowHeadersMs, idleBodyMs } = { ...timeouts, ...call.timeouts }
  return { headersTimeout: call.isSlow === true ? slowHeadersMs : headersMs, bodyTimeout: idleBodyMs }
}

export async function readText(call: Call, answer: Answer): Promise<string> {
  try {
    return answer.html ?? (await answer.body.text())
  } catch (error) {
    throw explainBreak(call, error, answer.outgoing)
  }
}

/** What a broken exchange is to the caller: their own body's failure, a request that is none, or the network's. */
export function explainBreak(call: Call, error: unknown, outgoing: Outgoing): Error {
  const failure = outgoing.failure()
  if (failure !== undefined) return failure
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
    return new InvalidInputError('The request body is not as long as announced', { code: 'BODY_SIZE_DIFFERS' })
  }
  if (code === 'UND_ERR_INVALID_ARG') return new InvalidInputError('Not a valid request', { cause: error })
  const { method, path } = call
  return new XnatError({ code: 'XNAT_UNREACHABLE', method, pathTemplate: path.template, cause: error })
}
