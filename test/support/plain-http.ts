// XNAT over plain HTTP: paths go out as they stand and nothing of the client takes part.
import { type ClientRequest, type IncomingHttpHeaders, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { request as secureRequest, Agent as TlsAgent } from 'node:https'
import { buffer } from 'node:stream/consumers'

export interface SendOptions {
  body?: string | Buffer
  /** Sends the body without saying how long it is. */
  chunked?: boolean
  headers?: Record<string, string>
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  bytes: Buffer
  json(): unknown
  /** The rows of a ResultSet. */
  rows(): Record<string, string>[]
  /** The value of a cookie that this answer sets, as it is written there. */
  cookie(name: string): string | undefined
}

export interface PlainHttp {
  /** `send('PUT /data/projects/P2')`. */
  send(what: string, options?: SendOptions): Promise<Answer>
  /** Sends head and first part of a request, and leaves it open. */
  begin(what: string, options: BeginOptions): OpenRequest
  close(): void
}

export interface BeginOptions {
  headers: Record<string, string>
  /** Of the whole body. */
  sizeBytes: number
  first: string
}

export interface OpenRequest {
  finish(last: string): Promise<Answer>
  cut(): void
}

/** A connection to the server at `baseUrl`, which may lie below a path. */
export function plainHttp(baseUrl: string): PlainHttp {
  const { protocol, hostname, port, pathname } = new URL(baseUrl)
  const secure = protocol === 'https:'
  const agent = secure ? new TlsAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true })
  const request = secure ? secureRequest : plainRequest
  const root = pathname.replace(/\/$/, '')
  const open = (what: string, headers: Record<string, string>) => {
    const [method = 'GET', path = '/'] = what.split(/ (.*)/s)
    const sent = request({ hostname, port, method, path: root + path, agent, headers })
    return { sent, answer: answerTo(sent) }
  }
  return {
    send(what, { body, chunked = false, headers = {} } = {}) {
      const length: Record<string, string> =
        body === undefined || chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const { sent, answer } = open(what, { ...length, ...headers })
      if (chunked && body !== undefined) sent.write(body)
      sent.end(chunked ? undefined : body)
      return answer
    },
    begin(what, { headers, sizeBytes, first }) {
      const { sent, answer } = open(what, { ...headers, 'content-length': String(sizeBytes) })
      // Who cuts the request does not ask for its answer.
      answer.catch(() => undefined)
      sent.write(first)
      return {
        finish(last) {
          sent.end(last)
          return answer
        },
        cut: () => sent.destroy(),
      }
    },
    close: () => agent.destroy(),
  }
}

function answerTo(sent: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.once('error', reject)
    sent.once('response', (reply) => {
      buffer(reply).then((bytes) => resolve(answerOf(reply.statusCode ?? 0, reply.headers, bytes)), reject)
    })
  })
}

export function basic(user: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

export function answerOf(status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answer {
  const text = bytes.toString('utf8')
  const json = (): unknown => JSON.parse(text)
  const cookie = (name: string) => {
    const line = headers['set-cookie']?.find((each) => each.startsWith(`${name}=`))
    return line?.slice(name.length + 1).replace(/;.*$/, '')
  }
  return { status, headers, text, bytes, json, rows: () => rowsOf(json()), cookie }
}

function rowsOf(list: unknown): Record<string, string>[] {
  return (list as { ResultSet: { Result: Record<string, string>[] } }).ResultSet.Result
}
