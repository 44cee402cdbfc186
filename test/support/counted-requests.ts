// Counts what the servers of a local stack are asked, by Node's own notice of each request.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { StackDescription } from '../../infra/local/stack.ts'

/** By service and act, such as `S3 PUT`, `SQS SendMessageBatch` and `XNAT`. */
export type Counts = ReadonlyMap<string, number>

export interface CountedRequests {
  counts(): Counts
  reset(): void
  stop(): void
}

/** The stack's servers have to run in this process. */
export function countRequests({ s3, sqs, xnat }: StackDescription): CountedRequests {
  const portOf = (url: string) => Number(new URL(url).port)
  const acts = new Map<number | undefined, (request: IncomingMessage) => string | undefined>([
    [portOf(s3.endpoint), s3Act],
    [portOf(sqs.endpoint), ({ headers }) => `SQS ${String(headers['x-amz-target']).replace(/^.*\./, '')}`],
    [portOf(xnat.url), ({ url = '' }) => (url.startsWith('/__stand-in/') ? undefined : 'XNAT')],
  ])
  const counts = new Map<string, number>()
  const count = (notice: unknown) => {
    // Node: `{ request, response, socket, server }` (diagnostics_channel, "http.server.request.start").
    const { request } = notice as { request: IncomingMessage }
    const act = acts.get(request.socket.localPort)?.(request)
    if (act !== undefined) counts.set(act, (counts.get(act) ?? 0) + 1)
  }
  subscribe('http.server.request.start', count)
  return {
    counts: () => new Map(counts),
    reset: () => counts.clear(),
    stop: () => void unsubscribe('http.server.request.start', count),
  }
}

function s3Act({ method, url = '' }: IncomingMessage): string {
  return `S3 ${method === 'GET' && /[?&]list-type=2/.test(url) ? 'LIST' : method}`
}
