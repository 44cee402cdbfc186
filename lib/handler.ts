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
import { errorAnswer, notJson, parseRequest } from './api-errors.ts'
import type { OutgoingMessage } from './aws/queue.ts'
import { AppError, InvalidInputError } from './errors.ts'
import { createLogger, errorFields, type Logger } from './log.ts'
import { backoffMs } from './retry.ts'
import { serviceKeyRefusal } from './service-key.ts'
import type { SourceQueue, Wire, Wired } from './wire.ts'

/** What every piece of work is given besides its input. */
export type Tools = Wired & {
  /** Aborted shortly before Lambda would cut the function off. */
  signal: AbortSignal
}

// Enough to end what is under way in order and to say so: an abort, a log line, the answer.
const marginMs = 2_000

function toolsFor(wire: Wire, context: Context): Tools {
  const wired = wire()
  const log = wired.log.with({ requestId: context.awsRequestId, functionName: context.functionName })
  const remainingMs = Math.max(context.getRemainingTimeInMillis() - marginMs, 1)
  return { ...wired, log, signal: AbortSignal.timeout(remainingMs) }
}

export interface RouteSpec<Request extends z.ZodObject, Answer extends z.ZodType> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** API Gateway's form: `/projects/{project_id}`. */
  path: string
  /** Answers without a service key. */
  isOpen?: true
  /** Of `path`, `query` and `body`, those that the route reads. */
  request: Request
  /** What leaves: undeclared fields are dropped. */
  answer: Answer
  run: (request: z.output<Request>, tools: Tools) => Promise<z.input<Answer>>
}

export interface Route {
  method: RouteSpec<z.ZodObject, z.ZodType>['method']
  path: string
  handle: (event: APIGatewayProxyEventV2, tools: Tools) => Promise<unknown>
}

/** One HTTP route with the schemas of all that crosses it. */
export function route<Request extends z.ZodObject, Answer extends z.ZodType>(spec: RouteSpec<Request, Answer>): Route {
  const readsBody = 'body' in spec.request.shape
  return {
    method: spec.method,
    path: spec.path,
    async handle(event, tools) {
      // FLIP's order: what is not JSON at all is refused before the key is looked at, a wrong key before a wrong body.
      const body = readsBody ? jsonBody(event) : undefined
      if (spec.isOpen !== true) requireServiceKey(event, tools)
      const parts = { path: event.pathParameters ?? {}, query: event.queryStringParameters ?? {}, body }
      return spec.answer.parse(await spec.run(parseRequest(spec.request, parts), tools))
    },
  }
}

/** The handler of a Lambda behind API Gateway's HTTP API that answers these routes. */
export function apiHandler(routes: readonly Route[], wire: Wire) {
  const answered = async (target: Route, event: APIGatewayProxyEventV2, context: Context) => {
    const startedAt = performance.now()
    let log = unwiredLog
    try {
      const tools = toolsFor(wire, context)
      log = tools.log
      const answer = jsonAnswer(200, await target.handle(event, tools))
      log.info('request answered', { ...outcome(target, startedAt), status: 200 })
      return answer
    } catch (error) {
      const { status, detail, retryAfterSeconds } = errorAnswer(error)
      const fields = { ...outcome(target, startedAt), ...errorFields(error), status }
      if (status >= 500) log.error('request failed', fields)
      else log.info('request refused', fields)
      return jsonAnswer(status, { detail }, retryAfterSeconds)
    }
  }
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>(
    httpRouter<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>({
      routes: routes.map((target) => ({
        method: target.method,
        path: target.path,
        handler: (event: APIGatewayProxyEventV2, context: Context) => answered(target, event, context),
      })),
      notFoundResponse: () => jsonAnswer(404, { detail: 'Not Found' }),
    }),
  )
}

const unwiredLog = createLogger({ level: 'info' })

const outcome = (target: Route, startedAt: number) => ({
  route: `${target.method} ${target.path}`,
  ms: Math.round(performance.now() - startedAt),
})

function requireServiceKey(event: APIGatewayProxyEventV2, { config }: Tools): void {
  const refusal = serviceKeyRefusal(event.headers[config.serviceKey.header], config.serviceKey.keys)
  if (refusal !== undefined) throw new InvalidInputError(refusal, { code: 'SERVICE_KEY_REFUSED' })
}

function jsonBody(event: APIGatewayProxyEventV2): unknown {
  if (event.body === undefined || event.body === '') return undefined
  const text = event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString('utf8') : event.body
  try {
    return JSON.parse(text)
  } catch {
    throw notJson()
  }
}

function jsonAnswer(status: number, body: unknown, retryAfterSeconds?: number): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify(body),
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
    const failed = await work.catch((error: unknown) => understood.map(({ messageId }) => ({ messageId, error })))
    return settle(event.Records, [...failures, ...failed], spec.source(tools), tools.log)
  })
}

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
    const parsed = schema.safeParse(parsedJson(body))
    if (parsed.success) understood.push({ messageId, message: parsed.data })
    else
      failures.push({
        messageId,
        error: new InvalidInputError('The message is not of the known shape.', { code: 'MESSAGE_NOT_UNDERSTOOD' }),
      })
  }
  return { understood, failures }
}

/** The value that JSON text stands for; `undefined`, which no schema takes, for text that is not JSON. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function settle(
  records: readonly SQSRecord[],
  failures: readonly WorkFailure[],
  source: SourceQueue,
  log: Logger,
): Promise<SQSBatchResponse> {
  const byId = new Map(records.map((record) => [record.messageId, record]))
  const again = new Map<string, SQSBatchItemFailure>()
  for (const failure of failures) {
    const record = byId.get(failure.messageId)
    if (record === undefined) throw new Error('work reported a message that it was not given')
    log.warn('message failed', {
      messageId: record.messageId,
      attempt: attemptOf(record),
      ...errorFields(failure.error),
    })
    const isSettled = isForGood(failure.error) && (await buried(record, failure, source, log))
    if (isSettled) continue
    again.set(record.messageId, { itemIdentifier: record.messageId })
    await postponed(record, failure.error, source, log)
  }
  return { batchItemFailures: [...again.values()] }
}

const isForGood = (error: unknown): error is AppError => error instanceof AppError && error.retry === 'never'
const attemptOf = (record: SQSRecord) => Number(record.attributes.ApproximateReceiveCount)

/** Whether the failed message, or its failed part, now lies in the dead-letter queue. */
async function buried(record: SQSRecord, failure: WorkFailure, source: SourceQueue, log: Logger): Promise<boolean> {
  const { MessageGroupId: group } = record.attributes
  const code = failure.error instanceof AppError ? failure.error.code : 'UNEXPECTED'
  const letter: OutgoingMessage = {
    body: failure.body ?? record.body,
    attributes: { code },
    ...(group !== undefined && {
      group,
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
  const delayMs = wanted ?? backoffMs(redelivery, attemptOf(record), Math.random)
  try {
    await source.queue.postpone(record.receiptHandle, delayMs)
  } catch (failure) {
    log.warn('message not postponed', { messageId: record.messageId, ...errorFields(failure) })
  }
}
