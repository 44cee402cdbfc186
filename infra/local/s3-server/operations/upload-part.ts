import { parseRange } from '../byte-range.ts'
import { findAlgorithm } from '../checksums.ts'
import type { Incoming } from '../payload.ts'
import { type Received, receiveBody } from '../publish.ts'
import { documentReply, quoted, type Reply } from '../reply.ts'
import type { S3Request } from '../request.ts'
import { invalidArgument } from '../s3-error.ts'
import { modifiedNow, type Store } from '../store.ts'
import type { Part, Upload } from '../upload-index.ts'
import { copyBytes, openCopySource } from './copy-object.ts'
import { requestedUpload } from './uploads.ts'

const maxPartNumber = 10_000

export async function uploadPart(store: Store, incoming: Incoming): Promise<Reply> {
  const { request } = incoming
  const number = parsePartNumber(request)
  const upload = requestedUpload(store, request)
  const asked = upload.checksum?.algorithm ?? findAlgorithm(request.header('x-amz-sdk-checksum-algorithm') ?? '')
  const received = await receiveBody(store, incoming, asked ? [asked] : [])
  const part = await keepPart(store, upload, { number, received })
  const checksums = Object.entries(part.checksums).map(([algorithm, value]) => [`x-amz-checksum-${algorithm}`, value])
  return { status: 200, headers: { etag: quoted(part.etag), ...Object.fromEntries(checksums) } }
}

export async function uploadPartCopy(store: Store, { request }: Incoming): Promise<Reply> {
  const number = parsePartNumber(request)
  const upload = requestedUpload(store, request)
  const source = openCopySource(store, request)
  const asked = upload.checksum?.algorithm
  const range = copyRange(request, source.object.sizeBytes)
  const received = await copyBytes(store, source, { range, algorithms: asked ? [asked] : [] })
  const part = await keepPart(store, upload, { number, received })
  return documentReply('CopyPartResult', {
    ETag: quoted(part.etag),
    LastModified: part.modified.toISOString(),
    ...(asked && { [`Checksum${asked.toUpperCase()}`]: part.checksums[asked] }),
  })
}

function parsePartNumber(request: S3Request): number {
  const text = request.query('partNumber') ?? ''
  const number = Number(text)
  if (!/^\d+$/u.test(text) || number < 1 || number > maxPartNumber) {
    throw invalidArgument(
      `Part number must be an integer between 1 and ${maxPartNumber}, inclusive`,
      'partNumber',
      text,
    )
  }
  return number
}

/** S3: the range of a part copy must be written out and lie within the source. */
function copyRange(request: S3Request, sizeBytes: number) {
  const header = request.header('x-amz-copy-source-range')
  if (header === undefined) return { start: 0, end: sizeBytes }
  const last = /^bytes=\d+-(\d+)$/u.exec(header)?.[1]
  const range = last === undefined ? undefined : parseRange(header, sizeBytes)
  if (range === undefined) {
    throw invalidArgument(
      'The x-amz-copy-source-range value must be of the form bytes=first-last',
      'x-amz-copy-source-range',
      header,
    )
  }
  if (Number(last) >= sizeBytes) {
    throw invalidArgument(
      `Range specified is not valid for source object of size: ${sizeBytes}`,
      'x-amz-copy-source-range',
      header,
    )
  }
  return range
}

async function keepPart(
  store: Store,
  upload: Upload,
  { number, received: { segment, facts } }: { number: number; received: Received },
): Promise<Part> {
  const part: Part = {
    number,
    ...segment,
    etag: facts.md5.toString('hex'),
    modified: modifiedNow(store),
    checksums: facts.checksums,
  }
  let unwanted: string[]
  try {
    unwanted = store.db.transaction(() => {
      // Aborted or completed while the body flowed: the part has nowhere to go.
      store.uploads.get(upload.id, upload.bucket, upload.key)
      return store.uploads.putPart(upload.id, part)
    })
  } catch (error) {
    await store.blobs.discard([segment.blobId])
    throw error
  }
  await store.blobs.discard(unwanted)
  return part
}
