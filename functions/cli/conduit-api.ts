// The product's HTTP API, as commands ask it.
import * as z from 'zod'
import { parseJson } from '../../lib/json.ts'
import { type RetryPolicy, retry, systemClock } from '../../lib/retry.ts'
import { exitCodes, Failure } from './failure.ts'
import type { Profile } from './profile.ts'

export interface ApiRequest<Answer extends z.ZodType> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  body?: unknown
  answer: Answer
}

export interface ConduitApi {
  /**
   * Asks, and again when the API is busy or cannot be reached: every route may be asked twice.
   *
   * @throws {Failure} with what the API says and the exit code that fits.
   */
  ask<Answer extends z.ZodType>(request: ApiRequest<Answer>): Promise<z.output<Answer>>
}

const policy: RetryPolicy = { attempts: 4, baseMs: 1_000, capMs: 10_000, maxRetryAfterMs: 60_000 }

/** API Gateway ends a request after 30 seconds. */
const answerMs = 35_000

class Unavailable extends Failure {
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: { retryAfterMs?: number | undefined; cause?: unknown }) {
    super(message, exitCodes.unavailable, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

export function conduitApi(profile: Profile, signal: AbortSignal): ConduitApi {
  const judge = (error: unknown) => (error instanceof Unavailable ? { retryAfterMs: error.retryAfterMs } : undefined)
  return {
    ask: ({ answer, ...request }) =>
      retry(
        async () => {
          const reply = await send(profile, request, signal)
          const parsed = answer.safeParse(parseJson(reply))
          if (parsed.success) return parsed.data
          throw new Failure(`${profile.url} answers, but not as xnat-conduit does.`, exitCodes.failed)
        },
        { policy, clock: systemClock, judge, signal },
      ),
  }
}

async function send(
  profile: Profile,
  { method, path, body }: Omit<ApiRequest<z.ZodType>, 'answer'>,
  signal: AbortSignal,
): Promise<string> {
  const { status, retryAfter, text } = await reached(profile, signal, () =>
    fetch(profile.url + path, {
      method,
      headers: {
        [profile.serviceKeyHeader]: profile.serviceKey,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // The key is for this address only.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    }),
  )
  if (status >= 200 && status < 300) return text
  const said = `${method} ${path}: ${status} ${detailOf(text)}`.trim()
  if (status === 401) throw new Failure(said, exitCodes.keyRefused)
  if (status === 429 || status >= 502) {
    const retryAfterMs = retryAfter === null ? undefined : Number(retryAfter) * 1000
    throw new Unavailable(said, Number.isFinite(retryAfterMs) ? { retryAfterMs } : {})
  }
  throw new Failure(said, exitCodes.failed)
}

async function reached(profile: Profile, signal: AbortSignal, request: () => Promise<Response>) {
  try {
    const reply = await request()
    return { status: reply.status, retryAfter: reply.headers.get('retry-after'), text: await reply.text() }
  } catch (cause) {
    signal.throwIfAborted()
    throw new Unavailable(`${profile.url} cannot be reached.`, { cause })
  }
}

const Refusal = z.object({
  detail: z.union([
    z.string(),
    z.array(z.object({ loc: z.array(z.union([z.string(), z.number()])), msg: z.string() })).transform((issues) =>
      // The first step says which part of the request it is.
      issues.map(({ loc, msg }) => `${loc.slice(1).join('.')}: ${msg}`).join('; '),
    ),
  ]),
})

const detailOf = (text: string) => Refusal.safeParse(parseJson(text)).data?.detail ?? ''
