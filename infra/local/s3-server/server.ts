// A file-backed S3 server for local work and tests: streams of any size in constant memory, real signatures,
// real conditions, event notifications. Survives the death of its process at any moment.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { NotificationTarget } from './delivery.ts'
import { findOperation } from './dispatch.ts'
import { assertBucketName } from './operations/buckets.ts'
import type { Reply } from './reply.ts'
import { S3Request } from './request.ts'
import { S3Error } from './s3-error.ts'
import { authenticate, type Credentials } from './signature.ts'
import { openStore, type Store } from './store.ts'
import { renderXml } from './xml.ts'

export type { NotificationTarget } from './delivery.ts'
export type { S3Event, S3EventRecord, S3TestEvent } from './event-record.ts'

export interface S3ServerOptions {
  /** Created when missing; a server started later with the same folder finds everything again. */
  dataDir: string
  /** Default 0: any free port. */
  port?: number
  /** Default 'eu-central-1'. */
  region?: string
  credentials: Credentials
  /** The clock for object times, signatures and expiry. */
  now?: () => Date
}

export interface S3Server {
  url: string
  port: number
  /** No error when the bucket is there. */
  createBucket(name: string): Promise<void>
  /** Replaces the bucket's targets, and delivers what earlier ones of the same id had not taken. */
  setNotifications(bucket: string, targets: NotificationTarget[]): Promise<void>
  /** Ends every connection, idle or not; waits two seconds at most for a `deliver` under way. Calling it again is safe. */
  stop(): Promise<void>
}

export async function startS3(options: S3ServerOptions): Promise<S3Server> {
  const { dataDir, port = 0, region = 'eu-central-1', credentials, now = () => new Date() } = options
  const store = await openStore({ dataDir, region, now })
  const front = new Front(store, credentials)
  const address = await front.listen(port)
  let stopped: Promise<void> | undefined
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    createBucket: async (name) => {
      assertBucketName(name)
      store.buckets.ensure(name, now())
    },
    setNotifications: async (bucket, targets) => {
      store.buckets.assertExists(bucket)
      await store.notifications.setTargets(bucket, targets)
    },
    stop: () => {
      stopped ??= stop(store, front)
      return stopped
    },
  }
}

async function stop(store: Store, front: Front): Promise<void> {
  await front.close()
  await store.notifications.stop()
  store.db.close()
}

interface Exchange {
  source: IncomingMessage
  response: ServerResponse
  /** The client waits for 100 before it sends the body. */
  isWaiting: boolean
}

/** The HTTP side: takes requests, runs their operation, sends replies and refusals. */
class Front {
  readonly #store: Store
  readonly #credentials: Credentials
  readonly #server: Server
  readonly #running = new Set<Promise<void>>()

  constructor(store: Store, credentials: Credentials) {
    this.#store = store
    this.#credentials = credentials
    // A body may take as long as it takes; a connection between two requests is kept a good while, since a client
    // that reuses one just as it is closed sees a reset.
    this.#server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 })
    this.#server.on('request', (source, response) => this.#accept({ source, response, isWaiting: false }))
    this.#server.on('checkContinue', (source, response) => this.#accept({ source, response, isWaiting: true }))
  }

  async listen(port: number): Promise<AddressInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject).listen(port, '127.0.0.1', resolve)
    await promise
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    return address
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
    await Promise.all(this.#running)
  }

  #accept(exchange: Exchange): void {
    const run = this.#serve(exchange).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  async #serve(exchange: Exchange): Promise<void> {
    try {
      const request = new S3Request(exchange.source)
      await this.#answer(request, exchange)
    } catch (error) {
      await this.#refuse(error, exchange)
    }
    // What is left of a body nobody wanted would stand before the next request of the connection.
    if (!exchange.source.readableEnded) exchange.source.resume()
  }

  async #answer(request: S3Request, exchange: Exchange): Promise<void> {
    const { response } = exchange
    response.setHeader('x-amz-request-id', request.id)
    response.setHeader('x-amz-id-2', request.hostId)
    const now = this.#store.now()
    // Clients set their clock by it when their signature is refused as too old.
    response.setHeader('date', now.toUTCString())
    const { region } = this.#store
    const framing = authenticate(request, { credentials: this.#credentials, region, now })
    const operation = findOperation(request)
    const reply = await operation(this.#store, { request, framing, sendContinue: () => sendContinue(exchange) })
    try {
      await send(exchange, reply)
    } finally {
      await reply.release?.()
    }
  }

  async #refuse(error: unknown, exchange: Exchange): Promise<void> {
    const { source, response } = exchange
    if (source.socket.destroyed) return
    if (!(error instanceof S3Error))
      process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error))
    if (response.headersSent) {
      response.destroy()
      return
    }
    const refusal = error instanceof S3Error ? error : new S3Error('InternalError', 'We encountered an internal error.')
    await send(exchange, refusalReply(refusal, source, response))
  }
}

function sendContinue(exchange: Exchange): void {
  if (exchange.isWaiting) exchange.response.writeContinue()
  exchange.isWaiting = false
}

async function send({ source, response, isWaiting }: Exchange, reply: Reply): Promise<void> {
  // The client may or may not send the body it announced, so the connection cannot be used again.
  if (isWaiting) response.setHeader('connection', 'close')
  const headers: Record<string, string> = { ...reply.headers }
  if (reply.document !== undefined) {
    headers['content-type'] = 'application/xml'
    headers['content-length'] = String(Buffer.byteLength(reply.document))
  } else if (reply.body === undefined && source.method !== 'HEAD' && reply.status !== 204 && reply.status !== 304) {
    headers['content-length'] = '0'
  }
  response.writeHead(reply.status, headers)
  if (reply.body === undefined || source.method === 'HEAD') {
    response.end(source.method === 'HEAD' ? undefined : reply.document)
    return
  }
  await pipeline(reply.body, response)
}

function refusalReply(error: S3Error, source: IncomingMessage, response: ServerResponse): Reply {
  const document = renderXml('Error', {
    Code: error.code,
    Message: error.message,
    ...error.details,
    Resource: (source.url ?? '').split('?')[0],
    RequestId: String(response.getHeader('x-amz-request-id') ?? ''),
    HostId: String(response.getHeader('x-amz-id-2') ?? ''),
  })
  return { status: error.status, document }
}
