import { finished, PassThrough, pipeline, type Readable } from 'node:stream'
import { type Call, isStreamBody } from './call.ts'

/** A request body on its way, which knows whose fault it was when it breaks off. */
export interface Outgoing {
  readonly body: Readable | string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** What the caller's own stream failed with, if it was the one that failed. */
  failure(): { error: unknown } | undefined
  /** Whether every byte was handed to the connection. */
  isSent(): boolean
}

/** @throws whatever `openBody` throws, as it is. */
export async function openOutgoing(body: Call['body']): Promise<Outgoing> {
  if (body === undefined) return { body: undefined, headers: {}, failure: () => undefined, isSent: () => true }
  if (!isStreamBody(body)) {
    const headers = { 'content-type': body.contentType }
    return { body: body.text, headers, failure: () => undefined, isSent: () => true }
  }
  const headers = {
    'content-type': body.contentType,
    ...(body.sizeBytes === undefined ? {} : { 'content-length': String(body.sizeBytes) }),
  }
  return { headers, ...relay(await body.openBody()) }
}

/**
 * Puts a stream of ours between the caller's and the connection. When the connection breaks it is ours that is
 * destroyed first; when the caller's fails, ours is still whole: that tells the two apart.
 */
function relay(source: Readable): Pick<Outgoing, 'body' | 'failure' | 'isSent'> {
  const body = new PassThrough()
  let failure: { error: unknown } | undefined
  finished(source, { writable: false }, (error) => {
    if (error && !body.destroyed) failure = { error }
  })
  pipeline(source, body, () => {
    // Nothing to do: pipeline has destroyed both ends, and the request itself reports what went wrong.
  })
  return { body, failure: () => failure, isSent: () => body.readableEnded }
}
