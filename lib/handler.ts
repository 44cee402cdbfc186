// The frames around every Lambda: what comes in is checked, errors are judged once, what goes out passes a schema.
import middy from '@middy/core'
import httpRouter from '@middy/http-router'
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
  SQSBatchItemFailure,
  SQSBatchResponse,
  SQSEvent,
  SQSRecord,
} from 'aws-lambda'
import type * as z from 'zod'
import { type ApiAnswer, gatewayResult, jsonAnswer, unroutedAnswer } from './api-answers.ts'
import { errorAnswer, notJson, parseRequest } from './api-errors.ts'
import type { OutgoingMessage } from './aws/queue.ts'
import { AppError, InvalidInputError, isHopeless } from './errors.ts'
import { parseJson } from './json.ts'
import { createLogger, errorFields, type Logger } from './log.ts'
import { backoffCeilingMs } from './retry.ts'
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

export interface RouteSpec<Request extends z.ZodObject, Answer extends z.ZodType> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** API Gateway's form: `/projects/{project_id}`. */
  path: string
  /** What generated clients call the act; no two routes share it. */
  operationId: string
  /** One sentence for the API's documentation. */
  summary: string
  /** Answers without a service key. */
  isOpen?: true
  /** Of `path`, `query` and `body`, those that the route reads. */
  request: Request
  /** What leaves: undeclared fields are dropped. */
  answer: Answer
  /** Which errors callers must expect, by status, and when. Those of the frame (401, 413, 422, 500) go without saying. */
  errors?: Readonly<Record<number, string>>
  run: (request: z.output<Request>, tools: Tools) => Promise<z.input<Answer>>
}

export type RouteDescription = Omit<RouteSpec<z.ZodObject, z.ZodType>, 'run'>

export interface Route {
  method: RouteSpec<z.ZodObject, z.ZodType>['method']
  path: string
  /** Absent where the route is no part of the documented API. */
  description?: RouteDescription
  handle: (event: APIGatewayProxyEventV2, tools: Tools) => Promise<ApiAnswer>
}

/** One HTTP route with the schemas of all that crosses it. */
export function route<Request extends z.ZodObject, Answer extends z.ZodType>(spec: RouteSpec<Request, Answer>): Route {
  const { run, ...description } = spec
  const readsBody = 'body' in spec.request.shape
  return {
    method: spec.method,
    path: spec.path,
    description,
    async handle(event, tools) {
      // FLIP's order: what is not JSON at all is refused before the key is looked at, a wrong key before a wrong body.
      const body = readsBody ? jsonBody(event) : undefined
      if (spec.isOpen !== true) requireServiceKey(event, tools)
      const parts = { path: event.pathParameters ?? {}, query: event.queryStringParameters ?? {}, body }
      return jsonAnswer(200, spec.answer.parse(await run(parseRequest(spec.request, parts), tools)))
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
      const tools = toolsFor(wire, context)
      log = tools.log
      answer = await unlessLate(handle(tools), tools.signal).catch((error: unknown) => {
        throw error instanceof DOMException && tools.signal.aborted ? outOfTime(error) : error
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

function requireServiceKey(event: APIGatewayProxyEventV2, { config }: Tools): void {
  const refusal = serviceKeyRefusal(event.headers[config.serviceKey.header], config.serviceKey.keys)
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

export interface Received<Message> {
  messageId: string
  message: Message
}

export interface WorkFailure {
  messageId: string
  error: unknown
  /** The part of the message that failed for good, when the rest of it was done. */
  body?: string
}

export interface QueueSpec<Message extends z.ZodType> {
  message: Message
  source: (wired: Wired) => SourceQueue
}

/**
 * The handler of a Lambda that takes a whole batch at once. `work` returns what it could not do; what it throws counts
 * for every message of the batch.
 *
 * An error that can never be cured goes to the dead-letter queue with its code, and its message is done. Any other
 * failure is reported to SQS, which hands the message in again after a growing wait and gives up by its redrive policy.
 */
export function batchHandler<Message extends z.ZodType>(
  spec: QueueSpec<Message> & { work: (batch: Received<z.output<Message>>[], tools: Tools) => Promise<WorkFailure[]> },
  wire: Wire,
) {
  return middy<SQSEvent, SQSBatchResponse>(async (event: SQSEvent, context: Context) => {
    const tools = toolsFor(wire, context)
    const { understood, failures } = parseMessages(event.Records, spec.message)
    const work = understood.length === 0 ? Promise.resolve([]) : spec.work(understood, tools)
    const failed = await unlessLate(work, tools.signal).catch((error: unknown) =>
      understood.map(({ messageId }) => ({ messageId, error })),
    )
    const ending = AbortSignal.timeout(Math.max(context.getRemainingTimeInMillis() - answerMs, 1))
    return settle(event.Records, [...failures, ...failed], { source: spec.source(tools), log: tools.log, ending })
  })
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

/** What the end of the time is to a caller: nothing failed for good, and what was begun may yet be done. */
const outOfTime = (cause: unknown) =>
  new AppError("not done within the function's time", { code: 'OUT_OF_TIME', retry: 'later', cause })

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
  return batchHandler({ message: spec.message, source: spec.source, work: oneByOne }, wire)
}

function parseMessages<Message extends z.ZodType>(records: readonly SQSRecord[], schema: Message) {
  const understood: Received<z.output<Message>>[] = []
  const failures: WorkFailure[] = []
  for (const { messageId, body } of records) {
    const parsed = schema.safeParse(parseJson(body))
    if (parsed.success) understood.push({ messageId, message: parsed.data })
    else
      failures.push({
        messageId,
        error: new InvalidInputError('The message is not of the known shape.', { code: 'MESSAGE_NOT_UNDERSTOOD' }),
      })
  }
  return { understood, failures }
}

/** SQS calls under way at a time: a whole batch that failed has to be handed back in the seconds that are left. */
const settledAtATime = 16

async function settle(
  records: readonly SQSRecord[],
  failures: readonly WorkFailure[],
  { source, log, ending }: { source: SourceQueue; log: Logger; ending: AbortSignal },
): Promise<SQSBatchResponse> {
  const byId = new Map(records.map((record) => [record.messageId, record]))
  const again = new Map<string, SQSBatchItemFailure>()
  const settleOne = async (failure: WorkFailure): Promise<void> => {
    const record = byId.get(failure.messageId)
    if (record === undefined) throw new Error('work reported a message that it was not given')
    log.warn('message failed', {
      messageId: record.messageId,
      attempt: attemptOf(record),
      ...errorFields(failure.error),
    })
    const isBuried =
      isHopeless(failure.error) && (await unlessEnded(buried(record, failure, source, log), ending, false))
    if (isBuried) return
    again.set(record.messageId, { itemIdentifier: record.messageId })
    await unlessEnded(postponed(record, failure.error, source, log), ending, undefined)
  }
  for (let start = 0; start < failures.length; start += settledAtATime) {
    await Promise.all(failures.slice(start, start + settledAtATime).map(settleOne))
  }
  return { batchItemFailures: [...again.values()] }
}

/** What the promise gives; `otherwise`, when the invocation is about to end before that. */
function unlessEnded<T>(promise: Promise<T>, ending: AbortSignal, otherwise: T): Promise<T> {
  if (ending.aborted) return Promise.resolve(otherwise)
  const { promise: ended, resolve } = Promise.withResolvers<T>()
  const onEnd = () => resolve(otherwise)
  ending.addEventListener('abort', onEnd, { once: true })
  return Promise.race([promise, ended]).finally(() => ending.removeEventListener('abort', onEnd))
}

const attemptOf = (record: SQSRecord) => Number(record.attributes.ApproximateReceiveCount)

/** Whether the failed message, or its failed part, now lies in the dead-letter queue. */
async function buried(record: SQSRecord, failure: WorkFailure, source: SourceQueue, log: Logger): Promise<boolean> {
  const { MessageGroupId: group } = record.attributes
  const code = failure.error instanceof AppError ? failure.error.code : 'UNEXPECTED'
  const letter: OutgoingMessage = {
    body: failure.body ?? record.body,
    attributes: { code, ...(group !== undefined && { group }) },
    // SQS: of a FIFO group nothing can be received while one of its messages is. Letters are looked through, so each is
    // given a group of its own; its old one is kept for when it is handed in again.
    ...(group !== undefined && {
      group: record.messageId,
      deduplicationId: `${record.messageId}-${record.attributes.ApproximateReceiveCount}`,
    }),
  }
  try {
    await source.deadLetters.send([letter])
    return true
  } catch (error) {
    log.error('dead letter not sent', { messageId: record.messageId, ...errorFields(error) })
    return false
  }
}

const redelivery = { baseMs: 10_000, capMs: 15 * 60_000 }

/** Sets when SQS hands the message in again; without it, the queue's visibility timeout would decide. */
async function postponed(record: SQSRecord, error: unknown, source: SourceQueue, log: Logger): Promise<void> {
  const wanted = error instanceof AppError ? error.retryAfterMs : undefined
  // At least half of each wait: all tries together are to outlast an hour, whatever chance says.
  const ceilingMs = backoffCeilingMs(redelivery, attemptOf(record))
  const delayMs = wanted ?? ceilingMs * (0.5 + Math.random() / 2)
  try {
    await source.queue.postpone(record.receiptHandle, delayMs)
  } catch (failure) {
    log.warn('message not postponed', { messageId: record.messageId, ...errorFields(failure) })
  }
}
