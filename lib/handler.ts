// The frames around every Lambda: what comes in is checked, errors are judged once, what goes out passes a schema.
import middy from '@middy/core'
import httpRouter from '@middy/http-router'
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda'
import * as z from 'zod'
import { type ApiAnswer, gatewayResult, jsonAnswer, unroutedAnswer } from './api-answers.ts'
import { errorAnswer, notJson, parseRequest } from './api-errors.ts'
import { AppError, ConfigError, codeOf, InvalidInputError } from './errors.ts'
import { createLogger, errorFields } from './log.ts'
import { hold, type Received, settle, sortMessages, unlessEnded, type WorkFailure } from './queue-messages.ts'
import { serviceKeyRefusal } from './service-key.ts'
import type { SourceQueue, Wire, Wired } from './wire.ts'

/** What every piece of work is given besides its input. */
export type Tools = Wired & {
  /** Aborted shortly before Lambda would cut the function off. */
  signal: AbortSignal
}

// Enough to end what is under way in order and to say so: an abort, a log line, the answer.
const marginMs = 2_000

const invocationOf = (context: Context) => ({ requestId: context.awsRequestId, functionName: context.functionName })

function toolsFor(wire: Wire, context: Context): Tools {
  const wired = wire()
  const log = wired.log.with(invocationOf(context))
  const remainingMs = Math.max(context.getRemainingTimeInMillis() - marginMs, 1)
  return { ...wired, log, signal: AbortSignal.timeout(remainingMs) }
}

/** Does the work of one invocation, and writes what was measured in it. */
async function invoke<T>(wire: Wire, context: Context, work: (tools: Tools) => Promise<T>): Promise<T> {
  const tools = toolsFor(wire, context)
  try {
    return await work(tools)
  } finally {
    tools.metrics.flush()
  }
}

/** As `invoke`, where nobody is answered: what the work dies of is logged, and leaves the function without its words. */
async function invokeUnasked<T>(wire: Wire, context: Context, work: (tools: Tools) => Promise<T>): Promise<T> {
  let log = unwiredLog.with(invocationOf(context))
  try {
    return await invoke(wire, context, (tools) => {
      log = tools.log
      return work(tools)
    })
  } catch (error) {
    log.error('invocation failed', errorFields(error))
    // Lambda: logs what a handler throws, with its message and all its fields, which may quote what was worked on
    // (aws-lambda-nodejs-runtime-interface-client, Errors.js). Bad settings are told: they name variables alone.
    throw error instanceof ConfigError ? error : new Error(codeOf(error))
  }
}

/** What `run` gives back when the work goes on after the answer: 202, with the address that tells how it stands. */
export class Accepted<Body> {
  readonly location: string
  readonly body: Body

  constructor(location: string, body: Body) {
    this.location = location
    this.body = body
  }
}

export interface RouteSpec<
  Request extends z.ZodObject,
  Answer extends z.ZodType,
  State extends z.ZodType = z.ZodNever,
> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** API Gateway's form: `/projects/{project_id}`. */
  path: string
  /** What generated clients call the act; no two routes share it. */
  operationId: string
  /** One sentence for the API's documentation. */
  summary: string
  /** Answers without a service key. */
  isOpen?: true
  /** Of `path`, `query`, `headers` and `body`, those that the route reads. Names of headers are in lower case. */
  request: Request
  /** What leaves: undeclared fields are dropped. */
  answer: Answer
  /** 202: what was asked for is never done yet when the answer leaves. 200 when left out. */
  status?: 200 | 202
  /** What leaves with 202, where that depends on the request. */
  accepted?: State
  /** Which errors callers must expect, by status, and when. Those of the frame (401, 413, 422, 500) go without saying. */
  errors?: Readonly<Record<number, string>>
  run: (request: z.output<Request>, tools: Tools) => Promise<z.input<Answer> | Accepted<z.input<State>>>
}

export type RouteDescription = Omit<RouteSpec<z.ZodObject, z.ZodType, z.ZodType>, 'run'>

export interface Route {
  method: RouteSpec<z.ZodObject, z.ZodType>['method']
  path: string
  /** Absent where the route is no part of the documented API. */
  description?: RouteDescription
  handle: (event: APIGatewayProxyEventV2, tools: Tools) => Promise<ApiAnswer>
}

/** One HTTP route with the schemas of all that crosses it. */
export function route<Request extends z.ZodObject, Answer extends z.ZodType, State extends z.ZodType = z.ZodNever>(
  spec: RouteSpec<Request, Answer, State>,
): Route {
  const { run, ...description } = spec
  const readsBody = 'body' in spec.request.shape
  return {
    method: spec.method,
    path: spec.path,
    description,
    async handle(event, tools) {
      // FLIP's order: what is not JSON at all is refused before the key is looked at, a wrong key before a wrong body.
      const body = readsBody ? jsonBody(event) : undefined
      if (spec.isOpen !== true) await requireServiceKey(event, tools)
      const { pathParameters: path = {}, queryStringParameters: query = {}, headers } = event
      const result = await run(parseRequest(spec.request, { path, query, headers, body }), tools)
      if (!(result instanceof Accepted)) return jsonAnswer(spec.status ?? 200, spec.answer.parse(result))
      return jsonAnswer(202, spec.accepted?.parse(result.body), { location: result.location })
    },
  }
}

/** A text that everyone may read without a key, such as a page and what belongs to it. */
export function textRoute(spec: {
  path: string
  headers: { 'content-type': string; 'content-security-policy'?: string }
  text: (tools: Tools) => string
}): Route {
  const { path, headers, text } = spec
  return { method: 'GET', path, handle: async (_, tools) => ({ status: 200, headers, body: text(tools) }) }
}

/**
 * The handler of a Lambda behind API Gateway's HTTP API that answers these routes. What none of them takes is judged by
 * the routes that are `known` to exist, here or in other functions.
 */
export function apiHandler(routes: readonly Route[], wire: Wire, known: readonly Route[] = routes) {
  const answered = async (name: string, context: Context, handle: (tools: Tools) => Promise<ApiAnswer>) => {
    const startedAt = performance.now()
    const outcome = (status: number) => ({ route: name, status, ms: Math.round(performance.now() - startedAt) })
    let log = unwiredLog.with(invocationOf(context))
    let answer: ApiAnswer
    try {
      answer = await invoke(wire, context, async (tools) => {
        log = tools.log
        try {
          return await unlessLate(handle(tools), tools.signal)
        } catch (cause) {
          const error = outOfTimeOr(cause, tools.signal)
          if (errorAnswer(error).status >= 500) {
            tools.metrics.add('RequestsFailed', 1, { Function: context.functionName, Code: codeOf(error) })
          }
          throw error
        }
      })
      log.info('request answered', outcome(answer.status))
    } catch (error) {
      answer = answerToError(error)
      const fields = { ...outcome(answer.status), ...errorFields(error) }
      if (answer.status >= 500) log.error('request failed', fields)
      else log.info('request refused', fields)
    }
    return gatewayResult(answer, context.awsRequestId)
  }
  const router = httpRouter<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>({
    routes: routes.map((target) => ({
      method: target.method,
      path: target.path,
      handler: (event: APIGatewayProxyEventV2, context: Context) =>
        answered(`${target.method} ${target.path}`, context, (tools) => target.handle(event, tools)),
    })),
    notFoundResponse: () => undefined,
  })
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>(
    async (event: APIGatewayProxyEventV2, context: Context) => {
      const taken: APIGatewayProxyStructuredResultV2 | undefined = await router(event, context)
      if (taken !== undefined) return taken
      const { method, path } = event.requestContext.http
      const request = { method, path, query: event.rawQueryString }
      return answered('none', context, async () => unroutedAnswer(request, known))
    },
  )
}

const unwiredLog = createLogger({ level: 'info' })

function answerToError(error: unknown): ApiAnswer {
  const { status, detail, retryAfterSeconds } = errorAnswer(error)
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return jsonAnswer(status, { detail }, headers)
}

async function requireServiceKey(event: APIGatewayProxyEventV2, { config, secrets }: Tools): Promise<void> {
  const given = event.headers[config.serviceKey.header]
  if (serviceKeyRefusal(given, await secrets.serviceKeys.get()) === undefined) return
  // It may be newer than what was read last.
  const refusal = serviceKeyRefusal(given, await secrets.serviceKeys.renewed())
  if (refusal !== undefined) throw new InvalidInputError(refusal, { code: 'SERVICE_KEY_REFUSED' })
}

const maxBodyBytes = 1024 ** 2

function jsonBody({ body, isBase64Encoded }: APIGatewayProxyEventV2): unknown {
  if (body === undefined || body === '') return undefined
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
  if (bytes.length > maxBodyBytes) {
    throw new InvalidInputError('Request body is too large.', { code: 'BODY_TOO_LARGE' })
  }
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw notJson()
  }
}

/** A message that will not be tried again. */
export interface GivenUp<Message> {
  message: Message
  /** Of the error that ended it. */
  code: string
  sentAt: Date
  /** When the function was told of it. */
  startedAt: Date
}

export interface QueueSpec<Message extends z.ZodType> {
  message: Message
  source: (wired: Wired) => SourceQueue
  /**
   * How many tries a message is given, fewer than SQS's redrive policy allows: when the last fails, or dies, it becomes a
   * dead letter with its code. Left out: SQS alone ends it, and tells no reason.
   */
  tries?: (wired: Wired) => number
  /**
   * Keeps messages hidden for as long as the function can live, whatever the queue's visibility timeout: none is handed in
   * a second time beside the first, and those of a function that died come again soon after.
   */
  isHeld?: boolean
  /** Leaves word of a message that is given up, before it becomes a dead letter. When that fails, it is handed back. */
  giveUp?: (given: GivenUp<z.output<Message>>, tools: Wired) => Promise<void>
}

/**
 * The handler of a Lambda that takes a whole batch at once. `work` returns what it could not do; what it throws counts
 * for every message of the batch.
 *
 * An error that can never be cured goes to the dead-letter queue with its code, and its message is done. Any other
 * failure is reported to SQS, which hands the message in again after a growing wait, until its tries are spent.
 */
export function batchHandler<Message extends z.ZodType>(
  spec: QueueSpec<Message> & { work: (batch: Received<z.output<Message>>[], tools: Tools) => Promise<WorkFailure[]> },
  wire: Wire,
) {
  const handle = async (event: SQSEvent, context: Context, tools: Tools): Promise<SQSBatchResponse> => {
    const startedAt = new Date()
    const tries = spec.tries?.(tools) ?? Number.POSITIVE_INFINITY
    const { due, spent, failures } = sortMessages(event.Records, { message: spec.message, tries })
    const source = spec.source(tools)
    const held =
      spec.isHeld === true ? hold(due, context.getRemainingTimeInMillis(), { source, log: tools.log }) : undefined
    const work = due.length === 0 ? Promise.resolve([]) : spec.work(due, tools)
    const failed = await unlessLate(work, tools.signal).catch((error: unknown) =>
      due.map(({ messageId }) => ({ messageId, error })),
    )
    const ending = AbortSignal.timeout(Math.max(context.getRemainingTimeInMillis() - answerMs, 1))
    // It must not come after the wait that is set for a message that failed.
    if (held !== undefined) await unlessEnded(held, ending, undefined)
    const giveUp = async (id: string, code: string) => {
      const given = [...due, ...spent].find(({ messageId }) => messageId === id)
      if (given !== undefined) await spec.giveUp?.({ ...given, code, startedAt }, tools)
    }
    const measure = (name: 'MessagesFailed' | 'DeadLetters', code: string) =>
      tools.metrics.add(name, 1, { Function: context.functionName, Code: code })
    return settle(
      event.Records,
      [...failures, ...failed.map((failure) => ({ ...failure, error: outOfTimeOr(failure.error, tools.signal) }))],
      { source, log: tools.log, tries, giveUp, ending, measure },
    )
  }
  return middy<SQSEvent, SQSBatchResponse>((event: SQSEvent, context: Context) =>
    invokeUnasked(wire, context, (tools) => handle(event, context, tools)),
  )
}

// What is left for the answer alone, of the margin that the work is told of.
const answerMs = 400
// Work that heeds the signal needs a moment to end in order, and to say how far it came.
const graceMs = 800

/** The work's own end; an error when it goes on although it was told to stop. */
async function unlessLate<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  let timer: NodeJS.Timeout | undefined
  const onAbort = () => {
    timer = setTimeout(() => reject(signal.reason), graceMs)
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** The end of the time by its name: nothing failed for good, and what was begun may yet be done. */
const outOfTimeOr = (error: unknown, signal: AbortSignal) =>
  error instanceof DOMException && signal.aborted
    ? new AppError("not done within the function's time", { code: 'OUT_OF_TIME', retry: 'later', cause: error })
    : error

/** As `batchHandler`, for work that takes one message at a time. A FIFO queue keeps its order with a batch size of 1. */
export function queueHandler<Message extends z.ZodType>(
  spec: QueueSpec<Message> & { work: (message: z.output<Message>, tools: Tools) => Promise<void> },
  wire: Wire,
) {
  const oneByOne = async (batch: Received<z.output<Message>>[], tools: Tools) => {
    const failures: WorkFailure[] = []
    for (const { messageId, message } of batch) {
      await spec.work(message, tools).catch((error: unknown) => failures.push({ messageId, error }))
    }
    return failures
  }
  return batchHandler({ ...spec, work: oneByOne }, wire)
}

const ScheduledEvent = z.object({
  /** When the schedule fired, as EventBridge says it: the same when the event comes twice. */
  time: z.iso.datetime(),
})

/** The handler of a Lambda that EventBridge calls by a schedule. What it throws, Lambda tries twice more. */
export function scheduleHandler(
  work: (event: z.output<typeof ScheduledEvent>, tools: Tools) => Promise<void>,
  wire: Wire,
) {
  return middy(
    (event: unknown, context: Context): Promise<void> =>
      invokeUnasked(wire, context, async (tools) => unlessLate(work(ScheduledEvent.parse(event), tools), tools.signal)),
  )
}
