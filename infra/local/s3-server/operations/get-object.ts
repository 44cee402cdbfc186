import { objectHeaders } from '../attributes.ts'
import { type ByteRange, contentRange, parseRange } from '../byte-range.ts'
import { type Segment, type StoredObject, sliceSegments } from '../object-index.ts'
import type { Incoming } from '../payload.ts'
import { checkRead, matchesEtag } from '../preconditions.ts'
import { quoted, type Reply } from '../reply.ts'
import { asHeaderValue, type S3Request } from '../request.ts'
import { noSuchKey, S3Error } from '../s3-error.ts'
import type { Store } from '../store.ts'
import { checksumHeaders } from './put-object.ts'

export async function headObject(store: Store, { request }: Incoming): Promise<Reply> {
  const { reply } = describe(store, request)
  return reply
}

export async function getObject(store: Store, { request }: Incoming): Promise<Reply> {
  const { reply, segments, range } = describe(store, request)
  if (reply.status === 304) return reply
  const slices = sliceSegments(segments, range.start, range.end)
  if (range.end - range.start <= smallBytes) return { ...reply, body: store.blobs.readWhole(slices) }
  // Pinned before anything else can run, so that an overwrite cannot take the files away under this reader.
  const release = store.blobs.pin(slices.map((slice) => slice.blobId))
  return { ...reply, body: store.blobs.read(slices), release }
}

/** Up to this size an object is read in one piece: of many small ones, each is one step of the program. */
const smallBytes = 1024 * 1024

interface Description {
  reply: Reply
  segments: Segment[]
  range: ByteRange
}

/** Everything about the answer but its body, and which stretch of the object that body is. */
function describe(store: Store, request: S3Request): Description {
  store.buckets.assertExists(request.bucket)
  const object = store.objects.find(request.bucket, request.key)
  if (object === undefined) throw noSuchKey(request.key)
  const segments = store.objects.segments(object)
  const whole = { start: 0, end: object.sizeBytes }
  const validators = { etag: quoted(object.etag), 'last-modified': object.modified.toUTCString() }
  if (checkRead(request, object) === 'not-modified') {
    return { reply: { status: 304, headers: validators }, segments, range: whole }
  }
  const part = partRange(request, object, segments)
  const asked = part?.range ?? requestedRange(request, object)
  const range = asked ?? whole
  const headers = {
    ...object.headers,
    ...overrides(request),
    ...validators,
    ...tagCount(object),
    ...(part && { 'x-amz-mp-parts-count': String(part.count) }),
    ...(asked ? { 'content-range': contentRange(asked, object.sizeBytes) } : wholeChecksumHeaders(request, object)),
    'accept-ranges': 'bytes',
    'content-length': String(range.end - range.start),
  }
  return { reply: { status: asked ? 206 : 200, headers }, segments, range }
}

function tagCount({ tags }: StoredObject): Record<string, string> {
  const count = Object.keys(tags).length
  return count === 0 ? {} : { 'x-amz-tagging-count': String(count) }
}

/** S3: checksums are sent on request, and only with all the bytes they cover. */
function wholeChecksumHeaders(request: S3Request, { checksum }: StoredObject): Record<string, string> {
  return request.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' ? checksumHeaders(checksum) : {}
}

function requestedRange(request: S3Request, object: StoredObject): ByteRange | undefined {
  const header = request.header('range')
  const ifRange = request.header('if-range')
  if (header === undefined) return undefined
  const isOther = ifRange !== undefined && !matchesEtag(ifRange, object) && ifRange !== object.modified.toUTCString()
  return isOther ? undefined : parseRange(header, object.sizeBytes)
}

/** One part of a multipart object, asked for by its number. */
function partRange(
  request: S3Request,
  { etag }: StoredObject,
  segments: readonly Segment[],
): { range: ByteRange | undefined; count: number } | undefined {
  const asked = request.query('partNumber')
  if (asked === undefined) return undefined
  const number = Number(asked)
  const segment = segments[number - 1]
  if (segment === undefined) throw new S3Error('InvalidPartNumber', 'The requested partnumber is not satisfiable')
  const start = segments.slice(0, number - 1).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const isMultipart = etag.includes('-')
  if (!isMultipart) return undefined
  const range = segment.sizeBytes === 0 ? undefined : { start, end: start + segment.sizeBytes }
  return { range, count: segments.length }
}

function overrides(request: S3Request): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of objectHeaders) {
    const value = request.query(`response-${name}`)
    if (value !== undefined) headers[name] = asHeaderValue(value)
  }
  return headers
}
