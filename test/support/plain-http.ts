// XNAT over plain HTTP: paths go out as they stand and nothing of the client takes part.
import { type IncomingHttpHeaders, Agent as PlainAgent, request as plainRequest } from 'node:http'
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
  close(): void
}

/** A connection to the server at `baseUrl`, which may lie below a path. */
export function plainHttp(baseUrl: string): PlainHttp {
  const { protocol, hostname, port, pathname } = new URL(baseUrl)
  const secure = protocol === 'https:'
  const agent = secure ? new TlsAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true })
  const request = secure ? secureRequest : plainRequest
  const root = pathname.replace(/\/$/, '')
  return {
    send(what, { body, chunked = false, headers = {} } = {}) {
      const [method = 'GET', path = '/'] = what.split(/ (.*)/s)
      const length: Record<string, string> =
        body === undefined || chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const options = { hostname, port, method, path: root + path, agent, headers: { ...length, ...headers } }
      return new Promise((resolve, reject) => {
        const sent = request(options, (reply) => {
          buffer(reply).then((bytes) => resolve(answerOf(reply.statusCode ?? 0, reply.headers, bytes)), reject)
        })
        sent.once('error', reject)
        if (chunked && body !== undefined) sent.write(body)
        sent.end(chunked ? undefined : body)
      })
    },
    close: () => agent.destroy(),
  }
}

export function basic(user: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

function answerOf(status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answer {
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
