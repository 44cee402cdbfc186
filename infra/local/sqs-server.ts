// SQS on 127.0.0.1, as the AWS SDK talks to it. It forgets no message when it is killed, lends messages of one FIFO
// group to one receiver at a time, and moves them to dead-letter queues. It expires nothing and asks for no rights.

import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type ActionContext, actions, asRefusal, saveQueue } from './sqs-server/actions.ts'
import { type MessageCounts, MessageStore } from './sqs-server/message-store.ts'
import { QueueChanges } from './sqs-server/queue-changes.ts'
import { SqsError } from './sqs-server/sqs-error.ts'

const ACCOUNT_ID = '000000000000'

export interface SqsOptions {
  /** Default 0: any that is free. */
  port?: number
  /** Default `us-east-1`. Only ARNs show it. */
  region?: string
  /** Keeps queues and messages over restarts. Left out: in memory. */
  dataDir?: string
}

export interface SqsServer {
  url: string
  region: string
  /** Makes a queue, or gives an existing one these attributes; its messages stay. */
  createQueue(name: string, attributes?: Record<string, string>): { url: string; arn: string }
  /** @throws when there is no such queue. */
  messageCounts(name: string): MessageCounts
  /** Makes every message in flight visible at once: for the start, when nobody can be handling any. */
  releaseInFlight(): void
  stop(): Promise<void>
}

/** @throws when the port is taken. */
export async function startSqs(options: SqsOptions = {}): Promise<SqsServer> {
  const { region = 'us-east-1' } = options
  const store = openStore(options.dataDir)
  const changes = new QueueChanges()
  const arnOf = (name: string) => `arn:aws:sqs:${region}:${ACCOUNT_ID}:${name}`
  // The SDK sends a request to the host in the queue's URL, so that must be an address that can be reached as it is.
  const urlOf = (name: string) => `${url}/${ACCOUNT_ID}/${name}`

  const server = createServer((request, response) => {
    const hungUp = new AbortController()
    response.once('close', () => hungUp.abort())
    void answer(request, response, { store, changes, arnOf, urlOf, signal: hungUp.signal })
  })
  const url = `http://127.0.0.1:${await listen(server, options.port ?? 0)}`

  return {
    url,
    region,
    createQueue(name, attributes = {}) {
      saveQueue(store, name, attributes)
      return { url: urlOf(name), arn: arnOf(name) }
    },
    messageCounts(name) {
      const queue = store.findQueue(name)
      if (queue === undefined) throw new Error(`There is no queue called ${name}`)
      return store.counts(queue)
    },
    releaseInFlight: () => store.releaseInFlight(),
    async stop() {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      server.closeAllConnections()
      await promise
      store.close()
    },
  }
}

function openStore(dataDir: string | undefined): MessageStore {
  if (dataDir === undefined) return new MessageStore(':memory:')
  mkdirSync(dataDir, { recursive: true })
  return new MessageStore(join(dataDir, 'sqs.sqlite'))
}

async function answer(request: IncomingMessage, response: ServerResponse, context: ActionContext): Promise<void> {
  try {
    const name = String(request.headers['x-amz-target']).replace(/^AmazonSQS\./, '')
    const action = actions.get(name)
    if (action === undefined) throw new SqsError('InvalidAction', `The local SQS does not know the action ${name}`)
    const input: unknown = JSON.parse((await text(request)) || '{}')
    reply(response, 200, await action(input, context))
  } catch (error) {
    if (request.destroyed && !request.complete) return
    refuse(response, error)
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  const refusal = asRefusal(error)
  const code = refusal.code === 'QueueDoesNotExist' ? 'NonExistentQueue' : refusal.code
  // SQS: the SDK takes the error's name from here, as clients of the older query protocol know it.
  response.setHeader('x-amzn-query-error', `AWS.SimpleQueueService.${code};Sender`)
  reply(response, 400, { __type: `com.amazonaws.sqs#${refusal.code}`, message: refusal.message })
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
  response.end(JSON.stringify(body))
}

async function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, '127.0.0.1', resolve)
  await promise
  server.off('error', reject)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('SQS has no port')
  return address.port
}
