// The one way to XNAT: sign-in, deadlines, retries, and what an answer means.
import { Readable } from 'node:stream'
import { Agent } from 'undici'
import * as z from 'zod'
import { XnatError, type XnatErrorCode } from '../errors.ts'
import { parseJson } from '../json.ts'
import { retry } from '../retry.ts'
import { type Call, type CallOptions, headerValue, isStreamBody, type Reply, type StreamReply } from './call.ts'
import { type ClientSettings, completeSettings, type Settings } from './client-options.ts'
import { type Deadline, within } from './deadline.ts'
import { type Answer, type Attempt, exchange, explainBreak, readText } from './exchange.ts'
import { explained } from './incoming.ts'
import { basicAuthorization, type Login, SharedLogin } from './login.ts'
import { CallersFailure } from './outgoing.ts'
import { type XnatPath, xnatPath } from './path.ts'
import { detailOf, errorFromAnswer, isNotLoggedIn, isSuccess, looksLikeHtml, sessionCookie } from './reply.ts'

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
  const { connectMs = 10_000, maxConnections = 64, rejectUnauthorized = true, ca } = options
  return new Agent({
    connections: maxConnections,
    allowH2: false,
    connect: { timeout: connectMs, rejectUnauthorized, ...(ca === undefined ? {} : { ca }) },
  })
}

export interface XnatClientOptions extends ClientSettings {
  /** Connections to use instead of own ones; `close` leaves them open, and `http` has no effect on them. */
  agent?: HttpAgent
  http?: Omit<HttpAgentOptions, 'connectMs'>
}

type CallDetails = Omit<Call, 'method' | 'path'>

// XNAT: after 20 failed logins the account is locked for an hour (maxFailedLogins), so a refused password rests.
const refusedSignInRestsMs = 60_000

/**
 * A signed-in client. It signs in on the first call, keeps that one session, and signs in anew when XNAT forgets it.
 *
 * Calls throw `XnatError`; what the caller's own `openBody` throws, and the reason of the caller's own signal, come
 * through unchanged. Only idempotent calls are repeated.
 */
export class XnatClient {
  readonly #settings: Settings
  readonly #agent: HttpAgent
  readonly #wire: { agent: HttpAgent; settings: Settings }
  readonly #ownsAgent: boolean
  /** What opens a session; absent when there is only the session itself. */
  readonly #authorization: ((question: { isRefused: boolean }) => Promise<string>) | undefined
  readonly #login: SharedLogin
  /** Errors of sign-ins, which have had their retries: a call that waited for one is not tried again for it. */
  readonly #failedSignIns = new WeakSet<Error>()
  #refusedSignIn: { error: XnatError; until: number } | undefined
  #hasSignedIn = false

  constructor(options: XnatClientOptions) {
    this.#settings = completeSettings(options)
    const { connectMs } = this.#settings.timeouts
    this.#ownsAgent = options.agent === undefined
    this.#agent = options.agent ?? createHttpAgent({ ...options.http, connectMs })
    this.#wire = { agent: this.#agent, settings: this.#settings }
    const { credentials } = options
    if (typeof credentials !== 'function' && credentials.kind === 'session') {
      this.#login = new SharedLogin(async () => ({ jsessionId: credentials.jsessionId }))
      return
    }
    const source = typeof credentials === 'function' ? credentials : async () => credentials
    this.#authorization = async (question) => basicAuthorization(await source(question))
    this.#login = new SharedLogin((signal) => this.#signIn(signal))
  }

  /** The answer as JSON that fits `schema`. */
  async json<S extends z.ZodType>(schema: S, call: Call): Promise<z.output<S>> {
    const reply = await this.#run(call, (answer) => this.#receiveData(call, answer))
    return this.#fitting(schema, call, reply.status, parseJson(reply.text))
  }

  /** The answer as JSON, or `undefined` when XNAT has nothing (204), no such thing, or none the account may see (404). */
  async find<S extends z.ZodType>(schema: S, call: Call): Promise<z.output<S> | undefined> {
    const accepting: Call = { ...call, accept: [404] }
    const reply = await this.#run(accepting, (answer) => this.#receiveData(accepting, answer))
    return reply.status === 404 || reply.status === 204
      ? undefined
      : this.#fitting(schema, call, reply.status, parseJson(reply.text))
  }

  /** The answer as trimmed text that fits `schema`. */
  async parsedText<S extends z.ZodType>(schema: S, call: Call): Promise<z.output<S>> {
    const reply = await this.send(call)
    return this.#fitting(schema, call, reply.status, reply.text.trim())
  }

  /** The answer as text, without surrounding white space. */
  async text(call: Call): Promise<string> {
    return (await this.send(call)).text.trim()
  }

  /** The answer with its status, for calls in which the status carries meaning (`accept`). */
  async send(call: Call): Promise<Reply> {
    return this.#run(call, (answer) => this.#receiveText(call, answer))
  }

  /** The answer as it arrives. A failure after it has begun breaks the body with an `XnatError` and is not retried. */
  async stream(call: Call): Promise<StreamReply> {
    return this.#run(call, (answer) => this.#receiveStream(call, answer))
  }

  /** What an accepted answer says as JSON that fits `schema`. */
  parse<S extends z.ZodType>(schema: S, call: Call, reply: Reply): z.output<S> {
    return this.#fitting(schema, call, reply.status, parseJson(reply.text))
  }

  /** The error an accepted answer stands for after all. */
  errorFrom(call: Call, reply: Reply): XnatError {
    return errorFromAnswer(call, reply, reply.text, this.#settings.clock.now())
  }

  get(path: XnatPath, details: CallDetails = {}): Promise<Reply> {
    return this.send({ ...details, method: 'GET', path })
  }

  head(path: XnatPath, details: CallDetails = {}): Promise<Reply> {
    return this.send({ ...details, method: 'HEAD', path })
  }

  put(path: XnatPath, details: CallDetails = {}): Promise<Reply> {
    return this.send({ ...details, method: 'PUT', path })
  }

  post(path: XnatPath, details: CallDetails = {}): Promise<Reply> {
    return this.send({ ...details, method: 'POST', path })
  }

  delete(path: XnatPath, details: CallDetails = {}): Promise<Reply> {
    return this.send({ ...details, method: 'DELETE', path })
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

  /** Ends the session in XNAT, if there is one, within 10 s. The next call signs in again. */
  async logout(options: CallOptions = {}): Promise<void> {
    const login = await this.#login.take()
    if (login === undefined) return
    const path = xnatPath`/data/JSESSION`
    const call: Call = { method: 'DELETE', path, accept: [401], timeouts: { callMs: 10_000 }, ...options }
    // A connection that XNAT has just let go of would leave the session behind.
    await this.#tried(call, async (attempt) =>
      this.#receiveText(call, await exchange(this.#wire, call, cookieOf(login), attempt)),
    )
  }

  /** Ends the session and the connections that the client made for itself, and leaves alone those it was given. */
  async close(): Promise<void> {
    try {
      if (this.#authorization !== undefined) await this.logout()
    } finally {
      if (this.#ownsAgent && !this.#agent.closed) await this.#agent.close()
    }
  }

  /** `receive` is part of each try, so that an answer cut short is asked for again. */
  #run<T>(call: Call, receive: (answer: Answer) => Promise<T>): Promise<T> {
    return this.#tried(call, async (attempt) => {
      // A broken upload may be all that is seen of a 401 sent before the body was read: ask before sending it again.
      if (attempt.number > 1 && isStreamBody(call.body)) await this.#assertLogin(attempt.signal)
      return receive(await this.#signedIn(call, attempt))
    })
  }

  async #assertLogin(signal: AbortSignal): Promise<void> {
    const call: Call = { method: 'GET', path: xnatPath`/data/auth` }
    await this.#receiveText(call, await this.#signedIn(call, { number: 1, signal }))
  }

  /** Does it as often as the call may be tried, within its time. */
  #tried<T>(call: Call, act: (attempt: Attempt) => Promise<T>): Promise<T> {
    return this.#within(call, (deadline) =>
      this.#retry(call, deadline, (number) => act({ number, signal: deadline.signal })),
    )
  }

  #within<T>(call: Call, act: (deadline: Deadline) => Promise<T>): Promise<T> {
    const callMs = call.timeouts?.callMs ?? this.#settings.timeouts.callMs
    const lateError = () => this.#error(call, 'XNAT_UNREACHABLE', undefined, `not done within ${callMs} ms`)
    return within({ callMs, signal: call.signal, now: this.#settings.clock.now }, lateError, act)
  }

  async #retry<T>(call: Call, { signal, at }: Deadline, act: (attempt: number) => Promise<T>): Promise<T> {
    const isIdempotent = call.idempotent ?? call.method !== 'POST'
    const judge = (error: unknown) =>
      isIdempotent && error instanceof XnatError && error.retry === 'later' && !this.#failedSignIns.has(error)
        ? error
        : undefined
    const { policy, clock } = this.#settings
    try {
      return await retry(act, { policy, clock, judge, deadline: at, signal })
    } catch (error) {
      throw error instanceof CallersFailure ? error.cause : error
    }
  }

  /** Sends the call under the shared login; when XNAT does not honour that, once more under a new one. */
  async #signedIn(call: Call, attempt: Attempt): Promise<Answer> {
    const login = await this.#login.get(attempt.signal)
    const answer = await exchange(this.#wire, call, cookieOf(login), attempt)
    if (!isNotLoggedIn(answer, login)) return answer
    const refusal = await this.#refusal(call, answer)
    if (this.#authorization === undefined) throw refusal
    const fresh = await this.#login.renew(login, attempt.signal)
    const second = await exchange(this.#wire, call, cookieOf(fresh), attempt)
    if (isNotLoggedIn(second, fresh)) throw await this.#refusal(call, second)
    return second
  }

  async #signIn(signal: AbortSignal): Promise<Login> {
    const { now } = this.#settings.clock
    if (this.#refusedSignIn !== undefined && now() < this.#refusedSignIn.until) throw this.#refusedSignIn.error
    // XNAT: POST /data/JSESSION with basic credentials makes one session and enters it in the registry that counts and
    // ends sessions; PUT /data/services/auth does not enter it (W/restlet/extensions/AuthenticationRestlet.java).
    const call: Call = { method: 'POST', path: xnatPath`/data/JSESSION`, idempotent: true, signal }
    try {
      const login = await this.#tried(call, (attempt) => this.#trySignIn(call, attempt))
      this.#hasSignedIn = true
      return login
    } catch (error) {
      if (error instanceof XnatError) this.#failedSignIns.add(error)
      throw error
    }
  }

  async #trySignIn(call: Call, attempt: Attempt): Promise<Login> {
    const answer = await this.#introduce(call, attempt)
    if (isNotLoggedIn(answer, undefined)) throw await this.#refuseSignIn(call, answer)
    const { headers, text, status } = await this.#receiveText(call, answer)
    const jsessionId = sessionCookie(headers) ?? text.trim()
    if (!/^[\w.!-]+$/.test(jsessionId)) throw this.#error(call, 'XNAT_UNEXPECTED_REPLY', status)
    return { jsessionId }
  }

  /** Sends the credentials; when they are refused and have been changed meanwhile, the new ones. */
  async #introduce(call: Call, attempt: Attempt): Promise<Answer> {
    if (this.#authorization === undefined) throw new Error('a client that was given its session does not sign in')
    const authorization = await this.#authorization({ isRefused: false })
    const answer = await exchange(this.#wire, call, { authorization }, attempt)
    if (!isNotLoggedIn(answer, undefined)) return answer
    const newer = await this.#authorization({ isRefused: true })
    if (newer === authorization) return answer
    await readText(call, answer)
    return exchange(this.#wire, call, { authorization: newer }, attempt)
  }

  async #refuseSignIn(call: Call, answer: Answer): Promise<XnatError> {
    const refusal = await this.#refusal(call, answer)
    // XNAT: too many sessions of the user and a wrong password are answered alike (XDAT AdminUtils.java). A password
    // that was good before points to the first, which passes.
    const error = this.#hasSignedIn
      ? new XnatError({ ...refusal, code: 'XNAT_BUSY', retryAfterMs: refusedSignInRestsMs })
      : refusal
    this.#refusedSignIn = { error, until: this.#settings.clock.now() + refusedSignInRestsMs }
    return error
  }

  async #receiveText(call: Call, answer: Answer): Promise<Reply> {
    const { status, headers, outgoing } = answer
    const text = await readText(call, answer)
    if (!isWanted(call, status)) throw errorFromAnswer(call, answer, text, this.#settings.clock.now())
    if (answer.html !== undefined && call.acceptHtml !== true && looksLikeHtml(text)) {
      throw this.#error(call, 'XNAT_UNEXPECTED_REPLY', status, 'a web page instead of data')
    }
    return { status, headers, text, tookWholeBody: outgoing.isSent() }
  }

  async #receiveData(call: Call, answer: Answer): Promise<Reply> {
    const reply = await this.#receiveText(call, answer)
    // XNAT: a database error is answered 200 with an empty body (RES/ExperimentListResource.java).
    if (reply.status === 200 && reply.text.trim() === '') {
      throw this.#error(call, 'XNAT_UNREACHABLE', reply.status, 'empty answer')
    }
    return reply
  }

  async #receiveStream(call: Call, answer: Answer): Promise<StreamReply> {
    const { status, headers, outgoing } = answer
    if (!isSuccess(status) || answer.page !== undefined) {
      const { text } = await this.#receiveText(call, answer)
      const bytes = answer.page ?? Buffer.from(text)
      return { status, headers, sizeBytes: bytes.length, body: Readable.from([bytes]) }
    }
    const length = headerValue(headers, 'content-length')
    const body = explained(answer.body, (error) =>
      call.signal?.aborted === true ? call.signal.reason : explainBreak(call, error, outgoing),
    )
    return { status, headers, sizeBytes: length === undefined ? undefined : Number(length), body }
  }

  async #refusal(call: Call, answer: Answer): Promise<XnatError> {
    const text = await readText(call, answer)
    // XNAT: an expired password or a disabled account is told by where the redirect points
    // (WEB/security/XnatExpiredPasswordFilter.java).
    const detail = headerValue(answer.headers, 'location') ?? detailOf(text)
    return this.#error(call, 'XNAT_UNAUTHORIZED', answer.status, detail)
  }

  #fitting<S extends z.ZodType>(schema: S, call: Call, status: number, value: unknown): z.output<S> {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    const { method, path } = call
    const code = 'XNAT_UNEXPECTED_REPLY'
    throw new XnatError({ code, method, pathTemplate: path.template, status, cause: parsed.error })
  }

  #error(call: Call, code: XnatErrorCode, status: number | undefined, detail?: string): XnatError {
    return new XnatError({ code, method: call.method, pathTemplate: call.path.template, status, detail })
  }
}

const BuildInfo = z.looseObject({ version: z.string(), buildNumber: z.string().optional() })
export type BuildInfo = z.infer<typeof BuildInfo>

function isWanted(call: Call, status: number): boolean {
  return isSuccess(status) || (call.accept ?? []).includes(status)
}

function cookieOf(login: Login): { cookie: string } {
  return { cookie: `JSESSIONID=${login.jsessionId}` }
}
