// The one place where requests to XNAT are sent: sign-in, timeouts, retries, and what an answer means.
import { PassThrough, pipeline, Readable } from 'node:stream'
import { Agent, type Dispatcher } from 'undici'
import * as z from 'zod'
import { AppError, InvalidInputError, XnatError } from '../errors.ts'
import { type Clock, type RetryPolicy, retry, systemClock } from '../retry.ts'
import {
  type Call,
  type CallOptions,
  headerValue,
  isStreamBody,
  type Method,
  queryString,
  type Reply,
  type ReplyHeaders,
  type StreamReply,
  type Timeouts,
} from './call.ts'
import { basicAuthorization, type Credentials, type Login, SharedLogin } from './login.ts'
import { type Outgoing, openOutgoing } from './outgoing.ts'
import { type XnatPath, xnatPath } from './path.ts'
import { errorFromAnswer, isNotLoggedIn, isSuccess, looksLikeHtml, mayBePage, sessionCookie } from './reply.ts'

const version = '0.1.0'

export type HttpAgent = Agent

export interface HttpAgentOptions {
  /** Default 10 s. */
  connectMs?: number
  /** Connections to one server at a time; further requests wait. Default 64. */
  maxConnections?: number
  /** PEM certificates to trust instead of the system's. */
  ca?: string | string[]
  /** Default true. */
  rejectUnauthorized?: boolean
}

/** Connections that may be shared by several clients. Whoever makes it closes it. */
export function createHttpAgent(options: HttpAgentOptions = {}): HttpAgent {
  return new Agent({
    connections: options.maxConnections ?? 64,
    allowH2: false,
    connect: {
      timeout: options.connectMs ?? 10_000,
      rejectUnauthorized: options.rejectUnauthorized ?? true,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    },
  })
}

/** One HTTP exchange, for metrics. Holds no label, no file name and no ID. */
export interface RequestRecord {
  method: Method
  pathTemplate: string
  /** Absent when no answer came. */
  status: number | undefined
  /** Until the answer began. */
  durationMs: number
  attempt: number
}

export interface XnatClientOptions {
  /** XNAT's address, with its context path if it has one: `https://xnat.example.org/xnat`. */
  url: string
  credentials: Credentials
  /** Default `xnat-conduit/<version>`. */
  userAgent?: string
  /** Defaults: 10 s to connect, 2 min of silence, 11 min of silence where XNAT works before it answers. */
  timeouts?: Partial<Timeouts>
  /** Default: 4 attempts, 0.25 s doubling up to 8 s, Retry-After obeyed up to 30 s. */
  retry?: Partial<RetryPolicy>
  /** Connections to use instead of own ones; `close` leaves them open. */
  agent?: HttpAgent
  tls?: Pick<HttpAgentOptions, 'ca' | 'rejectUnauthorized'>
  maxConnections?: number
  now?: Clock['now']
  sleep?: Clock['sleep']
  random?: Clock['random']
  onRequest?: (record: RequestRecord) => void
}

const defaultTimeouts: Timeouts = {
  connectMs: 10_000,
  headersMs: 120_000,
  // XNAT: an archive call may hold its connection for 600 s (sessionArchiveTimeoutInterval).
  slowHeadersMs: 660_000,
  idleBodyMs: 120_000,
  callMs: undefined,
}

const defaultRetry: RetryPolicy = { attempts: 4, baseMs: 250, capMs: 8_000, maxRetryAfterMs: 30_000 }

/** One attempt's surroundings. */
interface Attempt {
  number: number
  signal: AbortSignal
}

interface Answer {
  status: number
  headers: ReplyHeaders
  /** The body, if it had to be read to know what it is. */
  html: string | undefined
  body: Dispatcher.ResponseData['body']
  outgoing: Outgoing
}

/**
 * A signed-in client. It signs in on the first call, keeps that one session, and signs in anew when XNAT forgets it.
 *
 * Calls throw `XnatError`; what the caller's own `openBody` throws, and the reason of the caller's own signal, come
 * through unchanged. Only idempotent calls are repeated.
 */
export class XnatClient {
  readonly #base: URL
  readonly #agent: HttpAgent
  readonly #ownsAgent: boolean
  readonly #userAgent: string
  readonly #timeouts: Timeouts
  readonly #policy: RetryPolicy
  readonly #clock: Clock
  readonly #authorization: string | undefined
  readonly #onRequest: (record: RequestRecord) => void
  readonly #login: SharedLogin

  constructor(options: XnatClientOptions) {
    this.#base = parseBase(options.url)
    this.#timeouts = { ...defaultTimeouts, ...options.timeouts }
    this.#policy = { ...defaultRetry, ...options.retry }
    this.#clock = {
      now: options.now ?? systemClock.now,
      sleep: options.sleep ?? systemClock.sleep,
      random: options.random ?? systemClock.random,
    }
    this.#userAgent = plainUserAgent(options.userAgent ?? `xnat-conduit/${version}`)
    this.#onRequest = options.onRequest ?? (() => undefined)
    this.#ownsAgent = options.agent === undefined
    this.#agent =
      options.agent ??
      createHttpAgent({
        connectMs: this.#timeouts.connectMs,
        ...(options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections }),
        ...options.tls,
      })
    const { credentials } = options
    this.#authorization = basicAuthorization(credentials)
    this.#login = new SharedLogin(() =>
      credentials.kind === 'session' ? Promise.resolve({ jsessionId: credentials.jsessionId }) : this.#signIn(),
    )
  }

  /** The answer as JSON that fits `schema`. */
  async json<S extends z.ZodType>(schema: S, call: Call): Promise<z.output<S>> {
    const reply = await this.#run(call, async (answer) => {
      const received = await this.#receiveText(call, answer)
      // XNAT: a database error is answered 200 with an empty body (RES/ExperimentListResource.java).
      if (received.text.trim() === '') throw this.#error(call, 'XNAT_UNREACHABLE', received.status, 'empty answer')
      return received
    })
    return this.#fitting(schema, call, reply, parseJson(reply.text))
  }

  /** The answer as JSON, or `undefined` when XNAT has no such thing, or none that the account may see. */
  async find<S extends z.ZodType>(schema: S, call: Call): Promise<z.output<S> | undefined> {
    const reply = await this.send({ ...call, accept: [404] })
    return reply.status === 404 ? undefined : this.#fitting(schema, call, reply, parseJson(reply.text))
  }

  /** The answer as trimmed text that fits `schema`. */
  async parsedText<S extends z.ZodType>(schema: S, call: Call): Promise<z.output<S>> {
    const reply = await this.send(call)
    return this.#fitting(schema, call, reply, reply.text.trim())
  }

  /** The answer as text, without surrounding white space. */
  async text(call: Call): Promise<string> {
    return (await this.send(call)).text.trim()
  }

  /** The answer with its status, for calls in which the status carries meaning (`accept`). */
  async send(call: Call): Promise<Reply> {
    return this.#run(call, (answer) => this.#receiveText(call, answer))
  }

  /**
   * The answer as it arrives. A failure after it has begun breaks the body with an `XnatError` and is not retried.
   */
  async stream(call: Call): Promise<StreamReply> {
    return this.#run(call, async (answer) => this.#receiveStream(call, answer), { outlivesCall: true })
  }

  get(path: XnatPath, options: Omit<Call, 'method' | 'path'> = {}): Promise<Reply> {
    return this.send({ ...options, method: 'GET', path })
  }

  head(path: XnatPath, options: Omit<Call, 'method' | 'path'> = {}): Promise<Reply> {
    return this.send({ ...options, method: 'HEAD', path })
  }

  put(path: XnatPath, options: Omit<Call, 'method' | 'path'> = {}): Promise<Reply> {
    return this.send({ ...options, method: 'PUT', path })
  }

  post(path: XnatPath, options: Omit<Call, 'method' | 'path'> = {}): Promise<Reply> {
    return this.send({ ...options, method: 'POST', path })
  }

  delete(path: XnatPath, options: Omit<Call, 'method' | 'path'> = {}): Promise<Reply> {
    return this.send({ ...options, method: 'DELETE', path })
  }

  /** The user name XNAT knows us by. */
  whoAmI(options: CallOptions = {}): Promise<string> {
    return this.text({ method: 'GET', path: xnatPath`/xapi/users/username`, ...options })
  }

  /** XNAT's version and build, as it tells anyone who asks. */
  buildInfo(options: CallOptions = {}): Promise<BuildInfo> {
    return this.json(BuildInfo, { method: 'GET', path: xnatPath`/xapi/siteConfig/buildInfo`, ...options })
  }

  /**
   * Renews the session's idle time, or the session itself when it is gone. For work that does not talk to XNAT for
   * longer than its session timeout, 15 minutes by default.
   */
  async keepAlive(options: CallOptions = {}): Promise<void> {
    // XNAT: GET /data/JSESSION would answer a lost session with a guest's (WR/security/configured-urls.yaml).
    await this.text({ method: 'GET', path: xnatPath`/data/auth`, ...options })
  }

  /** Ends the session in XNAT, if there is one. The next call signs in again. */
  async logout(options: CallOptions = {}): Promise<void> {
    const login = this.#login.take()
    if (login === undefined) return
    const call: Call = { method: 'DELETE', path: xnatPath`/data/JSESSION`, accept: [401], ...options }
    await this.#within(call, { outlivesCall: false }, async (signal) => {
      const answer = await this.#exchange(call, { cookie: cookieOf(login) }, { number: 1, signal })
      await this.#receiveText(call, answer)
    })
  }

  /** Logs out and lets go of the connections that the client made for itself. */
  async close(): Promise<void> {
    try {
      await this.logout()
    } finally {
      if (this.#ownsAgent) await this.#agent.close()
    }
  }

  /** Retries, sign-in and deadline around one call. `receive` is part of each try: an answer cut short counts. */
  async #run<T>(
    call: Call,
    receive: (answer: Answer) => Promise<T>,
    options: { outlivesCall: boolean } = { outlivesCall: false },
  ): Promise<T> {
    return this.#within(call, options, (signal, deadline) =>
      this.#retry(call, deadline, signal, async (number) => {
        // A broken upload may be all that is seen of a 401 sent before the body was read: ask before sending it again.
        if (number > 1 && isStreamBody(call.body)) await this.keepAlive({ signal })
        return receive(await this.#signedIn(call, { number, signal }))
      }),
    )
  }

  #retry<T>(
    call: Call,
    deadline: number | undefined,
    signal: AbortSignal,
    act: (attempt: number) => Promise<T>,
  ): Promise<T> {
    const isIdempotent = call.idempotent ?? call.method !== 'POST'
    const judge = (error: unknown) =>
      isIdempotent && error instanceof AppError && error.retry === 'later'
        ? { retryAfterMs: error.retryAfterMs }
        : undefined
    return retry(act, { policy: this.#policy, clock: this.#clock, judge, deadline, signal })
  }

  /** Gives `act` a signal that fires when the caller's does or when the call's time is up. */
  async #within<T>(
    call: Call,
    { outlivesCall }: { outlivesCall: boolean },
    act: (signal: AbortSignal, deadline: number | undefined) => Promise<T>,
  ): Promise<T> {
    const callMs = call.timeouts?.callMs ?? this.#timeouts.callMs
    const timeUp = new AbortController()
    const timer = callMs === undefined ? undefined : setTimeout(() => timeUp.abort(), callMs)
    const signal = call.signal === undefined ? timeUp.signal : AbortSignal.any([call.signal, timeUp.signal])
    try {
      call.signal?.throwIfAborted()
      return await act(signal, callMs === undefined ? undefined : this.#clock.now() + callMs)
    } catch (error) {
      if (call.signal?.aborted === true) throw call.signal.reason
      if (timeUp.signal.aborted) throw this.#error(call, 'XNAT_UNREACHABLE', undefined, `no answer in ${callMs} ms`)
      throw error
    } finally {
      clearTimeout(timer)
      if (!outlivesCall) timeUp.abort()
    }
  }

  /** Sends the call under the shared login; when XNAT does not honour that, once more under a new one. */
  async #signedIn(call: Call, attempt: Attempt): Promise<Answer> {
    const login = await unlessAborted(this.#login.get(), attempt.signal)
    const answer = await this.#exchange(call, { cookie: cookieOf(login) }, attempt)
    if (!isNotLoggedIn(answer, login)) return answer
    const refusal = await this.#notLoggedIn(call, answer)
    if (this.#authorization === undefined) throw refusal
    const fresh = await unlessAborted(this.#login.renew(login), attempt.signal)
    const second = await this.#exchange(call, { cookie: cookieOf(fresh) }, attempt)
    if (isNotLoggedIn(second, fresh)) throw await this.#notLoggedIn(call, second)
    return second
  }

  // XNAT: POST /data/JSESSION with basic credentials makes one session and enters it in the registry that counts and
  // ends sessions; PUT /data/services/auth does not (W/restlet/extensions/AuthenticationRestlet.java).
  async #signIn(): Promise<Login> {
    const call: Call = { method: 'POST', path: xnatPath`/data/JSESSION`, idempotent: true }
    return this.#within(call, { outlivesCall: false }, (signal, deadline) =>
      this.#retry(call, deadline, signal, async (number) => {
        const answer = await this.#exchange(call, { authorization: this.#authorization ?? '' }, { number, signal })
        if (isNotLoggedIn(answer, undefined)) throw await this.#notLoggedIn(call, answer)
        const reply = await this.#receiveText(call, answer)
        const jsessionId = sessionCookie(reply.headers) ?? reply.text.trim()
        if (!/^[\w.!-]+$/.test(jsessionId)) throw this.#error(call, 'XNAT_UNEXPECTED_REPLY', reply.status, undefined)
        return { jsessionId }
      }),
    )
  }

  async #exchange(call: Call, identity: Record<string, string>, attempt: Attempt): Promise<Answer> {
    const outgoing = await openOutgoing(call.body)
    const startedAt = this.#clock.now()
    let status: number | undefined
    try {
      const response = await this.#agent.request({
        origin: this.#base.origin,
        path: this.#url(call),
        method: call.method,
        headers: { accept: '*/*', 'user-agent': this.#userAgent, ...call.headers, ...outgoing.headers, ...identity },
        body: outgoing.body ?? null,
        signal: attempt.signal,
        ...this.#silences(call),
      })
      status = response.statusCode
      const answer = { status, headers: response.headers, body: response.body, outgoing }
      return { ...answer, html: call.method !== 'HEAD' && mayBePage(answer) ? await response.body.text() : undefined }
    } catch (error) {
      throw this.#broken(call, error, outgoing, attempt.signal)
    } finally {
      this.#onRequest({
        method: call.method,
        pathTemplate: call.path.template,
        status,
        durationMs: this.#clock.now() - startedAt,
        attempt: attempt.number,
      })
    }
  }

  #url(call: Call): string {
    const query = queryString(call.query ?? {})
    return `${this.#base.pathname.replace(/\/+$/, '')}${call.path.path}${query === '' ? '' : `?${query}`}`
  }

  #silences(call: Call): { headersTimeout: number; bodyTimeout: number } {
    const { headersMs, slowHeadersMs, idleBodyMs } = { ...this.#timeouts, ...call.timeouts }
    return { headersTimeout: call.isSlow === true ? slowHeadersMs : headersMs, bodyTimeout: idleBodyMs }
  }

  async #receiveText(call: Call, answer: Answer): Promise<Reply> {
    const text = answer.html ?? (await this.#readText(call, answer))
    this.#refuseError(call, answer, text)
    return { status: answer.status, headers: answer.headers, text, tookWholeBody: answer.outgoing.isSent() }
  }

  async #receiveStream(call: Call, answer: Answer): Promise<StreamReply> {
    if (!isWanted(call, answer.status) || answer.html !== undefined) {
      const { text } = await this.#receiveText(call, answer)
      return { status: answer.status, headers: answer.headers, sizeBytes: undefined, body: Readable.from([text]) }
    }
    const length = headerValue(answer.headers, 'content-length')
    const body = new ReplyBody((error) => this.#broken(call, error, answer.outgoing, call.signal))
    pipeline(answer.body, body, () => {
      // Nothing to do: the reader of `body` sees the failure, or has caused it by letting go.
    })
    const sizeBytes = length === undefined ? undefined : Number(length)
    return { status: answer.status, headers: answer.headers, sizeBytes, body }
  }

  #refuseError(call: Call, answer: Answer, text: string): void {
    if (!isWanted(call, answer.status)) throw errorFromAnswer(call, answer, text, this.#clock.now())
    if (answer.html !== undefined && call.acceptHtml !== true && looksLikeHtml(answer.html)) {
      throw this.#error(call, 'XNAT_UNEXPECTED_REPLY', answer.status, 'a web page instead of data')
    }
  }

  async #readText(call: Call, answer: Answer): Promise<string> {
    try {
      return await answer.body.text()
    } catch (error) {
      throw this.#broken(call, error, answer.outgoing, undefined)
    }
  }

  async #notLoggedIn(call: Call, answer: Answer): Promise<XnatError> {
    const text = answer.html ?? (await this.#readText(call, answer))
    const { detail } = errorFromAnswer(call, answer, text, this.#clock.now())
    return this.#error(call, 'XNAT_UNAUTHORIZED', answer.status, headerValue(answer.headers, 'location') ?? detail)
  }

  /** What a broken exchange is to the caller: their own stream's error, their own reason to stop, or the network's. */
  #broken(call: Call, error: unknown, outgoing: Outgoing, signal: AbortSignal | undefined): unknown {
    const failure = outgoing.failure()
    if (failure !== undefined) return failure.error
    if (signal?.aborted === true) return signal.reason
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
      return new InvalidInputError('The request body is not as long as announced', { code: 'BODY_SIZE_DIFFERS' })
    }
    if (code === 'UND_ERR_INVALID_ARG') return new InvalidInputError('Not a valid request', { cause: error })
    const { method, path } = call
    return new XnatError({ code: 'XNAT_UNREACHABLE', method, pathTemplate: path.template, cause: error })
  }

  #fitting<S extends z.ZodType>(schema: S, call: Call, reply: Reply, value: unknown): z.output<S> {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    throw new XnatError({
      code: 'XNAT_UNEXPECTED_REPLY',
      method: call.method,
      pathTemplate: call.path.template,
      status: reply.status,
      cause: parsed.error,
    })
  }

  #error(call: Call, code: XnatError['code'], status: number | undefined, detail: string | undefined): XnatError {
    return new XnatError({ code, method: call.method, pathTemplate: call.path.template, status, detail })
  }
}

const BuildInfo = z.looseObject({ version: z.string(), buildNumber: z.string().optional() })
export type BuildInfo = z.infer<typeof BuildInfo>

/** Hands bytes on, and turns what breaks them into an error that says so in the client's words. */
class ReplyBody extends PassThrough {
  readonly #explain: (error: unknown) => unknown
  constructor(explain: (error: unknown) => unknown) {
    super()
    this.#explain = explain
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const explained = error === null ? null : this.#explain(error)
    callback(explained === null || explained instanceof Error ? explained : error)
  }
}

function isWanted(call: Call, status: number): boolean {
  return isSuccess(status) || (call.accept ?? []).includes(status)
}

function cookieOf(login: Login): string {
  return `JSESSIONID=${login.jsessionId}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // Not JSON is not the shape that was asked for; the schema says so with everything else that it finds.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function parseBase(url: string): URL {
  const base = URL.parse(url)
  if (base === null || !['http:', 'https:'].includes(base.protocol) || base.search + base.hash + base.username !== '') {
    throw new InvalidInputError('The XNAT url is not a plain http or https address', { code: 'XNAT_URL_INVALID' })
  }
  return base
}

// XNAT: a browser's name in the User-Agent brings redirects to the login page instead of 401, and demands CSRF tokens
// (WEB/utils/DefaultInteractiveAgentDetector.java, XDAT/xdat/turbine/modules/actions/SecureAction.java).
function plainUserAgent(userAgent: string): string {
  if (/MSIE|Mozilla|AppleWebKit|Opera/.test(userAgent)) {
    throw new InvalidInputError('The user agent must not look like a browser', { code: 'USER_AGENT_INVALID' })
  }
  return userAgent
}

function unlessAborted<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
