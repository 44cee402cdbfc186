// Conditional requests: RFC 9110 section 13 as S3 reads it ("Conditional requests" in the S3 user guide).
import type { ObjectListing } from './object-index.ts'
import type { S3Request } from './request.ts'
import { noSuchKey, notImplemented, preconditionFailed } from './s3-error.ts'

type Facts = Pick<ObjectListing, 'etag' | 'modified'>

/** @throws {S3Error} PreconditionFailed */
export function checkRead(request: S3Request, object: Facts): 'send' | 'not-modified' {
  const { match, noneMatch, modifiedSince, unmodifiedSince } = readConditions(request, '')
  checkStillThat({ match, unmodifiedSince }, object)
  // S3: If-None-Match decides alone when both are given.
  if (noneMatch !== undefined) return matchesEtag(noneMatch, object) ? 'not-modified' : 'send'
  return modifiedSince !== undefined && object.modified <= modifiedSince ? 'not-modified' : 'send'
}

/** The conditions a copy sets on its source. @throws {S3Error} PreconditionFailed */
export function checkCopySource(request: S3Request, object: Facts): void {
  const prefix = 'x-amz-copy-source-'
  const { match, noneMatch, modifiedSince, unmodifiedSince } = readConditions(request, prefix)
  checkStillThat({ match, unmodifiedSince }, object)
  if (noneMatch !== undefined) {
    if (matchesEtag(noneMatch, object)) throw preconditionFailed(`${prefix}If-None-Match`)
  } else if (modifiedSince !== undefined && object.modified <= modifiedSince) {
    throw preconditionFailed(`${prefix}If-Modified-Since`)
  }
}

/** The conditions of a write on what it would replace. @throws {S3Error} PreconditionFailed or NoSuchKey */
export function checkWrite(request: S3Request, current: Facts | undefined): void {
  const match = request.header('if-match')
  const noneMatch = request.header('if-none-match')
  if (noneMatch !== undefined) {
    if (noneMatch !== '*') throw notImplemented('If-None-Match with an ETag on a write')
    if (current !== undefined) throw preconditionFailed('If-None-Match')
  }
  if (match !== undefined) {
    if (current === undefined) throw noSuchKey(request.key)
    if (!matchesEtag(match, current)) throw preconditionFailed('If-Match')
  }
}

/** Whether an ETag list, or `*`, names the object's ETag. */
export function matchesEtag(list: string, { etag }: Facts): boolean {
  return list.split(',').some((item) => {
    const wanted = item.trim().replace(/^W\//u, '').replaceAll('"', '')
    return wanted === '*' || wanted === etag
  })
}

/** S3: an If-Match that holds makes If-Unmodified-Since irrelevant. */
function checkStillThat(
  { match, unmodifiedSince }: { match: string | undefined; unmodifiedSince: Date | undefined },
  object: Facts,
): void {
  if (match !== undefined) {
    if (!matchesEtag(match, object)) throw preconditionFailed('If-Match')
  } else if (unmodifiedSince !== undefined && object.modified > unmodifiedSince) {
    throw preconditionFailed('If-Unmodified-Since')
  }
}

function readConditions(request: S3Request, prefix: '' | 'x-amz-copy-source-') {
  return {
    match: request.header(`${prefix}if-match`),
    noneMatch: request.header(`${prefix}if-none-match`),
    modifiedSince: parseDate(request.header(`${prefix}if-modified-since`)),
    unmodifiedSince: parseDate(request.header(`${prefix}if-unmodified-since`)),
  }
}

/** A date that cannot be read is no condition (RFC 9110 section 13.1.3). */
function parseDate(text: string | undefined): Date | undefined {
  const date = new Date(text ?? '')
  return Number.isNaN(date.getTime()) ? undefined : date
}
