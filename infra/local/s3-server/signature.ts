// Signature Version 4, checked for real: in the Authorization header and in presigned URLs.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { ChunkSignatures } from './chunk-signatures.ts'
import { asUtf8, encodeStrict, type S3Request } from './request.ts'
import { S3Error } from './s3-error.ts'
import { algorithm, type Claim, queryError, readClaim } from './signature-claim.ts'

const maxSkewMs = 15 * 60_000
const maxExpirySeconds = 7 * 24 * 3600

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
}

/** How the body is framed and what vouches for it. */
export type PayloadFraming =
  | { kind: 'plain'; sha256: string | undefined }
  | { kind: 'aws-chunked'; hasTrailer: boolean; signatures: ChunkSignatures | undefined }

interface Verifier {
  credentials: Credentials
  region: string
  now: Date
}

/**
 * Proves that the request was signed with the server's own credentials, and tells how to read its body.
 *
 * @throws {S3Error} with the code S3 gives for each way of being wrong.
 */
export function authenticate(request: S3Request, verifier: Verifier): PayloadFraming {
  const claim = readClaim(request)
  if (claim.accessKeyId !== verifier.credentials.accessKeyId) {
    throw new S3Error('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', {
      AWSAccessKeyId: claim.accessKeyId,
    })
  }
  if (request.header('x-amz-security-token') !== undefined || request.query('X-Amz-Security-Token') !== undefined) {
    throw new S3Error('InvalidToken', 'The provided token is malformed or otherwise invalid.')
  }
  checkScope(claim, verifier.region)
  checkTime(request, claim, verifier.now)
  checkAllSigned(request, claim)
  return verifySignature(request, claim, verifier.credentials)
}

function checkScope({ scope, isPresigned, timestamp }: Claim, region: string): void {
  const code = isPresigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed'
  // The Region element matters: s3cmd and others read it and sign again.
  if (scope.region !== region) {
    throw new S3Error(
      code,
      `The authorization is malformed; the region '${scope.region}' is wrong; expecting '${region}'`,
      {
        Region: region,
      },
    )
  }
  if (scope.service !== 's3' || scope.end !== 'aws4_request') {
    throw new S3Error(
      code,
      `The authorization is malformed; incorrect service "${scope.service}". This endpoint belongs to "s3".`,
    )
  }
  if (!timestamp.startsWith(scope.date)) {
    throw new S3Error(
      code,
      'The authorization is malformed; the date of the credential does not match the date of the request.',
    )
  }
}

function checkTime(request: S3Request, claim: Claim, now: Date): void {
  const signedAt = parseTimestamp(claim.timestamp)
  if (claim.isPresigned) checkExpiry(request, signedAt, now)
  else checkSkew(claim, signedAt, now)
}

function checkSkew(claim: Claim, signedAt: Date, now: Date): void {
  if (Math.abs(signedAt.getTime() - now.getTime()) > maxSkewMs) {
    throw new S3Error(
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      {
        RequestTime: claim.timestamp,
        ServerTime: now.toISOString(),
        MaxAllowedSkewMilliseconds: String(maxSkewMs),
      },
    )
  }
}

function checkExpiry(request: S3Request, signedAt: Date, now: Date): void {
  const seconds = Number(request.query('X-Amz-Expires'))
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxExpirySeconds) {
    throw queryError(`X-Amz-Expires must be a number of seconds from 1 to ${maxExpirySeconds}`)
  }
  if (signedAt.getTime() > now.getTime() + maxSkewMs) throw new S3Error('AccessDenied', 'Request is not valid yet')
  const expires = new Date(signedAt.getTime() + seconds * 1000)
  if (now > expires) {
    throw new S3Error('AccessDenied', 'Request has expired', {
      'X-Amz-Expires': String(seconds),
      Expires: expires.toISOString(),
      ServerTime: now.toISOString(),
    })
  }
}

/** A header that changes what is done, yet is not covered by the signature, could have been added on the way. */
function checkAllSigned(request: S3Request, claim: Claim): void {
  const unsigned = [...request.sentHeaders.keys()].filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !claim.signedHeaders.includes(name),
  )
  // S3: a presigned URL carries its payload hash in the query or leaves it open, so the header may come unsigned.
  const offending = unsigned.filter((name) => !(claim.isPresigned && name === 'x-amz-content-sha256'))
  if (offending.length > 0) {
    throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
      HeadersNotSigned: offending.join(', '),
    })
  }
}

function verifySignature(request: S3Request, claim: Claim, credentials: Credentials): PayloadFraming {
  const { date, region, service, end } = claim.scope
  const scope = `${date}/${region}/${service}/${end}`
  const canonical = canonicalRequest(request, claim)
  const stringToSign = [algorithm, claim.timestamp, scope, sha256Hex(canonical)].join('\n')
  const signingKey = [date, region, service, end].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  )
  if (!isSameText(hmac(signingKey, stringToSign).toString('hex'), claim.signature)) {
    throw new S3Error(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      {
        AWSAccessKeyId: claim.accessKeyId,
        StringToSign: stringToSign,
        SignatureProvided: claim.signature,
        CanonicalRequest: canonical,
      },
    )
  }
  return framing(claim, { signingKey, scope })
}

function framing(claim: Claim, { signingKey, scope }: { signingKey: Buffer; scope: string }): PayloadFraming {
  const { payloadHash, timestamp, signature } = claim
  const hasTrailer = payloadHash.endsWith('-TRAILER')
  switch (payloadHash) {
    case 'UNSIGNED-PAYLOAD':
      return { kind: 'plain', sha256: undefined }
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'aws-chunked', hasTrailer, signatures: undefined }
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return {
        kind: 'aws-chunked',
        hasTrailer,
        signatures: new ChunkSignatures({ signingKey, scope, timestamp, seedSignature: signature }),
      }
  }
  if (!/^[\da-f]{64}$/u.test(payloadHash)) {
    throw new S3Error(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- value that this server knows, or a valid sha256 value.',
    )
  }
  return { kind: 'plain', sha256: payloadHash }
}

function canonicalRequest(request: S3Request, claim: Claim): string {
  const headers = claim.signedHeaders.map((name) => `${name}:${canonicalValue(request.sentHeaders.get(name) ?? '')}\n`)
  return [
    request.method,
    request.path.split('/').map(encodeStrict).join('/'),
    canonicalQuery(request),
    headers.join(''),
    claim.signedHeaders.join(';'),
    claim.payloadHash,
  ].join('\n')
}

const canonicalValue = (value: string) => asUtf8(value).trim().replaceAll(/ +/gu, ' ')

function canonicalQuery(request: S3Request): string {
  return request.queryPairs
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeStrict(name), encodeStrict(value)] as const)
    .sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function parseTimestamp(text: string): Date {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u.exec(text) ?? []
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(date.getTime())) {
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header')
  }
  return date
}

function isSameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex')
