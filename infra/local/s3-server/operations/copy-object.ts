import { createHash } from 'node:crypto'
import { readAttributes } from '../attributes.ts'
import type { ByteRange } from '../byte-range.ts'
import { type ChecksumAlgorithm, parseAlgorithm, startChecksum } from '../checksums.ts'
import { type ObjectAttributes, type Segment, type StoredObject, sliceSegments } from '../object-index.ts'
import type { Incoming } from '../payload.ts'
import { checkCopySource, checkWrite } from '../preconditions.ts'
import { publish, type Received, writeBlob } from '../publish.ts'
import { documentReply, quoted, type Reply } from '../reply.ts'
import { asUtf8, decodePercent, type S3Request } from '../request.ts'
import { invalidArgument, noSuchKey, notImplemented, S3Error } from '../s3-error.ts'
import { modifiedNow, type Store } from '../store.ts'
import { checksumElements, wholeChecksum } from './put-object.ts'

/** S3: the largest object that one CopyObject takes; larger ones are copied by parts. */
const maxCopyBytes = 5 * 1024 ** 3

export async function copyObject(store: Store, { request }: Incoming): Promise<Reply> {
  const { bucket, key } = request
  store.buckets.assertExists(bucket)
  checkWrite(request, store.objects.find(bucket, key))
  const source = openCopySource(store, request)
  const attributes = copiedAttributes(request, source)
  if (source.object.sizeBytes > maxCopyBytes) {
    throw new S3Error(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${maxCopyBytes}`,
    )
  }
  const asked = request.header('x-amz-checksum-algorithm')
  const algorithm = asked === undefined ? source.object.checksum?.algorithm : parseAlgorithm(asked)
  const range = { start: 0, end: source.object.sizeBytes }
  const { segment, facts } = await copyBytes(store, source, { range, algorithms: algorithm ? [algorithm] : [] })
  const etag = facts.md5.toString('hex')
  const modified = modifiedNow(store)
  const checksum = wholeChecksum(facts)
  const object = { bucket, key, etag, modified, checksum, segments: [segment], ...attributes }
  await publish(store, { request, object, eventName: 'ObjectCreated:Copy', ownsBlobs: true })
  return documentReply('CopyObjectResult', {
    ETag: quoted(etag),
    LastModified: modified.toISOString(),
    ...checksumElements(checksum),
  })
}

export interface CopySource {
  bucket: string
  object: StoredObject
  segments: Segment[]
}

/** @throws {S3Error} NoSuchBucket, NoSuchKey, or PreconditionFailed for the x-amz-copy-source-if-* headers */
export function openCopySource(store: Store, request: S3Request): CopySource {
  const header = asUtf8(request.header('x-amz-copy-source') ?? '')
  const [path = '', query = ''] = header.split('?')
  const [, bucket, key] = /^\/?([^/]+)\/([\s\S]+)$/u.exec(decodePercent(path)) ?? []
  if (bucket === undefined || key === undefined) {
    throw invalidArgument(
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      'x-amz-copy-source',
      header,
    )
  }
  if (query !== '' && query !== 'versionId=null') throw notImplemented('a version of the copy source')
  store.buckets.assertExists(bucket)
  const object = store.objects.find(bucket, key)
  if (object === undefined) throw noSuchKey(key)
  checkCopySource(request, object)
  return { bucket, object, segments: store.objects.segments(object) }
}

export async function copyBytes(
  store: Store,
  source: CopySource,
  { range, algorithms }: { range: ByteRange; algorithms: ChecksumAlgorithm[] },
): Promise<Received> {
  const slices = sliceSegments(source.segments, range.start, range.end)
  const release = store.blobs.pin(slices.map((slice) => slice.blobId))
  const md5 = createHash('md5')
  const sums = algorithms.map((algorithm) => ({ algorithm, sum: startChecksum(algorithm) }))
  const fill = async (sink: (chunk: Buffer) => Promise<void>) => {
    for await (const chunk of store.blobs.read(slices)) {
      const stored = sink(chunk)
      md5.update(chunk)
      for (const { sum } of sums) sum.update(chunk)
      await stored
    }
    const checksums = Object.fromEntries(sums.map(({ algorithm, sum }) => [algorithm, sum.digest().toString('base64')]))
    return { sizeBytes: range.end - range.start, md5: md5.digest(), checksums }
  }
  try {
    return await writeBlob(store, fill)
  } finally {
    await release()
  }
}

function copiedAttributes(request: S3Request, { bucket, object }: CopySource): ObjectAttributes {
  const replacesMetadata = isReplace(request, 'x-amz-metadata-directive')
  const replacesTags = isReplace(request, 'x-amz-tagging-directive')
  if (bucket === request.bucket && object.key === request.key && !replacesMetadata) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  }
  const own = readAttributes(request)
  return { headers: replacesMetadata ? own.headers : object.headers, tags: replacesTags ? own.tags : object.tags }
}

function isReplace(request: S3Request, header: string): boolean {
  const directive = request.header(header) ?? 'COPY'
  if (directive !== 'COPY' && directive !== 'REPLACE') throw invalidArgument(`Unknown ${header}.`, header, directive)
  return directive === 'REPLACE'
}
