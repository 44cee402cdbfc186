import type { Readable } from 'node:stream'
import { InvalidInputError } from '../errors.ts'
import type { XnatPath } from './path.ts'

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'

/** `undefined` leaves a key out; a list repeats it. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** A body whose bytes come from elsewhere. It may be sent more than once, so it is given as the way to open it. */
export interface StreamBody {
  /** Called once per try; each stream it gives must start at the first byte. */
  openBody: () => Promise<Readable> | Readable
  /** What Content-Length will say. `undefined` sends chunks, which XNAT takes in few places. */
  sizeBytes: number | undefined
  contentType: string
}

export interface TextBody {
  text: string
  contentType: string
}

export interface Timeouts {
  connectMs: number
  /** Silence between the end of the request, or the last byte XNAT took of it, and the first of its answer. */
  headersMs: number
  /** The same for calls in which XNAT unpacks, archives or recounts before it answers. */
  slowHeadersMs: number
  /** Silence within an answer. */
  idleBodyMs: number
  /** The whole call, retries and sign-in included; for a streamed answer, until it starts. None by default. */
  callMs: number | undefined
}

export interface Call {
  method: Method
  path: XnatPath
  query?: Query
  headers?: Readonly<Record<string, string>>
  body?: StreamBody | TextBody
  /** Whether sending it twice is as good as once. Default: all but POST. */
  idempotent?: boolean
  /** Statuses outside 2xx that are answers to this call and not errors. */
  accept?: readonly number[]
  /** XNAT works before it answers: wait `slowHeadersMs` for the answer. */
  isSlow?: boolean
  /** A web page is a fine answer to this call. */
  acceptHtml?: boolean
  signal?: AbortSignal | undefined
  timeouts?: Partial<Omit<Timeouts, 'connectMs'>>
}

/** What every function that sends something takes besides its own parameters. */
export interface CallOptions {
  signal?: AbortSignal | undefined
}

export type ReplyHeaders = Readonly<Record<string, string | string[] | undefined>>

export interface Reply {
  status: number
  headers: ReplyHeaders
  text: string
  /** False when XNAT answered before it had read the whole request body: it cannot have stored it. */
  tookWholeBody: boolean
}

export interface StreamReply {
  status: number
  headers: ReplyHeaders
  /** From Content-Length; absent when XNAT packs as it sends. */
  sizeBytes: number | undefined
  /** Must be read to its end or destroyed. */
  body: Readable
}

export function isStreamBody(body: StreamBody | TextBody | undefined): body is StreamBody {
  return body !== undefined && 'openBody' in body
}

export function jsonBody(value: unknown): TextBody {
  return { text: JSON.stringify(value), contentType: 'application/json' }
}

export function queryString(query: Query): string {
  return Object.entries(query)
    .flatMap(([key, value]) => values(value).map((each) => `${encodeQuery(key)}=${encodeQuery(each)}`))
    .join('&')
}

function encodeQuery(text: string): string {
  if (!text.isWellFormed()) throw new InvalidInputError('A query value is not well-formed text')
  return encodeURIComponent(text)
}

function values(value: Query[string]): string[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value.map(String) : [String(value)]
}

export function headerValue(headers: ReplyHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}
