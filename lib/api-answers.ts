// What leaves through the HTTP API: the answers, and what is answered to a request that no route takes.
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda'

export interface ApiAnswer {
  status: number
  headers: Readonly<Record<string, string>>
  body: string
}

export const jsonAnswer = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer => ({
  status,
  headers: { ...headers, 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

// No answer may be kept, taken for another type, framed, or tell other sites where its reader came from.
const protection = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** An answer as API Gateway wants it. An answer's own headers go before those that protect every answer. */
export function gatewayResult(answer: ApiAnswer, requestId: string): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: answer.status,
    headers: { ...protection, ...answer.headers, 'x-request-id': requestId },
    body: answer.body,
  }
}

interface KnownRoute {
  method: string
  /** `/projects/{project_id}` */
  path: string
}

/**
 * What FLIP's framework answers where no route fits: 405 with `Allow` on a path that has other methods, a redirect from
 * a known path with one slash too many, else 404.
 */
export function unroutedAnswer(
  request: { method: string; path: string; query: string },
  known: readonly KnownRoute[],
): ApiAnswer {
  const { method, path, query } = request
  const shorter = path.replace(/(?<=.)\/$/, '')
  const methods = methodsOn(shorter, known)
  if (methods.length === 0) return jsonAnswer(404, { detail: 'Not Found' })
  const isToBeSentOn = shorter !== path && methods.includes(method)
  if (!isToBeSentOn) return jsonAnswer(405, { detail: 'Method Not Allowed' }, { allow: methods.join(', ') })
  return jsonAnswer(307, { detail: 'Temporary Redirect' }, { location: encodedPath(shorter) + encodedQuery(query) })
}

function methodsOn(path: string, known: readonly KnownRoute[]): string[] {
  const methods = known.filter((route) => isOn(path, route.path)).map(({ method }) => method)
  return [...new Set(methods)].sort()
}

function isOn(path: string, pattern: string): boolean {
  const [segments, wanted] = [path.split('/'), pattern.split('/')]
  return (
    segments.length === wanted.length &&
    wanted.every((part, index) => (part.startsWith('{') ? segments[index] !== '' : segments[index] === part))
  )
}

// API Gateway: an HTTP API hands in the path decoded (infra/local/run-functions/http-event.ts).
const encodedPath = (path: string) =>
  path
    .toWellFormed()
    .split('/')
    .map((segment) => encodeURIComponent(segment))
    .join('/')

const encodedQuery = (query: string) => (query === '' ? '' : `?${new URLSearchParams(query)}`)
