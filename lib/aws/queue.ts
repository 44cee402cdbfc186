// One SQS queue, as the product sees it: a place to send to. Receiving is Lambda's work.
import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { StorageError } from '../errors.ts'
import { orThrow } from './failure.ts'

export interface OutgoingMessage {
  body: string
  /** FIFO queues only: messages of one group are handled one after the other. Visible to operators: no labels. */
  group?: string
  /** FIFO queues only: the same id within five minutes is sent once. */
  deduplicationId?: string
  /** Visible to operators and metrics: codes and ids only. */
  attributes?: Readonly<Record<string, string>>
}

export interface Queue {
  /**
   * Sends all messages, in order, in as few calls as SQS allows.
   *
   * @throws {StorageError} when any of them was not taken; those before it may have been sent.
   */
  send(messages: readonly OutgoingMessage[]): Promise<void>
  /**
   * Hands a received message in again after this time, from 1 second to 12 hours; until then its FIFO group waits with it.
   *
   * @throws {StorageError} when the message is no longer held by this receiver.
   */
  postpone(receiptHandle: string, delayMs: number): Promise<void>
}

// SQS: a batch holds ten messages; one message and the sum of a batch may not pass 1 MiB (256 KiB until August 2025).
// The older bound is kept: it is what other implementations of SQS take.
const maxBatchMessages = 10
const maxVisibilitySeconds = 12 * 60 * 60
/** The largest message body that one may count on, in bytes of UTF-8. */
export const maxMessageBytes = 256 * 1024

export function createQueue(client: SQSClient, queueUrl: string): Queue {
  return {
    async send(messages) {
      for (const batch of batches(messages)) await sendBatch(client, queueUrl, batch)
    },
    async postpone(receiptHandle, delayMs) {
      const VisibilityTimeout = Math.min(Math.max(Math.ceil(delayMs / 1000), 1), maxVisibilitySeconds)
      const command = new ChangeMessageVisibilityCommand({
        QueueUrl: queueUrl,
        ReceiptHandle: receiptHandle,
        VisibilityTimeout,
      })
      await orThrow(client.send(command), 'ChangeMessageVisibility')
    },
  }
}

async function sendBatch(client: SQSClient, queueUrl: string, batch: readonly OutgoingMessage[]): Promise<void> {
  const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: batch.map(entry) })
  const reply = await orThrow(client.send(command), 'SendMessageBatch')
  const failed = reply.Failed ?? []
  if (failed.length === 0) return
  const blamed = failed.every((failure) => failure.SenderFault === true)
  throw new StorageError('SendMessageBatch: some messages were not taken', {
    code: blamed ? 'STORAGE_REFUSED' : 'STORAGE_BUSY',
    context: { messages: failed.length },
  })
}

function entry(message: OutgoingMessage, index: number): SendMessageBatchRequestEntry {
  const attributes = Object.entries(message.attributes ?? {})
  return {
    Id: String(index),
    MessageBody: message.body,
    ...(message.group && { MessageGroupId: message.group }),
    ...(message.deduplicationId && { MessageDeduplicationId: message.deduplicationId }),
    ...(attributes.length > 0 && {
      MessageAttributes: Object.fromEntries(
        attributes.map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
      ),
    }),
  }
}

function* batches(messages: readonly OutgoingMessage[]): Generator<OutgoingMessage[]> {
  let batch: OutgoingMessage[] = []
  let batchBytes = 0
  for (const message of messages) {
    const bytes = Buffer.byteLength(message.body) + attributeBytes(message)
    if (batch.length === maxBatchMessages || (batch.length > 0 && batchBytes + bytes > maxMessageBytes)) {
      yield batch
      batch = []
      batchBytes = 0
    }
    batch.push(message)
    batchBytes += bytes
  }
  if (batch.length > 0) yield batch
}

function attributeBytes(message: OutgoingMessage): number {
  const pairs = Object.entries(message.attributes ?? {})
  return pairs.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 6, 0)
}
