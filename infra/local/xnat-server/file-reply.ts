import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { baseName } from './catalog-xml.ts'
import type { Exchange } from './exchange.ts'
import type { ListedFile } from './file-listing.ts'
import { HttpFailure, notCovered } from './http-failure.ts'
import { ifMissing } from './missing.ts'
import type { Reply } from './reply.ts'

// XNAT: by extension, in lower case only; everything else is a stream of bytes (FileList.java buildMediaType).
const contentTypes: Record<string, string> = {
  bmp: 'image/bmp',
  gif: 'image/gif',
  html: 'text/html',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  tiff: 'image/tiff',
  txt: 'text/plain',
  xml: 'text/xml',
}

/** The bytes of one file, or a range of them. */
export async function fileReply(exchange: Exchange, { resource, entry }: ListedFile): Promise<Reply> {
  if (exchange.request.headers.accept === 'image/jpeg') throw notCovered(exchange.method, `${exchange.rawPath} as JPEG`)
  const path = exchange.xnat.archive.fileOf(resource, entry.path)
  const found = await stat(path).catch(ifMissing(undefined))
  if (found === undefined) {
    throw new HttpFailure(exchange.query.isTrue('accept-not-found') ? 204 : 404, '', { voice: 'empty' })
  }
  const name = baseName(entry.path)
  const headers = {
    'Content-Type': contentTypes[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${name.replace(/[^\x20-\x7e]|"/g, '_')}";`,
    'Cache-Control': 'must-revalidate',
    'Last-Modified': found.mtime.toUTCString(),
  }
  if (isUnchanged(exchange, found.mtime)) return { status: 304, headers }
  const range = askedRange(exchange, found.size)
  const length = range === undefined ? found.size : range.end - range.start + 1
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...headers,
      'Content-Length': String(Math.max(0, length)),
      ...(range !== undefined && { 'Content-Range': `bytes ${range.start}-${range.end}/${found.size}` }),
    },
    ...(length > 0 && { body: () => createReadStream(path, range ?? {}) }),
  }
}

function isUnchanged({ request }: Exchange, modified: Date): boolean {
  const since = Date.parse(request.headers['if-modified-since'] ?? '')
  return !Number.isNaN(since) && Math.floor(modified.getTime() / 1000) * 1000 <= since
}

/** @throws {HttpFailure} 501 for several ranges at once. */
function askedRange({ request }: Exchange, size: number): { start: number; end: number } | undefined {
  const header = request.headers.range
  if (header === undefined) return undefined
  if (header.includes(',')) throw new HttpFailure(501)
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header.trim()) ?? []
  if (first === '' && last === '') return undefined
  if (first === '') return { start: Math.max(0, size - Number(last)), end: size - 1 }
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return { start: Number(first), end }
}
