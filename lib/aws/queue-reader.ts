// One SQS queue that is looked into by hand: dead letters. What feeds functions is received by Lambda.
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { StorageError } from '../errors.ts'
import { parts } from '../in-parts.ts'
import { orThrow } from './failure.ts'

export interface ReceivedMessage {
  messageId: string
  /** Names this receipt of the message, for as long as it is hidden. */
  receiptHandle: string
  body: string
  sentAt: Date
  /** FIFO queues only. */
  group: string | undefined
  attributes: Readonly<Record<string, string>>
}

export interface QueueReader {
  /** How many messages wait, hidden ones included, about: SQS counts roughly. */
  count(options?: { signal?: AbortSignal }): Promise<number>
  /**
   * Up to ten messages, hidden from all others for `hiddenSeconds`. SQS has no way to look without receiving. Of a FIFO
   * group nothing comes while messages of it are hidden. None at all means that, and not that the queue is empty.
   */
  receive(options: { hiddenSeconds: number; signal?: AbortSignal }): Promise<ReceivedMessage[]>
  /** Shows hidden messages again. One that is no longer hidden is shown already. */
  release(receiptHandles: readonly string[]): Promise<void>
  /** @throws {StorageError} when one of them was not deleted. */
  remove(receiptHandles: readonly string[]): Promise<void>
}

const maxBatch = 10

export function createQueueReader(client: SQSClient, queueUrl: string): QueueReader {
  const QueueUrl = queueUrl
  return {
    async count({ signal } = {}) {
      const command = new GetQueueAttributesCommand({
        QueueUrl,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      })
      const reply = await orThrow(client.send(command, signal && { abortSignal: signal }), 'GetQueueAttributes')
      const { ApproximateNumberOfMessages = 0, ApproximateNumberOfMessagesNotVisible = 0 } = reply.Attributes ?? {}
      return Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesNotVisible)
    },
    async receive({ hiddenSeconds, signal }) {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: maxBatch,
        VisibilityTimeout: hiddenSeconds,
        // SQS: without a wait only some of its servers are asked, and a queue with few messages seems empty.
        WaitTimeSeconds: 1,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['SentTimestamp', 'MessageGroupId'],
      })
      const reply = await orThrow(client.send(command, signal && { abortSignal: signal }), 'ReceiveMessage')
      return (reply.Messages ?? []).map(({ MessageId, ReceiptHandle, Body, Attributes, MessageAttributes }) => ({
        messageId: MessageId ?? '',
        receiptHandle: ReceiptHandle ?? '',
        body: Body ?? '',
        sentAt: new Date(Number(Attributes?.SentTimestamp ?? 0)),
        group: Attributes?.MessageGroupId,
        attributes: Object.fromEntries(
          Object.entries(MessageAttributes ?? {}).map(([name, { StringValue = '' }]) => [name, StringValue]),
        ),
      }))
    },
    async release(receiptHandles) {
      for (const batch of parts(receiptHandles, maxBatch)) {
        const Entries = batch.map((ReceiptHandle, index) => ({ Id: `${index}`, ReceiptHandle, VisibilityTimeout: 0 }))
        const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries })
        await orThrow(client.send(command), 'ChangeMessageVisibilityBatch')
      }
    },
    async remove(receiptHandles) {
      for (const batch of parts(receiptHandles, maxBatch)) {
        const Entries = batch.map((ReceiptHandle, index) => ({ Id: `${index}`, ReceiptHandle }))
        const reply = await orThrow(
          client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })),
          'DeleteMessageBatch',
        )
        const left = reply.Failed?.length ?? 0
        if (left === 0) continue
        const context = { messages: left }
        throw new StorageError('DeleteMessageBatch left some messages', { code: 'STORAGE_BUSY', context })
      }
    },
  }
}
