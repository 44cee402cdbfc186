import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { type S3Server, startS3 } from '../../infra/local/s3-server/server.ts'
import { type SqsServer, startSqs } from '../../infra/local/sqs-server.ts'
import { agentHandler } from '../../lib/aws/agent-handler.ts'
import { createObjectStore, type ObjectStore } from '../../lib/aws/objects.ts'
import { createQueue, type Queue } from '../../lib/aws/queue.ts'
import { createHttpAgent } from '../../lib/xnat/client.ts'

const region = 'eu-central-1'
const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret-key' }

export interface LocalAws {
  s3: S3Client
  sqs: SQSClient
  s3Server: S3Server
  sqsServer: SqsServer
  /** A bucket made for this test, as the product sees it. */
  bucket(name: string): Promise<ObjectStore>
  /** A queue made for this test, as the product sees it, and its URL. */
  queue(name: string, attributes?: Record<string, string>): Promise<{ queue: Queue; url: string }>
  stop(): Promise<void>
}

/** The embedded S3 and SQS with genuine SDK clients on them. */
export async function startLocalAws(): Promise<LocalAws> {
  const dataDir = await mkdtemp(join(tmpdir(), 'local-aws-'))
  const s3Server = await startS3({ dataDir, region, credentials })
  const sqsServer = await startSqs({ region })
  const agent = createHttpAgent()
  const s3 = new S3Client({
    endpoint: s3Server.url,
    region,
    credentials,
    requestHandler: agentHandler(agent),
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
  })
  const sqs = new SQSClient({ endpoint: sqsServer.url, region, credentials, maxAttempts: 1 })
  return {
    s3,
    sqs,
    s3Server,
    sqsServer,
    async bucket(name) {
      await s3Server.createBucket(name)
      return createObjectStore(s3, name)
    },
    async queue(name, attributes) {
      const { url } = await sqsServer.createQueue(name, attributes)
      return { queue: createQueue(sqs, url), url }
    },
    async stop() {
      s3.destroy()
      sqs.destroy()
      await s3Server.stop()
      await sqsServer.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
