import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SQSClient } from '@aws-sdk/client-sqs'
import { type Agent, agentHandler } from './agent-handler.ts'
import { createObjectStore, type ObjectStore } from './objects.ts'
import { createQueue, type Queue } from './queue.ts'
import { createQueueReader, type QueueReader } from './queue-reader.ts'
import { readSecret } from './secrets.ts'

/**
 * Opens buckets and queues with the credentials, region and endpoints of the environment, as Lambda sets them.
 * Object bodies flow through `agent`; queues, whose messages are small, use the SDK's own.
 */
export function createAws(agent: Agent): {
  bucket: (name: string) => ObjectStore
  queue: (url: string) => Queue
  queueReader: (url: string) => QueueReader
  /** The newest text of a secret. @throws {StorageError} */
  readSecret: (id: string) => Promise<string>
} {
  const s3 = new S3Client({
    requestHandler: agentHandler(agent),
    // S3: a stored CRC64NVME is checked in JavaScript, at a third of the speed. Deliveries are proved by MD5 against XNAT.
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const sqs = new SQSClient({})
  // A caller of the API waits for it.
  const secrets = new SecretsManagerClient({ requestHandler: { connectionTimeout: 2_000, requestTimeout: 3_000 } })
  return {
    bucket: (name) => createObjectStore(s3, name),
    queue: (url) => createQueue(sqs, url),
    queueReader: (url) => createQueueReader(sqs, url),
    readSecret: (id) => readSecret(secrets, id),
  }
}
