import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { type Agent, agentHandler } from './agent-handler.ts'
import { createObjectStore, type ObjectStore } from './objects.ts'
import { createQueue, type Queue } from './queue.ts'
import { createQueueReader, type QueueReader } from './queue-reader.ts'

/**
 * Opens buckets and queues with the credentials, region and endpoints of the environment, as Lambda sets them.
 * Object bodies flow through `agent`; queues, whose messages are small, use the SDK's own.
 */
export function createAws(agent: Agent): {
  bucket: (name: string) => ObjectStore
  queue: (url: string) => Queue
  queueReader: (url: string) => QueueReader
} {
  const s3 = new S3Client({
    requestHandler: agentHandler(agent),
    // S3: a stored CRC64NVME is checked in JavaScript, at a third of the speed. Deliveries are proved by MD5 against XNAT.
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const sqs = new SQSClient({})
  return {
    bucket: (name) => createObjectStore(s3, name),
    queue: (url) => createQueue(sqs, url),
    queueReader: (url) => createQueueReader(sqs, url),
  }
}
