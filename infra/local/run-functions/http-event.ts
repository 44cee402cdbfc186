// A request as an HTTP API hands it to Lambda, payload format 2.0.

import type { IncomingMessage } from 'node:http'
import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { LOCAL_ACCOUNT_ID } from './resolve-resources.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'expect', 'upgrade'])

export interface HttpEventInput {
  request: IncomingMessage
  /** Decoded. */
  path: string
  rawQueryString: string
  routeKey: string
  pathParameters: Record<string, string>
  body: Buffer
  requestId: string
  now: Date
}

export function httpEvent(input: HttpEventInput): APIGatewayProxyEventV2 {
  const { request, path, rawQueryString, routeKey, pathParameters, body } = input
  const cookies = request.headersDistinct['cookie']?.flatMap((header) => header.split(/;\s*/))
  const query = queryStringParameters(rawQueryString)
  const headers = eventHeaders(request, body.length)
  return {
    version: '2.0',
    routeKey,
    // API Gateway: an HTTP API decodes the path, rawPath too, so that %2F parts it like a slash
    // (honojs/hono issue 2156, fastify/aws-lambda-fastify issue 169, both with captured events).
    rawPath: path,
    rawQueryString,
    ...(cookies !== undefined && { cookies }),
    headers,
    ...(query !== undefined && { queryStringParameters: query }),
    ...(Object.keys(pathParameters).length > 0 && { pathParameters }),
    requestContext: requestContext(input),
    ...eventBody(body, headers['content-type']),
  }
}

function requestContext({ request, path, routeKey, requestId, now }: HttpEventInput) {
  const domainName = request.headers.host ?? 'localhost'
  return {
    accountId: LOCAL_ACCOUNT_ID,
    apiId: 'local',
    domainName,
    domainPrefix: domainName.split('.')[0] ?? '',
    http: {
      method: request.method ?? 'GET',
      path,
      protocol: `HTTP/${request.httpVersion}`,
      sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
      userAgent: request.headers['user-agent'] ?? '',
    },
    requestId,
    routeKey,
    stage: '$default',
    time: commonLogTime(now),
    timeEpoch: now.getTime(),
  }
}

function eventHeaders(request: IncomingMessage, bodyLength: number): Record<string, string> {
  const headers: Record<string, string> = {
    'x-forwarded-for': request.socket.remoteAddress ?? '127.0.0.1',
    'x-forwarded-port': String(request.socket.localPort ?? ''),
    'x-forwarded-proto': 'http',
  }
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values !== undefined && name !== 'cookie' && !HOP_BY_HOP.has(name)) headers[name] = values.join(',')
  }
  if (bodyLength > 0) headers['content-length'] = String(bodyLength)
  return headers
}

function queryStringParameters(rawQueryString: string): Record<string, string> | undefined {
  if (rawQueryString === '') return undefined
  const parameters: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    const earlier = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    parameters[name] = earlier === undefined ? value : `${earlier},${value}`
  }
  return parameters
}

// API Gateway: these content types are text to an HTTP API; every other, forms and a missing one included, comes as
// base64 (measured in ministackorg/ministack pull request 766).
const TEXT = /^(text\/[^;]+|application\/(json|javascript|xml))\s*(;|$)/i

function eventBody(body: Buffer, contentType: string | undefined): { body?: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false }
  const isBase64Encoded = !TEXT.test(contentType ?? '')
  return { body: body.toString(isBase64Encoded ? 'base64' : 'utf8'), isBase64Encoded }
}

/** `27/Nov/2026:09:05:01 +0000` */
function commonLogTime(now: Date): string {
  const day = String(now.getUTCDate()).padStart(2, '0')
  return `${day}/${MONTHS[now.getUTCMonth()]}/${now.getUTCFullYear()}:${now.toISOString().slice(11, 19)} +0000`
}
