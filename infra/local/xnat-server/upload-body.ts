// The forms in which a file may arrive (RequestUtil.java, SecureResource.java getFileWriters).
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Busboy } from '@fastify/busboy'
import { baseName } from './catalog-xml.ts'
import type { Exchange } from './exchange.ts'
import { HttpFailure } from './http-failure.ts'
import { spool } from './stored-file.ts'

export interface IncomingFile {
  /** The sender's file name, without folders; undefined when only the URL can name it. */
  name: string | undefined
  open: () => AsyncIterable<unknown>
}

export interface IncomingFiles {
  files: IncomingFile[]
  /** Frees what was spooled. */
  dispose: () => Promise<void>
}

// XNAT: only these types are taken as a file without inbody=true (RequestUtil.java).
const fileTypes: Record<string, string> = {
  'application/octet-stream': 'unsupported',
  'text/plain': 'txt',
  'text/xml': 'xml',
  'text/csv': 'csv',
  'application/dicom': 'dcm',
  'application/zip': 'zip',
  'application/x-tar': 'tar',
  'application/x-gtar': 'tar.gz',
  'application/x-gzip': 'gz',
  'application/xar': 'xar',
  'application/pdf': 'pdf',
  'application/msword': 'doc',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.ms-powerpoint': 'ppt',
  'image/bmp': 'bmp',
  'image/gif': 'gif',
  'image/x-icon': 'ico',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/svg+xml': 'svg',
  'image/tiff': 'tiff',
  'video/mpeg': 'mpeg',
  'video/mp4': 'mp4',
  'video/quicktime': 'mov',
  'video/x-msvideo': 'avi',
}

/**
 * The files a request carries. A multipart body is read to its end here; a raw one is read when it is stored.
 *
 * @throws {HttpFailure} 400 for a body that is no upload, 500 for a raw one of unknown or no length.
 */
export async function incomingFiles(exchange: Exchange): Promise<IncomingFiles> {
  const { request, query } = exchange
  const type = mediaType(request)
  if (type === 'multipart/form-data') {
    if (query.isTrue('inbody')) throw new HttpFailure(400, 'In-body uploads must not be multipart/form-data.')
    const { files, fields, dispose } = await readMultipart(exchange)
    const refusal = fields.has('reference')
      ? 'The reference parameter must be in the query string.'
      : "You didn't provide any data."
    if (files.length > 0 && !fields.has('reference')) return { files, dispose }
    await dispose()
    throw new HttpFailure(400, refusal)
  }
  const extension = fileTypes[type]
  if (!query.isTrue('inbody') && extension === undefined) throw new HttpFailure(400, noFileSentence(exchange))
  // XNAT: the size of a raw body must be known and not 0; only zips may be chunked (RequestUtil.java).
  if (!(Number(request.headers['content-length'] ?? 0) >= 1) && type !== 'application/zip') {
    throw new HttpFailure(500, 'Unable to identify the size of the request body.')
  }
  return {
    files: [{ name: `upload.${extension ?? 'unsupported'}`, open: () => bodyOf(request) }],
    dispose: async () => undefined,
  }
}

function noFileSentence({ request, method }: Exchange): string {
  const size = Number(
    request.headers['content-length'] ?? (request.headers['transfer-encoding'] === undefined ? 0 : -1),
  )
  return size === 0
    ? `You tried to ${method} to this service, but didn't provide any data (found request entity size of 0). Please check the format of your service request.`
    : `You tried to ${method} a payload of ${size} bytes to this service, but didn't provide any data. If you think you sent data to upload, you can try to ${method} with the query-string parameter inbody=true or use multipart/form-data encoding.`
}

export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** The body as a source whose failing reader leaves the connection open, so that there is still an answer. */
export function bodyOf(request: IncomingMessage): AsyncIterable<unknown> {
  return request.iterator({ destroyOnReturn: false })
}

export interface MultipartBody extends IncomingFiles {
  fields: ReadonlyMap<string, string>
}

/** Spools every file part of a body; the other parts are fields. */
export async function readMultipart({ request, xnat }: Exchange): Promise<MultipartBody> {
  const contentType = request.headers['content-type']
  if (contentType === undefined) throw new HttpFailure(400)
  const busboy = new Busboy({ headers: { ...request.headers, 'content-type': contentType }, preservePath: true })
  const spooled: { name: string; path: string }[] = []
  const writes: Promise<unknown>[] = []
  const parts: Readable[] = []
  const fields = new Map<string, string>()
  busboy.on('file', (_field, stream, fileName) => {
    const path = xnat.archive.spoolPath()
    parts.push(stream)
    const write = spool(stream, path)
    // Looked at below, once the whole body is in; until then a failure is not unhandled.
    write.catch(() => undefined)
    writes.push(write)
    spooled.push({ name: baseName(fileName.replaceAll('\\', '/')), path })
  })
  busboy.on('field', (name, value) => {
    fields.set(name, value)
  })
  const dispose = async () => {
    for (const { path } of spooled) await rm(path, { force: true })
  }
  try {
    await pipeline(bodyOf(request), busboy)
    await Promise.all(writes)
  } catch (error) {
    // A body that breaks off within a file leaves that file's stream open.
    for (const part of parts) part.destroy()
    await Promise.allSettled(writes)
    await dispose()
    throw error
  }
  const files = spooled.map(({ name, path }) => ({ name, open: () => createReadStream(path) }))
  return { files, fields, dispose }
}
