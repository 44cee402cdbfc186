// What an HTTP API makes of a function's result, payload format 2.0.

import * as z from 'zod'

export interface HttpReply {
  status: number
  headers: [name: string, value: string | string[]][]
  body: Buffer
}

const HeaderValue = z.union([z.string(), z.number(), z.boolean()]).transform(String)

const ProxyResult = z.object({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), HeaderValue).nullish(),
  cookies: z.array(z.string()).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
})

const WithStatusCode = z.looseObject({ statusCode: z.unknown() }).refine((result) => result.statusCode !== undefined)

// The connection is API Gateway's own, and it counts the bytes itself.
const NOT_FOR_FUNCTIONS = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade'])

/** The reply to send, or `undefined` when the result has a status code and is still not a proxy result. */
export function httpReply(result: unknown): HttpReply | undefined {
  if (!WithStatusCode.safeParse(result).success) return inferredReply(result)
  const parsed = ProxyResult.safeParse(result)
  if (!parsed.success) return undefined
  const { statusCode, headers, cookies, body, isBase64Encoded } = parsed.data
  const reply: HttpReply = {
    status: statusCode,
    headers: Object.entries(headers ?? {}).filter(([name]) => !NOT_FOR_FUNCTIONS.has(name.toLowerCase())),
    body: Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8'),
  }
  if (!reply.headers.some(([name]) => name.toLowerCase() === 'content-type')) {
    // API Gateway: the default of an HTTP API (aws/aws-lambda-dotnet, LambdaTestTool-v2 ApiGatewayResponseExtensions.cs).
    reply.headers.push(['content-type', 'text/plain; charset=utf-8'])
  }
  if (cookies?.length) reply.headers.push(['set-cookie', cookies])
  return reply
}

export function messageReply(status: number, message: string): HttpReply {
  return { status, headers: [['content-type', 'application/json']], body: Buffer.from(JSON.stringify({ message })) }
}

/** A result without a status code is the body itself, and all went well. */
function inferredReply(result: unknown): HttpReply {
  const body = typeof result === 'string' ? result : JSON.stringify(result)
  return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(body) }
}
