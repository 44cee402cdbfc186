// What a client gives an object besides its bytes: headers to send back, user metadata, tags.
import type { ObjectAttributes } from './object-index.ts'
import { decodePercent, type S3Request } from './request.ts'
import { notImplemented, S3Error } from './s3-error.ts'

/** The standard headers that S3 keeps with an object, and lets a reader override. */
export const objectHeaders = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]
const maxMetadataBytes = 2048
const maxTags = 10

/** @throws {S3Error} MetadataTooLarge or InvalidTag; NotImplemented for wishes this server would have to ignore. */
export function readAttributes(request: S3Request): ObjectAttributes {
  refuseIgnored(request)
  return { headers: readHeaders(request), tags: parseTagging(request.header('x-amz-tagging') ?? '') }
}

function readHeaders(request: S3Request): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'binary/octet-stream' }
  let metadataBytes = 0
  for (const [name, value] of request.headers) {
    if (objectHeaders.includes(name)) headers[name] = value
    if (name.startsWith('x-amz-meta-')) {
      headers[name] = value
      metadataBytes += name.length - 'x-amz-meta-'.length + value.length
    }
  }
  if (metadataBytes > maxMetadataBytes) {
    throw new S3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      Size: String(metadataBytes),
      MaxSizeAllowed: String(maxMetadataBytes),
    })
  }
  // S3: the class is sent back only when it is not the usual one.
  const storageClass = request.header('x-amz-storage-class') ?? 'STANDARD'
  if (storageClass !== 'STANDARD') headers['x-amz-storage-class'] = storageClass
  // S3: aws-chunked is how the body travelled, not what the object is.
  const encodings = (headers['content-encoding'] ?? '').split(',').map((encoding) => encoding.trim())
  const own = encodings.filter((encoding) => encoding !== '' && encoding !== 'aws-chunked').join(',')
  if (own === '') delete headers['content-encoding']
  else headers['content-encoding'] = own
  return headers
}

function refuseIgnored(request: S3Request): void {
  const acl = request.header('x-amz-acl') ?? 'private'
  if (acl !== 'private' && acl !== 'bucket-owner-full-control') {
    throw new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs')
  }
  for (const [name, value] of request.headers) {
    const isPlain =
      (name === 'x-amz-storage-class' && onlineClasses.includes(value)) || (name === sse && value === 'AES256')
    if (!isPlain && refusedHeaders.some((refused) => name.startsWith(refused)))
      throw notImplemented(`${name}: ${value}`)
  }
}

/** The others need a restore before they can be read. */
const onlineClasses = ['STANDARD', 'REDUCED_REDUNDANCY', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING']
const sse = 'x-amz-server-side-encryption'
const refusedHeaders = [
  sse,
  'x-amz-grant-',
  'x-amz-object-lock-',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
  'x-amz-write-offset-bytes',
]

/** The query form of the x-amz-tagging header. */
function parseTagging(text: string): Record<string, string> {
  const pairs = text.split('&').filter((pair) => pair !== '')
  return toTags(
    pairs.map((pair) => {
      const [name = '', value = ''] = pair.replaceAll('+', ' ').split('=').map(decodePercent)
      return [name, value]
    }),
  )
}

/** @throws {S3Error} InvalidTag when there are too many, one is too long, or a name comes twice. */
export function toTags(pairs: readonly (readonly [name: string, value: string])[]): Record<string, string> {
  const tags = Object.fromEntries(pairs)
  if (Object.keys(tags).length !== pairs.length)
    throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key')
  if (pairs.length > maxTags) throw new S3Error('InvalidTag', `Object tags cannot be greater than ${maxTags}`)
  for (const [name, value] of pairs) {
    if (name === '' || name.length > 128) throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid')
    if (value.length > 256) throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid')
  }
  return tags
}
