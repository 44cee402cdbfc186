import { afterPrefix, keyBytes } from '../database.ts'
import type { ObjectListing } from '../object-index.ts'
import type { Incoming } from '../payload.ts'
import { documentReply, owner, quoted, type Reply } from '../reply.ts'
import { encodeStrict, type S3Request } from '../request.ts'
import { invalidArgument } from '../s3-error.ts'
import type { Store } from '../store.ts'
import type { XmlNode } from '../xml.ts'

const maxPage = 1000

export async function listObjectsV2(store: Store, { request }: Incoming): Promise<Reply> {
  const token = request.query('continuation-token')
  const startAfter = request.query('start-after')
  const from = token === undefined ? keyBytes(startAfter === undefined ? '' : `${startAfter}\0`) : parseToken(token)
  const page = readPage(store, request, from)
  const encode = nameEncoder(request)
  return documentReply('ListBucketResult', {
    ...commonElements(request, page),
    KeyCount: page.contents.length + page.commonPrefixes.length,
    ContinuationToken: token,
    NextContinuationToken: page.next?.toString('base64url'),
    StartAfter: startAfter === undefined ? undefined : encode(startAfter),
    ...pageElements(request, page, { withOwner: request.query('fetch-owner') === 'true' }),
  })
}

export async function listObjects(store: Store, { request }: Incoming): Promise<Reply> {
  const marker = request.query('marker') ?? ''
  const page = readPage(store, request, afterMarker(request, marker))
  const encode = nameEncoder(request)
  const last = page.next === undefined ? undefined : page.last
  return documentReply('ListBucketResult', {
    ...commonElements(request, page),
    Marker: encode(marker),
    // S3: without a delimiter the last key serves as the next marker, so none is sent.
    NextMarker: last === undefined || !request.query('delimiter') ? undefined : encode(last),
    ...pageElements(request, page, { withOwner: true }),
  })
}

/** A marker that is a common prefix stands for all that it rolled up. */
function afterMarker(request: S3Request, marker: string): Buffer {
  const rolledUp = commonPrefix(marker, request.query('prefix') ?? '', request.query('delimiter') ?? '')
  if (marker !== '' && rolledUp === marker) return afterPrefix(keyBytes(marker))
  return keyBytes(marker === '' ? '' : `${marker}\0`)
}

function parseToken(token: string): Buffer {
  const from = Buffer.from(token, 'base64url')
  if (from.length === 0 || from.toString('base64url') !== token) {
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token)
  }
  return from
}

interface Page {
  contents: ObjectListing[]
  commonPrefixes: string[]
  maxKeys: number
  last: string | undefined
  /** Where the next page starts, in bytes; absent on the last page. */
  next: Buffer | undefined
}

function readPage(store: Store, request: S3Request, start: Buffer): Page {
  const { bucket } = request
  store.buckets.assertExists(bucket)
  const prefixText = request.query('prefix') ?? ''
  const delimiter = request.query('delimiter') ?? ''
  const prefix = keyBytes(prefixText)
  const maxKeys = parseMaxKeys(request.query('max-keys'))
  const page: Page = { contents: [], commonPrefixes: [], maxKeys, last: undefined, next: undefined }
  const left = () => maxKeys - page.contents.length - page.commonPrefixes.length
  let from = Buffer.compare(start, prefix) > 0 ? start : prefix
  // Grows while plain keys come and falls back at each common prefix, which jumps over all keys below it.
  let batch = delimiter === '' ? maxPage : 1
  while (left() > 0) {
    const listings = store.objects.scan(bucket, { prefix, from, limit: Math.min(batch, left()) })
    if (listings.length === 0) return page
    batch = Math.min(batch * 2, maxPage)
    for (const listing of listings) {
      const rolledUp = commonPrefix(listing.key, prefixText, delimiter)
      page.last = rolledUp ?? listing.key
      if (rolledUp === undefined) {
        page.contents.push(listing)
        from = keyBytes(`${listing.key}\0`)
      } else {
        page.commonPrefixes.push(rolledUp)
        from = afterPrefix(keyBytes(rolledUp))
        batch = 1
        break
      }
    }
  }
  const isMore = maxKeys > 0 && store.objects.scan(bucket, { prefix, from, limit: 1 }).length > 0
  return isMore ? { ...page, next: from } : page
}

function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '' || !key.startsWith(prefix)) return undefined
  const index = key.indexOf(delimiter, prefix.length)
  return index < 0 ? undefined : key.slice(0, index + delimiter.length)
}

export function parseMaxKeys(text: string | undefined, name = 'max-keys'): number {
  if (text === undefined || text === '') return maxPage
  if (!/^\d{1,10}$/u.test(text))
    throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, text)
  return Math.min(Number(text), maxPage)
}

/** Names as they are, or percent-encoded when the client asked for it: XML 1.0 cannot carry every key. */
export function nameEncoder(request: S3Request): (name: string) => string {
  const type = request.query('encoding-type')
  if (type === undefined) return (name) => name
  if (type !== 'url') throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', type)
  return (name) => encodeStrict(name).replaceAll('%2F', '/')
}

function commonElements(request: S3Request, page: Page): XmlNode {
  const encode = nameEncoder(request)
  const delimiter = request.query('delimiter')
  return {
    Name: request.bucket,
    Prefix: encode(request.query('prefix') ?? ''),
    Delimiter: delimiter ? encode(delimiter) : undefined,
    MaxKeys: page.maxKeys,
    EncodingType: request.query('encoding-type'),
    IsTruncated: page.next !== undefined,
  }
}

function pageElements(request: S3Request, page: Page, { withOwner }: { withOwner: boolean }): XmlNode {
  const encode = nameEncoder(request)
  return {
    Contents: page.contents.map(({ key, modified, etag, sizeBytes, storageClass }) => ({
      Key: encode(key),
      LastModified: modified.toISOString(),
      ETag: quoted(etag),
      Size: sizeBytes,
      Owner: withOwner ? owner : undefined,
      StorageClass: storageClass,
    })),
    CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  }
}
