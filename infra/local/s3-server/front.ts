import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { findOperation } from './dispatch.ts'
import type { Reply } from './reply.ts'
import { S3Request } from './request.ts'
import { S3Error } from './s3-error.ts'
import { authenticate, type Credentials } from './signature.ts'
import type { Store } from './store.ts'
import { renderXml } from './xml.ts'

interface Exchange {
  source: IncomingMessage
  response: ServerResponse
  /** The client waits for 100 before it sends the body. */
  isWaiting: boolean
}

/** The HTTP side: takes requests, runs their operation, sends replies and refusals. */
export class Front {
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

  /** Port 0 is any free one; `port` tells which. */
  async listen(port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject).listen(port, '127.0.0.1', resolve)
    await promise
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the server is not listening')
    return address.port
  }

  /** Breaks off what is under way, and waits until its traces are removed. */
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
    if (response.headersSent) response.destroy()
    else await send(exchange, refusalReply(toRefusal(error), source, response))
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
  if (Buffer.isBuffer(reply.body)) response.end(reply.body)
  else await pipeline(reply.body, response)
}

function toRefusal(error: unknown): S3Error {
  if (error instanceof S3Error) return error
  process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return new S3Error('InternalError', 'We encountered an internal error. Please try again.')
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
