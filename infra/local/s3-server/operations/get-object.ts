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
  // Pinned before anything else can run, so that an overwrite cannot take the files away under this reader.
  const release = store.blobs.pin(slices.map((slice) => slice.blobId))
  return { ...reply, body: store.blobs.read(slices), release }
}

interface Description {
  reply: Reply
  segments: Segment[]
  range: ByteRange
}

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
  const range = part?.range ?? requestedRange(request, object)
  const headers = {
    ...object.headers,
    ...overrides(request),
    ...validators,
    ...(part && { 'x-amz-mp-parts-count': String(part.count) }),
    ...(Object.keys(object.tags).length > 0 && { 'x-amz-tagging-count': String(Object.keys(object.tags).length) }),
    'accept-ranges': 'bytes',
  }
  if (range !== undefined) {
    const length = { 'content-length': String(range.end - range.start) }
    const reply = {
      status: 206,
      headers: { ...headers, ...length, 'content-range': contentRange(range, object.sizeBytes) },
    }
    return { reply, segments, range }
  }
  const wantsChecksum = request.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'
  const checksum = wantsChecksum ? checksumHeaders(object.checksum) : {}
  const reply = { status: 200, headers: { ...headers, ...checksum, 'content-length': String(object.sizeBytes) } }
  return { reply, segments, range: whole }
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

const overridable = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]

function overrides(request: S3Request): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of overridable) {
    const value = request.query(`response-${name}`)
    if (value !== undefined) headers[name] = asHeaderValue(value)
  }
  return headers
}
