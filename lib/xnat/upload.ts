import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import * as z from 'zod'
import { XnatError } from '../errors.ts'
import { parseJson } from '../json.ts'
import type { Query, Reply, StreamBody } from './call.ts'
import type { XnatClient } from './client.ts'
import type { XnatPath } from './path.ts'
import type { UploadOptions, UploadOutcome } from './resources.ts'

export const archiveTypes = {
  tar: { extension: 'tar', contentType: 'application/x-tar' },
  tgz: { extension: 'tgz', contentType: 'application/x-gtar' },
  zip: { extension: 'zip', contentType: 'application/zip' },
} as const

/** Sends one body into a resource and reads what XNAT made of it. */
export async function upload(
  client: XnatClient,
  path: XnatPath,
  body: StreamBody,
  mode: Query,
  { overwrite = false, isRetried = true, format, content, tags, updateStats, signal }: UploadOptions,
): Promise<UploadOutcome> {
  // XNAT: update-stats is true only as "true" or "1" (RES/files/FileList.java).
  const query: Query = {
    ...mode,
    overwrite: overwrite || undefined,
    format,
    content,
    tags,
    'update-stats': updateStats,
  }
  const reply = await client.send({
    method: 'PUT',
    path,
    query,
    body,
    idempotent: overwrite && isRetried,
    isSlow: true,
    signal,
  })
  if (!reply.tookWholeBody) {
    // XNAT: without the right to edit it answers 200 and stores nothing (RES/files/FileList.java handlePost).
    const { status } = reply
    throw new XnatError({ code: 'XNAT_FORBIDDEN', method: 'PUT', pathTemplate: path.template, status })
  }
  return outcomeOf(reply, path)
}

const Duplicates = z.object({ duplicates: z.array(z.string()) })

// XNAT: a success has no body; files that were there come as JSON, labelled text/html (RES/files/FileList.java).
function outcomeOf(reply: Reply, path: XnatPath): UploadOutcome {
  if (reply.text.trim() === '') return { kind: 'stored' }
  const parsed = Duplicates.safeParse(parseJson(reply.text))
  if (parsed.success) return { kind: 'duplicates', paths: parsed.data.duplicates }
  const { status } = reply
  const code = 'XNAT_UNEXPECTED_REPLY'
  throw new XnatError({ code, method: 'PUT', pathTemplate: path.template, status, cause: parsed.error })
}

/**
 * A form with one file. XNAT reads it to its end before it stores anything, and asks for no length: the way for files
 * of no bytes or of unknown size.
 */
export function fileForm(name: string, { openBody, sizeBytes, contentType }: StreamBody): StreamBody {
  const boundary = randomUUID()
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n` +
      `Content-Type: ${contentType}\r\n\r\n`,
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  async function* parts() {
    yield head
    yield* await openBody()
    yield tail
  }
  return {
    openBody: () => Readable.from(parts(), { objectMode: false }),
    sizeBytes: sizeBytes === undefined ? undefined : head.length + sizeBytes + tail.length,
    contentType: `multipart/form-data; boundary=${boundary}`,
  }
}
