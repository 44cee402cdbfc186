import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { S3Error } from './s3-error.ts'

/** One request as it came, read once: names decoded, nothing judged yet. */
export class S3Request {
  readonly id = randomBytes(8).toString('hex').toUpperCase()
  readonly hostId = randomBytes(32).toString('base64')
  readonly method: string
  /** Decoded; the signature is computed over this, encoded anew. */
  readonly path: string
  /** Empty for requests about the service itself. */
  readonly bucket: string
  /** Empty for requests about a bucket. */
  readonly key: string
  readonly queryPairs: readonly (readonly [name: string, value: string])[]
  readonly sourceIp: string
  readonly source: IncomingMessage
  readonly #query: ReadonlyMap<string, string>
  readonly #headers: ReadonlyMap<string, string>
  /** The headers that really came: what a signature can cover. Lower-case names, one character per byte. */
  readonly sentHeaders: ReadonlyMap<string, string>

  constructor(source: IncomingMessage) {
    const [rawPath = '', ...rawQuery] = (source.url ?? '').split('?')
    this.source = source
    this.method = source.method ?? ''
    this.path = decodePath(rawPath)
    const [, bucket = '', key = ''] = /^\/([^/]*)\/?([\s\S]*)$/u.exec(this.path) ?? []
    this.bucket = bucket
    this.key = key
    this.queryPairs = parseQuery(rawQuery.join('?'))
    this.#query = new Map(this.queryPairs)
    this.sentHeaders = collectHeaders(source.rawHeaders)
    this.#headers = new Map([...hoistedHeaders(this.queryPairs), ...this.sentHeaders])
    this.sourceIp = source.socket.remoteAddress ?? ''
  }

  header(name: string): string | undefined {
    return this.#headers.get(name)
  }

  /** Those sent, and those a presigned URL carries in its query. */
  get headers(): ReadonlyMap<string, string> {
    return this.#headers
  }

  query(name: string): string | undefined {
    return this.#query.get(name)
  }

  /** The decoded length the client announced, whichever way the body is framed. */
  get contentLength(): number | undefined {
    const length = this.header('x-amz-decoded-content-length') ?? this.header('content-length')
    if (length === undefined) return undefined
    if (!/^\d+$/u.test(length)) throw new S3Error('InvalidRequest', 'Content-Length is not a number.')
    return Number(length)
  }
}

function decodePath(raw: string): string {
  if (!raw.startsWith('/')) throw new S3Error('InvalidURI', "Couldn't parse the specified URI.")
  return decodePercent(raw)
}

/** @throws {S3Error} InvalidURI when the escapes are broken or not UTF-8. */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    if (cause instanceof URIError) throw new S3Error('InvalidURI', "Couldn't parse the specified URI.")
    throw cause
  }
}

function parseQuery(raw: string): [string, string][] {
  return raw
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.replaceAll('+', ' ').split('=')
      return [decodePercent(name), decodePercent(value.join('='))]
    })
}

// S3: a presigned URL may hold x-amz- headers as parameters, which count as if they had been sent. Checksums do not:
// the JavaScript SDK signs that of an empty body into every upload URL, and S3 ignores it (localstack/localstack#12169).
function hoistedHeaders(pairs: S3Request['queryPairs']): [string, string][] {
  if (!pairs.some(([name]) => name === 'X-Amz-Signature')) return []
  return pairs
    .map(([name, value]): [string, string] => [name.toLowerCase(), asHeaderValue(value)])
    .filter(([name]) => name.startsWith('x-amz-') && !name.includes('checksum'))
}

function collectHeaders(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase()
    const value = (raw[index + 1] ?? '').trim()
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier},${value}`)
  }
  return headers
}

/** Percent-encoding as Signature Version 4 wants it: everything but the unreserved characters of RFC 3986. */
export function encodeStrict(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/gu, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/**
 * Text as a header holds it: one character per byte of its UTF-8.
 *
 * @throws {S3Error} InvalidArgument for control characters, which would end the header and begin another.
 */
export function asHeaderValue(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/u.test(text)) {
    throw new S3Error('InvalidArgument', 'A header value cannot hold control characters.')
  }
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** A header's bytes read as UTF-8, for the values that may hold it: HTTP itself gives one character per byte. */
export const asUtf8 = (value: string) => Buffer.from(value, 'latin1').toString('utf8')
