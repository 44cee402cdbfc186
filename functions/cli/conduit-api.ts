// The product's HTTP API, as commands ask it.
import * as z from 'zod'
import { parseJson } from '../../lib/json.ts'
import { type RetryPolicy, retry, systemClock } from '../../lib/retry.ts'
import { type ExitCode, exitCodes, Failure } from './failure.ts'
import type { Profile } from './profile.ts'

export interface ApiRequest<Answer extends z.ZodType> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  body?: unknown
  answer: Answer
  /** How often it is asked at most; four times when left out. */
  attempts?: number
  /** Hears the time by the API's clock, to the second below. */
  onTime?: (time: Date) => void
}

export interface ConduitApi {
  /**
   * Asks, and again when the API is busy or cannot be reached: every route may be asked twice.
   *
   * @throws {ApiFailure} with what the API says and the exit code that fits.
   * @throws {Failure} when it is another program that answers.
   */
  ask<Answer extends z.ZodType>(request: ApiRequest<Answer>): Promise<z.output<Answer>>
}

const policy: RetryPolicy = { attempts: 4, baseMs: 1_000, capMs: 10_000, maxRetryAfterMs: 60_000 }

/** API Gateway ends a request after 30 seconds. */
const answerMs = 35_000

/** The API did not do what was asked. */
export class ApiFailure extends Failure {
  /** Absent when no answer came. */
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    exitCode: ExitCode,
    options: { status?: number; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, exitCode, options)
    this.status = options.status
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Whether the API is busy or cannot be reached, so that it may do later. */
export const isUnavailable = (error: unknown): error is ApiFailure =>
  error instanceof ApiFailure && error.exitCode === exitCodes.unavailable

export function conduitApi(profile: Profile, signal: AbortSignal): ConduitApi {
  const judge = (error: unknown) => (isUnavailable(error) ? { retryAfterMs: error.retryAfterMs } : undefined)
  return {
    ask: ({ answer, attempts = policy.attempts, ...request }) =>
      retry(
        async () => {
          const reply = await send(profile, request, signal)
          const parsed = answer.safeParse(parseJson(reply))
          if (parsed.success) return parsed.data
          throw new Failure(`${profile.url} answers, but not as xnat-conduit does.`, exitCodes.failed)
        },
        { policy: { ...policy, attempts }, clock: systemClock, judge, signal },
      ),
  }
}

async function send(
  profile: Profile,
  { method, path, body, onTime }: Omit<ApiRequest<z.ZodType>, 'answer' | 'attempts'>,
  signal: AbortSignal,
): Promise<string> {
  const { status, retryAfter, date, text } = await reached(profile, signal, () =>
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
  if (date !== null) onTime?.(new Date(date))
  if (status >= 200 && status < 300) return text
  const said = `${method} ${path}: ${status} ${detailOf(text)}`.trim()
  if (status === 401) throw new ApiFailure(said, exitCodes.keyRefused, { status })
  if (status === 429 || status >= 502) {
    const retryAfterMs = retryAfter === null ? undefined : Number(retryAfter) * 1000
    throw new ApiFailure(said, exitCodes.unavailable, {
      status,
      ...(Number.isFinite(retryAfterMs) && { retryAfterMs }),
    })
  }
  throw new ApiFailure(said, exitCodes.failed, { status })
}

async function reached(profile: Profile, signal: AbortSignal, request: () => Promise<Response>) {
  try {
    const reply = await request()
    const [retryAfter, date] = [reply.headers.get('retry-after'), reply.headers.get('date')]
    return { status: reply.status, retryAfter, date, text: await reply.text() }
  } catch (cause) {
    signal.throwIfAborted()
    throw new ApiFailure(`${profile.url} cannot be reached.`, exitCodes.unavailable, { cause })
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
