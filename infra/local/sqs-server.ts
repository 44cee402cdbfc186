// The embedded SQS: fauxqs, bound to this machine alone, and kept over restarts when given a folder.
import diagnostics from 'node:diagnostics_channel'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ChangeMessageVisibilityBatchCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import * as z from 'zod'

export interface SqsServerOptions {
  /** 0, the default, takes any free port. */
  port?: number
  region?: string
  /** Messages survive a restart in this folder. Without it they are in memory. */
  dataDir?: string
}

export interface SqsServer {
  url: string
  /** Creates the queue, or gives the one that was kept these attributes. They are named as SQS names them. */
  createQueue(name: string, attributes?: Record<string, string>): Promise<{ url: string; arn: string }>
  messageCounts(name: string): { ready: number; delayed: number; inFlight: number }
  /** Makes every message visible at once that a reader held when the process before this one ended. */
  releaseInFlight(): Promise<void>
  stop(): Promise<void>
}

export async function startSqs(options: SqsServerOptions = {}): Promise<SqsServer> {
  const region = options.region ?? 'eu-central-1'
  const server = await onLoopback(() =>
    startFauxqs({
      port: options.port ?? 0,
      logger: false,
      defaultRegion: region,
      ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
    }),
  )
  if (options.dataDir !== undefined) mendRelease(options.dataDir)
  const url = `http://127.0.0.1:${server.port}`
  const client = new SQSClient({
    endpoint: url,
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
  const names = new Set<string>()
  // fauxqs: its own URLs name hosts below `.localhost`, which do not resolve everywhere.
  const queueUrl = (name: string) => `${url}/000000000000/${name}`

  return {
    url,
    async createQueue(name, attributes = {}) {
      names.add(name)
      const kept = server.inspectQueue(name)
      // fauxqs: creating a queue that was kept, under another port, would empty it.
      if (kept === undefined)
        return { url: queueUrl(name), arn: server.createQueue(name, { region, attributes }).queueArn }
      // fauxqs: refuses to set these later. Of the three it heeds FifoQueue alone: it deduplicates over the whole queue.
      const { FifoQueue: _fifo, DeduplicationScope: _scope, FifoThroughputLimit: _limit, ...Attributes } = attributes
      await client.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl(name), Attributes }))
      return { url: queueUrl(name), arn: kept.arn }
    },
    messageCounts(name) {
      const { ready, delayed, inflight } = messagesIn(server, name)
      return { ready: ready.length, delayed: delayed.length, inFlight: inflight.length }
    },
    async releaseInFlight() {
      for (const name of names) {
        const handles = messagesIn(server, name).inflight.map(({ receiptHandle }) => receiptHandle)
        for (let start = 0; start < handles.length; start += 10) {
          const Entries = handles.slice(start, start + 10).map((ReceiptHandle, index) => ({
            Id: String(index),
            ReceiptHandle,
            VisibilityTimeout: 0,
          }))
          await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl(name), Entries }))
        }
      }
    },
    async stop() {
      client.destroy()
      await server.stop()
    },
  }
}

function messagesIn(server: FauxqsServer, name: string) {
  const queue = server.inspectQueue(name)
  if (queue === undefined) throw new Error(`there is no queue ${name}`)
  return queue.messages
}

/**
 * fauxqs: setting a visibility timeout of 0 writes NULL over the receive count of the row it keeps. The column takes
 * none, so the write fails and the message is out of reach until the next start (persistence.js, updateMessageReady).
 * Here the row is released with its count, and that write is left out.
 */
function mendRelease(dataDir: string): void {
  const database = new DatabaseSync(join(dataDir, 'fauxqs.db'))
  database.exec(`
    CREATE TRIGGER IF NOT EXISTS release_keeps_receive_count BEFORE UPDATE ON sqs_messages
    WHEN NEW.approximate_receive_count IS NULL
    BEGIN
      UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = OLD.message_id;
      SELECT RAISE(IGNORE);
    END`)
  database.close()
}

const FastifyAnnouncement = z.object({
  fastify: z.custom<{ listen: (options: object) => Promise<string> }>(
    (value) => typeof value === 'object' && value !== null && 'listen' in value,
  ),
})

/**
 * fauxqs always listens on 0.0.0.0, which would open the queues, and what is written in them, to the network. Fastify
 * announces each server it makes on a diagnostics channel; the one made during `start` is told to listen on 127.0.0.1.
 */
async function onLoopback<T>(start: () => Promise<T>): Promise<T> {
  const bind = (message: unknown) => {
    const { fastify } = FastifyAnnouncement.parse(message)
    const listen = fastify.listen.bind(fastify)
    fastify.listen = (options) => listen({ ...options, host: '127.0.0.1' })
  }
  diagnostics.subscribe('fastify.initialization', bind)
  try {
    return await start()
  } finally {
    diagnostics.unsubscribe('fastify.initialization', bind)
  }
}
