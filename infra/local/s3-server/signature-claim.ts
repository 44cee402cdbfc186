// What a request says about its signature, in the Authorization header or in the query of a presigned URL.
import type { S3Request } from './request.ts'
import { S3Error } from './s3-error.ts'

export const algorithm = 'AWS4-HMAC-SHA256'

export interface Claim {
  accessKeyId: string
  scope: { date: string; region: string; service: string; end: string }
  signedHeaders: string[]
  signature: string
  /** In the basic form of ISO 8601; empty when the request has no readable date. */
  timestamp: string
  payloadHash: string
  isPresigned: boolean
}

/** @throws {S3Error} AccessDenied when the request is not signed at all; others when its claim is incomplete. */
export function readClaim(request: S3Request): Claim {
  const authorization = request.header('authorization')
  const isPresigned = request.query('X-Amz-Algorithm') !== undefined
  if (authorization !== undefined && isPresigned) {
    throw new S3Error(
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    )
  }
  if (isPresigned) return readQueryClaim(request)
  if (authorization === undefined) throw new S3Error('AccessDenied', 'Access Denied')
  return readHeaderClaim(request, authorization)
}

function readHeaderClaim(request: S3Request, authorization: string): Claim {
  const [scheme, fieldText = ''] = splitOnce(authorization, ' ')
  if (scheme !== algorithm) {
    throw new S3Error(
      'InvalidRequest',
      `The authorization mechanism you have provided is not supported. Please use ${algorithm}.`,
    )
  }
  const fields = new Map(fieldText.split(',').map((field) => splitOnce(field.trim(), '=')))
  const [accessKeyId, scope] = splitCredential(fields.get('Credential') ?? '', 'AuthorizationHeaderMalformed')
  const signature = fields.get('Signature')
  const signedHeaders = fields.get('SignedHeaders')?.split(';')
  if (signature === undefined || signedHeaders === undefined) {
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      'The authorization header is malformed; it needs Credential, SignedHeaders and Signature.',
    )
  }
  const payloadHash = request.header('x-amz-content-sha256')
  if (payloadHash === undefined) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
  }
  const timestamp = request.header('x-amz-date') ?? toTimestamp(request.header('date'))
  return { accessKeyId, scope, signedHeaders, signature, timestamp, payloadHash, isPresigned: false }
}

function readQueryClaim(request: S3Request): Claim {
  const get = (name: string) => {
    const value = request.query(name)
    if (value === undefined)
      throw queryError(
        'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
      )
    return value
  }
  if (get('X-Amz-Algorithm') !== algorithm) throw queryError(`X-Amz-Algorithm only supports "${algorithm}"`)
  const [accessKeyId, scope] = splitCredential(get('X-Amz-Credential'), 'AuthorizationQueryParametersError')
  get('X-Amz-Expires')
  return {
    accessKeyId,
    scope,
    signedHeaders: get('X-Amz-SignedHeaders').split(';'),
    signature: get('X-Amz-Signature'),
    timestamp: get('X-Amz-Date'),
    payloadHash: request.query('X-Amz-Content-Sha256') ?? request.header('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD',
    isPresigned: true,
  }
}

export const queryError = (message: string) => new S3Error('AuthorizationQueryParametersError', message)

function splitCredential(
  text: string,
  code: 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError',
): [string, Claim['scope']] {
  const [end, service, region, date, ...rest] = text.split('/').reverse()
  if (end === undefined || service === undefined || region === undefined || date === undefined || rest.length === 0) {
    throw new S3Error(
      code,
      'The Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    )
  }
  return [rest.reverse().join('/'), { date, region, service, end }]
}

function toTimestamp(httpDate: string | undefined): string {
  const date = new Date(httpDate ?? '')
  if (Number.isNaN(date.getTime())) return ''
  return date.toISOString().replaceAll(/[-:]|\.\d+/gu, '')
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + separator.length)]
}
