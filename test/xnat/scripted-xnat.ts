// A server that answers as a test says, for what no whole XNAT can be made to do at will: cut, stall, contradict itself.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { XnatClient, type XnatClientOptions } from '../../lib/xnat/client.ts'

export interface Seen {
  method: string
  path: string
  cookie: string | undefined
  authorization: string | undefined
  headers: IncomingMessage['headers']
}

export interface ScriptedXnat {
  url: string
  /** Everything but what follows. */
  seen: Seen[]
  signIns: Seen[]
  signOuts: Seen[]
  /** Session IDs that count as signed in. Emptying it makes every login stale. */
  sessions: Set<string>
}

export type Script = (request: IncomingMessage, response: ServerResponse, seen: Seen) => void | Promise<void>

/** Signs everyone in and out as XNAT does; all other requests are the script's. With `tls` it speaks https. */
export async function startScriptedXnat(
  script: Script,
  { tls }: { tls?: { key: string; cert: string } } = {},
): Promise<ScriptedXnat> {
  const xnat: ScriptedXnat = { url: '', seen: [], signIns: [], signOuts: [], sessions: new Set() }
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '', headers } = request
    const seen = { method, path, cookie: headers.cookie, authorization: headers.authorization, headers }
    if (method === 'POST' && path === '/data/JSESSION') {
      xnat.signIns.push(seen)
      const id = `S${xnat.signIns.length}`
      xnat.sessions.add(id)
      response.setHeader('set-cookie', `JSESSIONID=${id}; Path=/; HttpOnly`)
      response.end(id)
      return
    }
    if (method === 'DELETE' && path === '/data/JSESSION') {
      xnat.signOuts.push(seen)
      response.end()
      return
    }
    xnat.seen.push(seen)
    void script(request, response, seen)
  }
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  xnat.url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  return xnat
}

export function isSignedIn(xnat: ScriptedXnat, seen: Seen): boolean {
  return xnat.sessions.has(seen.cookie?.replace('JSESSIONID=', '') ?? '')
}

/** Reads the whole request body. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export const password = { kind: 'password', user: 'ann', password: 'correct' } as const

/** A client that does not really wait between tries; `slept` tells how long it would have. */
export function createClient(
  url: string,
  options: Partial<XnatClientOptions> = {},
): { client: XnatClient; slept: number[] } {
  const slept: number[] = []
  const client = new XnatClient({
    url,
    credentials: password,
    random: () => 0.5,
    sleep: async (ms) => {
      slept.push(ms)
    },
    ...options,
  })
  onTestFinished(() => client.close().catch(ignoreStoppedServer))
  return { client, slept }
}

function ignoreStoppedServer(): void {
  // The test is over and its server may be gone; there is nobody left to log out from.
}

export interface Answer {
  status?: number
  headers?: Record<string, string>
  /** Text as it is; anything else as JSON. */
  body?: unknown
}

export interface AnsweringXnat extends ScriptedXnat {
  /** `METHOD /path?query`, with the body in brackets where there was a short one. */
  calls: string[]
}

/** Answers each `METHOD /path` (query left out) from a table, the entries of a list in turn, and 501 to all others. */
export async function startAnswering(table: Record<string, Answer | Answer[]>): Promise<AnsweringXnat> {
  const calls: string[] = []
  const turns = new Map<string, number>()
  const xnat = await startScriptedXnat(async (request, response) => {
    const body = (await bodyOf(request)).toString()
    calls.push(`${request.method} ${request.url}${body === '' ? '' : ` ${body}`}`)
    const key = `${request.method} ${request.url?.split('?')[0]}`
    const turn = turns.get(key) ?? 0
    turns.set(key, turn + 1)
    const entry = table[key] ?? { status: 501, body: key }
    const answer = Array.isArray(entry) ? (entry[Math.min(turn, entry.length - 1)] ?? {}) : entry
    const text =
      typeof answer.body === 'string' || answer.body === undefined ? (answer.body ?? '') : JSON.stringify(answer.body)
    response.writeHead(answer.status ?? 200, answer.headers ?? {}).end(text)
  })
  return Object.assign(xnat, { calls })
}
