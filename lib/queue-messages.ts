// SQS messages as functions take them: which are worth a try, and what becomes of those that fail.
import type { SQSBatchItemFailure, SQSBatchResponse, SQSRecord } from 'aws-lambda'
import type * as z from 'zod'
import type { OutgoingMessage } from './aws/queue.ts'
import { AppError, codeOf, InvalidInputError, isHopeless } from './errors.ts'
import { mapInParts } from './in-parts.ts'
import { parseJson } from './json.ts'
import { errorFields, type Logger } from './log.ts'
import { backoffCeilingMs } from './retry.ts'
import type { SourceQueue } from './wire.ts'

export interface Received<Message> {
  messageId: string
  message: Message
  receiptHandle: string
  /** When it came into the queue, by SQS's clock. */
  sentAt: Date
}

export interface WorkFailure {
  messageId: string
  error: unknown
  /** The part of the message that failed for good, when the rest of it was done. */
  body?: string
}

/** Tells messages that are worth a try from those that are not understood, and those that were tried `tries` times. */
export function sortMessages<Message extends z.ZodType>(
  records: readonly SQSRecord[],
  { message: schema, tries }: { message: Message; tries: number },
): { due: Received<z.output<Message>>[]; spent: Received<z.output<Message>>[]; failures: WorkFailure[] } {
  const due: Received<z.output<Message>>[] = []
  const spent: Received<z.output<Message>>[] = []
  const failures: WorkFailure[] = []
  for (const record of records) {
    const { messageId, body, receiptHandle } = record
    const parsed = schema.safeParse(parseJson(body))
    if (!parsed.success) {
      failures.push({ messageId, error: notUnderstood() })
      continue
    }
    const sentAt = new Date(Number(record.attributes.SentTimestamp))
    const isSpent = attemptOf(record) > tries
    const place = isSpent ? spent : due
    place.push({ messageId, message: parsed.data, receiptHandle, sentAt })
    if (isSpent) failures.push({ messageId, error: triesSpent() })
  }
  return { due, spent, failures }
}

const attemptOf = (record: SQSRecord) => Number(record.attributes.ApproximateReceiveCount)

const notUnderstood = () =>
  new InvalidInputError('The message is not of the known shape.', { code: 'MESSAGE_NOT_UNDERSTOOD' })

const triesSpent = () => new AppError('the last try died', { code: 'TRIES_SPENT', retry: 'never' })

/** XNAT may still be at work on what a function had sent that died. */
const afterlifeMs = 30_000

/**
 * Hides messages until the function that has them cannot be alive any more. One call suffices, since Lambda says how long
 * that is; were the time extended bit by bit, an SQS that is away for a while would let a second writer in beside the first.
 */
export async function hold(
  messages: readonly Received<unknown>[],
  remainingMs: number,
  { source, log }: Pick<SettleDeps, 'source' | 'log'>,
): Promise<void> {
  const holdOne = async ({ messageId, receiptHandle }: Received<unknown>) => {
    try {
      await source.queue.postpone(receiptHandle, remainingMs + afterlifeMs)
    } catch (error) {
      // The queue's own visibility timeout holds then.
      log.warn('message not held', { messageId, ...errorFields(error) })
    }
  }
  await Promise.all(messages.map(holdOne))
}

interface SettleDeps {
  source: SourceQueue
  log: Logger
  /** A message that fails at this try is given up. */
  tries: number
  /** Leaves word of a message that is given up, before it becomes a dead letter. */
  giveUp: (messageId: string, code: string) => Promise<void>
  /** Aborted when the answer has to be given. */
  ending: AbortSignal
  measure: (name: 'MessagesFailed' | 'DeadLetters', code: string) => void
}

/** SQS calls under way at a time: a whole batch that failed has to be handed back in the seconds that are left. */
const settledAtATime = 16

/** Buries what is given up, postpones the rest, and tells SQS which messages are not done. */
export async function settle(
  records: readonly SQSRecord[],
  failures: readonly WorkFailure[],
  deps: SettleDeps,
): Promise<SQSBatchResponse> {
  const { source, log, tries, ending, measure } = deps
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
    measure('MessagesFailed', codeOf(failure.error))
    const isGivenUp = isHopeless(failure.error) || attemptOf(record) >= tries
    if (isGivenUp && (await unlessEnded(buried(record, failure, deps), ending, false))) {
      measure('DeadLetters', codeOf(failure.error))
      return
    }
    again.set(record.messageId, { itemIdentifier: record.messageId })
    await unlessEnded(postponed(record, failure.error, source, log), ending, undefined)
  }
  await mapInParts(failures, settleOne, settledAtATime)
  return { batchItemFailures: [...again.values()] }
}

/** What the promise gives; `otherwise`, when the invocation is about to end before that. */
export function unlessEnded<T>(promise: Promise<T>, ending: AbortSignal, otherwise: T): Promise<T> {
  if (ending.aborted) return Promise.resolve(otherwise)
  const { promise: ended, resolve } = Promise.withResolvers<T>()
  const onEnd = () => resolve(otherwise)
  ending.addEventListener('abort', onEnd, { once: true })
  return Promise.race([promise, ended]).finally(() => ending.removeEventListener('abort', onEnd))
}

/** Whether the failed message, or its failed part, now lies in the dead-letter queue. */
async function buried(record: SQSRecord, failure: WorkFailure, deps: SettleDeps): Promise<boolean> {
  const { MessageGroupId: group } = record.attributes
  const code = codeOf(failure.error)
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
    await deps.giveUp(record.messageId, code)
    await deps.source.deadLetters.send([letter])
    return true
  } catch (error) {
    deps.log.error('message not given up', { messageId: record.messageId, ...errorFields(error) })
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
