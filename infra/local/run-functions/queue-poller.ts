// Lambda's event source mapping for SQS: gathers batches, hands them to the function, deletes what went well.
// What failed is left to its visibility timeout, so that redrive is the queue's own doing.

import { setTimeout as sleep } from 'node:timers/promises'
import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { InvocationError } from './invocation-error.ts'
import { queueEvent, type ReceivedMessage, receivedMessage, succeeded } from './queue-event.ts'
import type { LocalSqsEvent } from './resolve-service.ts'
import { Slots } from './slots.ts'

// SQS: the most that one receive or one batch of deletions takes, and the longest wait.
const MAX_PER_CALL = 10
const LONG_POLL_SECONDS = 20
const PAUSE_AFTER_ERROR_MS = 1_000
// Lambda: a batch is full at 6 MB, the most that one invocation can carry. Quotes and line ends in a body take two
// bytes in the event, and the rest of a record some hundred.
const MAX_BATCH_BYTES = 5 * 1024 * 1024
// Lambda: it begins with five pollers, and without a maximum may go far beyond that.
const DEFAULT_CONCURRENCY = 5

export interface QueuePollerOptions {
  event: LocalSqsEvent
  region: string
  client: SQSClient
  invoke: (event: unknown) => Promise<unknown>
  log: (line: string) => void
}

export interface QueuePoller {
  /** Receives no more, and waits until the batches under way are done. */
  stop(): Promise<void>
}

export function queueConcurrency(event: LocalSqsEvent): number {
  return event.maximumConcurrency ?? DEFAULT_CONCURRENCY
}

export function startQueuePoller(options: QueuePollerOptions): QueuePoller {
  const stopping = new AbortController()
  const slots = new Slots(queueConcurrency(options.event))
  const underWay = new Set<Promise<void>>()

  function start(batch: readonly ReceivedMessage[]): void {
    const done = handleBatch(batch, options).finally(() => {
      slots.release()
      underWay.delete(done)
    })
    underWay.add(done)
  }

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      // A slot comes first: a message received without one would use up its visibility timeout waiting.
      await slots.take()
      const [first, ...others] = inParts(await gather(options, stopping.signal))
      if (first === undefined) slots.release()
      else start(first)
      for (const batch of others) {
        await slots.take()
        start(batch)
      }
    }
  }

  const polling = poll()
  return {
    async stop() {
      stopping.abort()
      await polling
      await Promise.all(underWay)
    },
  }
}

/** The messages for one batch; none when none came within a long poll, or the queue could not be reached. */
async function gather(options: QueuePollerOptions, signal: AbortSignal): Promise<ReceivedMessage[]> {
  const { event, log } = options
  const gathered: ReceivedMessage[] = []
  let waitSeconds = LONG_POLL_SECONDS
  let windowEnd = Number.POSITIVE_INFINITY
  try {
    do {
      const received = await receive(options, event.batchSize - gathered.length, waitSeconds, signal)
      if (received.length === 0 && gathered.length === 0) return []
      if (gathered.length === 0) windowEnd = Date.now() + event.batchingWindowSeconds * 1000
      gathered.push(...received)
      waitSeconds = Math.min(LONG_POLL_SECONDS, Math.ceil((windowEnd - Date.now()) / 1000))
    } while (waitSeconds > 0 && gathered.length < event.batchSize && totalBytes(gathered) < MAX_BATCH_BYTES)
  } catch (error) {
    // What was gathered before is handled all the same.
    if (signal.aborted) return gathered
    log(`Receiving from ${event.queue.name} failed: ${error}`)
    await pause(PAUSE_AFTER_ERROR_MS, signal)
  }
  return gathered
}

async function receive(
  { client, event }: QueuePollerOptions,
  wanted: number,
  waitSeconds: number,
  signal: AbortSignal,
): Promise<ReceivedMessage[]> {
  const { Messages: messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: event.queue.url,
      MaxNumberOfMessages: Math.min(MAX_PER_CALL, wanted),
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
    { abortSignal: signal },
  )
  return messages.map(receivedMessage)
}

async function handleBatch(batch: readonly ReceivedMessage[], options: QueuePollerOptions): Promise<void> {
  const { event, region, invoke, log } = options
  try {
    const result = await invoke(queueEvent(batch, event.queue, region))
    await deleteMessages(event.reportsItemFailures ? succeeded(batch, result) : batch, options)
  } catch (error) {
    // A function's own failure is logged where it runs.
    if (!(error instanceof InvocationError)) log(`A batch from ${event.queue.name} was given up: ${error}`)
  }
}

async function deleteMessages(messages: readonly ReceivedMessage[], options: QueuePollerOptions): Promise<void> {
  const { client, event, log } = options
  for (let start = 0; start < messages.length; start += MAX_PER_CALL) {
    const { Failed: failed = [] } = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: event.queue.url,
        Entries: messages
          .slice(start, start + MAX_PER_CALL)
          .map((message, index) => ({ Id: String(index), ReceiptHandle: message.receiptHandle })),
      }),
    )
    for (const { Code, Message } of failed) log(`Deleting from ${event.queue.name} failed: ${Code} ${Message}`)
  }
}

/** Cuts where one invocation would have to carry too much. */
function inParts(messages: readonly ReceivedMessage[]): ReceivedMessage[][] {
  const parts: ReceivedMessage[][] = []
  for (const message of messages) {
    const last = parts.at(-1)
    if (last !== undefined && totalBytes([...last, message]) <= MAX_BATCH_BYTES) last.push(message)
    else parts.push([message])
  }
  return parts
}

function totalBytes(messages: readonly ReceivedMessage[]): number {
  return messages.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
