// The one file an import is about: a form's, the body itself, or one that was put into the user's cache before.
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { bodyOf, mediaType, readMultipart } from '../upload-body.ts'
import { cachedFile } from '../user-cache.ts'
import { fileOnDisk } from './archive-entries.ts'
import type { SentFile } from './sender.ts'

export interface ImportBody {
  files: SentFile[]
  fields: ReadonlyMap<string, string>
  dispose: () => Promise<void>
}

// XNAT: raw bodies get a name made up from their type, and the name tells the format (RequestUtil.java deriveFileName).
const namesByType: Record<string, string> = {
  'application/zip': 'upload.zip',
  'application/x-tar': 'upload.tar',
  'application/x-gtar': 'upload.tar.gz',
  'application/x-gzip': 'upload.gzip',
  'application/octet-stream': 'upload',
  'application/dicom': 'upload.dcm',
  'application/xar': 'upload.xar',
  'application/pdf': 'upload.pdf',
  'text/plain': 'upload.txt',
  'text/xml': 'upload.xml',
  'text/csv': 'upload.csv',
}

/** @throws {HttpFailure} 400 for a body of unknown or no length, 404 for an unknown `src`, 406 for a form sent as a file. */
export async function importBody(exchange: Exchange): Promise<ImportBody> {
  const { request, query } = exchange
  const type = mediaType(request)
  const name = namesByType[type]
  const cached = await Promise.all(query.all('src').map((src) => cachedSource(exchange, src)))
  const none = { fields: new Map<string, string>(), dispose: async () => undefined }
  if (query.isTrue('inbody') || name !== undefined) {
    if (type === 'multipart/form-data') {
      throw new HttpFailure(
        406,
        'In-body File posts must include the file directly as the body of the message (not as part of multi-part form data).',
      )
    }
    requireLength(exchange, type)
    return { ...none, files: [...cached, { name: name ?? 'upload.unsupported', open: () => bodyOf(request) }] }
  }
  if (type !== 'multipart/form-data') return { ...none, files: cached }
  const { files, fields, dispose } = await readMultipart(exchange)
  const sent = files.map((file) => ({ name: file.name ?? '', open: file.open }))
  return { files: [...cached, ...sent], fields, dispose }
}

function requireLength({ request }: Exchange, type: string): void {
  const size = Number(request.headers['content-length'] ?? -1)
  if (size >= 1 || type === 'application/zip') return
  throw new HttpFailure(
    400,
    `In-body File posts must include the file directly as the body of the message. In this case, the request entity size is ${size} but the media type is not application/zip (i.e. streaming compressed upload).`,
  )
}

async function cachedSource(exchange: Exchange, src: string): Promise<SentFile> {
  const found = /^\/user\/cache\/resources\/([^/]+)\/files\/(.+)$/.exec(src.replace(/^\/(data|REST)(?=\/)/, ''))
  if (found?.[1] === undefined || found[2] === undefined) throw new HttpFailure(400, 'src uri is invalid.')
  const path = await cachedFile(exchange, found[1], found[2])
  if (path === undefined) throw new HttpFailure(404, 'Unknown src file.')
  return fileOnDisk(found[2].slice(found[2].lastIndexOf('/') + 1), path)
}
