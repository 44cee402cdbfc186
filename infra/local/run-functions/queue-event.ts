// SQS messages as Lambda hands them to a function, and what it makes of the function's answer.

import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs'
import type { SQSEvent, SQSMessageAttribute, SQSRecord } from 'aws-lambda'
import * as z from 'zod'
import type { LocalQueue } from './resolve-resources.ts'

/** A message as it was received, with what is needed to delete it. */
export interface ReceivedMessage {
  messageId: string
  receiptHandle: string
  body: string
  groupId: string | undefined
  received: Message
}

const Receipt = z.object({ MessageId: z.string(), ReceiptHandle: z.string(), Body: z.string() })

export function receivedMessage(received: Message): ReceivedMessage {
  const { MessageId: messageId, ReceiptHandle: receiptHandle, Body: body } = Receipt.parse(received)
  return { messageId, receiptHandle, body, groupId: received.Attributes?.MessageGroupId, received }
}

export function queueEvent(messages: readonly ReceivedMessage[], queue: LocalQueue, region: string): SQSEvent {
  return { Records: messages.map((message) => record(message, queue, region)) }
}

function record(message: ReceivedMessage, queue: LocalQueue, region: string): SQSRecord {
  const { Attributes: attributes, MessageAttributes, MD5OfBody, MD5OfMessageAttributes } = message.received
  return {
    messageId: message.messageId,
    receiptHandle: message.receiptHandle,
    body: message.body,
    attributes: {
      ...attributes,
      ApproximateReceiveCount: attributes?.ApproximateReceiveCount ?? '',
      SentTimestamp: attributes?.SentTimestamp ?? '',
      SenderId: attributes?.SenderId ?? '',
      ApproximateFirstReceiveTimestamp: attributes?.ApproximateFirstReceiveTimestamp ?? '',
    },
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes ?? {}).map(([name, value]) => [name, messageAttribute(value)]),
    ),
    md5OfBody: MD5OfBody ?? '',
    ...(MD5OfMessageAttributes !== undefined && { md5OfMessageAttributes: MD5OfMessageAttributes }),
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion: region,
  }
}

function messageAttribute({ DataType, StringValue, BinaryValue }: MessageAttributeValue): SQSMessageAttribute {
  return {
    ...(StringValue !== undefined && { stringValue: StringValue }),
    ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
    stringListValues: [],
    binaryListValues: [],
    dataType: DataType ?? 'String',
  }
}

const BatchResponse = z
  .object({
    batchItemFailures: z
      .array(z.object({ itemIdentifier: z.string().min(1) }))
      .nullish()
      .transform((failures) => failures ?? []),
  })
  .nullable()

/**
 * The messages to delete after the function answered `result`.
 *
 * Lambda: nothing reported means that all went well; an answer that cannot be read, or names a message that was not
 * in the batch, means that nothing did (developer guide, "Implementing partial batch responses").
 */
export function succeeded(messages: readonly ReceivedMessage[], result: unknown): readonly ReceivedMessage[] {
  const response = BatchResponse.safeParse(result)
  if (!response.success) return []
  const failed = new Set(response.data?.batchItemFailures.map((failure) => failure.itemIdentifier))
  const rest = messages.filter((message) => !failed.has(message.messageId))
  const everyFailureIsKnown = messages.length - rest.length === failed.size
  return everyFailureIsKnown ? rest : []
}
