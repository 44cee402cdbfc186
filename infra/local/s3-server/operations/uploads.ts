import { randomBytes } from 'node:crypto'
import { readAttributes } from '../attributes.ts'
import { multipartChecksumType, parseAlgorithm } from '../checksums.ts'
import type { Incoming } from '../payload.ts'
import { documentReply, noContent, owner, quoted, type Reply } from '../reply.ts'
import type { S3Request } from '../request.ts'
import { invalidArgument } from '../s3-error.ts'
import type { Store } from '../store.ts'
import type { Upload } from '../upload-index.ts'
import { nameEncoder, parseMaxKeys } from './list-objects.ts'

export async function createMultipartUpload(store: Store, { request }: Incoming): Promise<Reply> {
  const { bucket, key } = request
  store.buckets.assertExists(bucket)
  const checksum = uploadChecksum(request)
  const upload: Upload = {
    id: randomBytes(24).toString('base64url'),
    bucket,
    key,
    initiated: store.now(),
    checksum,
    ...readAttributes(request),
  }
  store.uploads.add(upload)
  return documentReply(
    'InitiateMultipartUploadResult',
    { Bucket: bucket, Key: key, UploadId: upload.id },
    checksum && {
      'x-amz-checksum-algorithm': checksum.algorithm.toUpperCase(),
      'x-amz-checksum-type': checksum.type,
    },
  )
}

function uploadChecksum(request: S3Request): Upload['checksum'] {
  const name = request.header('x-amz-checksum-algorithm')
  if (name === undefined) return undefined
  const algorithm = parseAlgorithm(name)
  return { algorithm, type: multipartChecksumType(algorithm, request.header('x-amz-checksum-type')) }
}

export async function abortMultipartUpload(store: Store, { request }: Incoming): Promise<Reply> {
  const upload = requestedUpload(store, request)
  const unwanted = store.db.transaction(() => store.uploads.remove(upload.id))
  await store.blobs.discard(unwanted)
  return noContent
}

/** @throws {S3Error} NoSuchBucket or NoSuchUpload */
export function requestedUpload(store: Store, request: S3Request): Upload {
  store.buckets.assertExists(request.bucket)
  return store.uploads.get(request.query('uploadId') ?? '', request.bucket, request.key)
}

export async function listParts(store: Store, { request }: Incoming): Promise<Reply> {
  const upload = requestedUpload(store, request)
  const marker = parseMaxParts(request.query('part-number-marker') ?? '0', 'part-number-marker')
  const maxParts = parseMaxKeys(request.query('max-parts'), 'max-parts')
  const found = store.uploads.parts(upload.id, { after: marker, limit: maxParts + 1 })
  const parts = found.slice(0, maxParts)
  const { checksum } = upload
  return documentReply('ListPartsResult', {
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.id,
    PartNumberMarker: marker,
    NextPartNumberMarker: parts.at(-1)?.number ?? 0,
    MaxParts: maxParts,
    IsTruncated: found.length > parts.length,
    ChecksumAlgorithm: checksum?.algorithm.toUpperCase(),
    ChecksumType: checksum?.type,
    Part: parts.map((part) => ({
      PartNumber: part.number,
      LastModified: part.modified.toISOString(),
      ETag: quoted(part.etag),
      Size: part.sizeBytes,
      ...(checksum && { [`Checksum${checksum.algorithm.toUpperCase()}`]: part.checksums[checksum.algorithm] }),
    })),
    Initiator: owner,
    Owner: owner,
    StorageClass: 'STANDARD',
  })
}

function parseMaxParts(text: string, name: string): number {
  if (!/^\d{1,10}$/u.test(text))
    throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, text)
  return Number(text)
}

export async function listMultipartUploads(store: Store, { request }: Incoming): Promise<Reply> {
  store.buckets.assertExists(request.bucket)
  const prefix = request.query('prefix') ?? ''
  const keyMarker = request.query('key-marker') ?? ''
  const idMarker = request.query('upload-id-marker') ?? ''
  const maxUploads = parseMaxKeys(request.query('max-uploads'), 'max-uploads')
  // Without an id the marker is past every upload of its key: no upload id is greater than U+FFFF.
  const afterId = idMarker === '' ? '\uffff' : idMarker
  const found = store.uploads.list(request.bucket, { prefix, afterKey: keyMarker, afterId, limit: maxUploads + 1 })
  const page = found.slice(0, maxUploads)
  const isTruncated = found.length > page.length
  const encode = nameEncoder(request)
  const last = isTruncated ? page.at(-1) : undefined
  return documentReply('ListMultipartUploadsResult', {
    Bucket: request.bucket,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: last && encode(last.key),
    NextUploadIdMarker: last?.id,
    Prefix: encode(prefix),
    EncodingType: request.query('encoding-type'),
    MaxUploads: maxUploads,
    IsTruncated: isTruncated,
    Upload: page.map((upload) => ({
      Key: encode(upload.key),
      UploadId: upload.id,
      Initiator: owner,
      Owner: owner,
      StorageClass: 'STANDARD',
      Initiated: upload.initiated.toISOString(),
      ChecksumAlgorithm: upload.checksum?.algorithm.toUpperCase(),
      ChecksumType: upload.checksum?.type,
    })),
  })
}
