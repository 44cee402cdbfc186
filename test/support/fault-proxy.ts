// Stands between a function and a server: sees each request, and does to it what networks and servers in trouble do.
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

export type Mishap =
  /** The connection breaks when the server has been given so many bytes of the request's body. */
  | { kind: 'cut-request'; afterBytes: number }
  /** The connection breaks when so many bytes of the answer's body have been passed on. */
  | { kind: 'cut-reply'; afterBytes: number }
  /** The server does its work, this happens, and the connection breaks without an answer. */
  | { kind: 'cut-answer'; afterwards?: () => void }
  /** The request is taken, the server never asked, and no answer comes. */
  | { kind: 'hang' }
  /** The head of the answer comes, and then nothing of its body, if it has one. */
  | { kind: 'silent-reply' }
  /** The answer's body comes at one byte a second. */
  | { kind: 'trickle-reply' }
  /** The request's body is taken at one byte a second. */
  | { kind: 'trickle-request' }
  /** The last byte of the request's body waits so long. */
  | { kind: 'late-end'; ms: number }
  /** The whole request waits so long. */
  | { kind: 'delay'; ms: number }
  /** The body is read to its end, and this answered in the server's place. */
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: string | Buffer }

export interface PassingRequest {
  method: string
  /** As sent, query included. */
  path: string
}

export type Judge = (request: PassingRequest) => Mishap | undefined

export interface FaultProxy {
  url: string
  /** Replaced at will; the first judge lets everything pass. */
  judge: Judge
  readonly seen: readonly PassingRequest[]
  /** Requests whose connection has neither been answered in full nor been closed. */
  underWay(): number
  stop(): Promise<void>
}

export async function startFaultProxy(targetUrl: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(targetUrl)
  const agent = new Agent({ keepAlive: true })
  const seen: PassingRequest[] = []
  const open = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    const { method = 'GET', url: path = '/' } = request
    seen.push({ method, path })
    open.add(response)
    response.once('close', () => open.delete(response))
    // A connection that breaks is what is being tested: both ends are gone then, and see it for themselves.
    pass({ request, response, upstream: { hostname, port, agent } }, proxy.judge({ method, path })).catch(() =>
      response.destroy(),
    )
  })
  server.requestTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port')
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${address.port}`,
    judge: () => undefined,
    seen,
    underWay: () => open.size,
    async stop() {
      agent.destroy()
      server.close()
      server.closeAllConnections()
    },
  }
  return proxy
}

interface Passage {
  request: IncomingMessage
  response: ServerResponse
  upstream: { hostname: string; port: string; agent: Agent }
}

async function pass({ request, response, upstream }: Passage, mishap: Mishap | undefined): Promise<void> {
  if (mishap?.kind === 'hang') {
    request.resume()
    return
  }
  if (mishap?.kind === 'delay') await sleep(mishap.ms)
  if (mishap?.kind === 'answer') {
    for await (const _ of request);
    response.writeHead(mishap.status, mishap.headers).end(mishap.body)
    return
  }
  const { method = 'GET', url: path = '/', headers } = request
  const sent = sendRequest({ ...upstream, method, path, headers })
  response.once('close', () => sent.destroy())
  const answered = once(sent, 'response')
  const sending = pipeline(request, shapedRequest(mishap), sent)
  // Met below: an answer may come before the body is through, or never because the body broke off.
  sending.catch(() => undefined)
  const [reply]: IncomingMessage[] = await Promise.race([answered, sending.then(() => answered)])
  if (reply === undefined) throw new Error('no answer came')
  await passOn(reply, response, mishap)
}

async function passOn(reply: IncomingMessage, response: ServerResponse, mishap: Mishap | undefined): Promise<void> {
  if (mishap?.kind === 'cut-answer') {
    for await (const _ of reply);
    mishap.afterwards?.()
    response.destroy()
    return
  }
  response.writeHead(reply.statusCode ?? 502, reply.headers)
  response.flushHeaders()
  const hasBody = reply.headers['content-length'] !== '0'
  if (mishap?.kind === 'silent-reply' && hasBody) return
  await pipeline(hasBody || mishap?.kind !== 'trickle-reply' ? shapedReply(reply, mishap) : reply, response)
}

const shapedReply = (reply: Readable, mishap: Mishap | undefined) =>
  mishap?.kind === 'cut-reply'
    ? reply.pipe(cutAfter(mishap.afterBytes))
    : mishap?.kind === 'trickle-reply'
      ? reply.pipe(trickling())
      : reply

function shapedRequest(mishap: Mishap | undefined): Transform {
  if (mishap?.kind === 'cut-request') return cutAfter(mishap.afterBytes)
  if (mishap?.kind === 'trickle-request') return trickling()
  return endingLate(mishap?.kind === 'late-end' ? mishap.ms : 0)
}

function cutAfter(bytes: number): Transform {
  let left = bytes
  const cut = new Error('cut')
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (chunk.length < left) {
        left -= chunk.length
        done(null, chunk)
        return
      }
      this.push(chunk.subarray(0, left))
      // A moment for what was pushed to be on its way.
      setTimeout(() => done(cut), 20)
    },
    flush: (done) => done(cut),
  })
}

/** Takes everything, so that it notices when the other end leaves, and hands on one byte a second. */
function trickling(): Transform {
  let timer: NodeJS.Timeout | undefined
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer ??= setInterval(() => this.push(chunk.subarray(0, 1)), 1000)
      done()
    },
    flush() {
      // Not called back: it never ends by itself.
    },
    destroy(error, done) {
      clearInterval(timer)
      done(error)
    },
  })
}

function endingLate(ms: number): Transform {
  let last: Buffer | undefined
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const before = last
      last = chunk
      done(null, before)
    },
    flush(done) {
      setTimeout(() => done(null, last), ms)
    },
  })
}
