import { finished, PassThrough, pipeline, type Readable, type TransformCallback } from 'node:stream'
import { type Call, isStreamBody, type StreamBody } from './call.ts'

/** Carries what the caller's own body threw through the client, which neither explains nor repeats it. */
export class CallersFailure extends Error {
  constructor(cause: unknown) {
    super('the request body failed', { cause })
  }
}

/** A request body on its way, which knows whose fault it was when it breaks off. */
export interface Outgoing {
  readonly body: Readable | string | null
  readonly headers: Readonly<Record<string, string>>
  /** Set when it was the caller's own stream that failed. */
  failure(): CallersFailure | undefined
  /** Whether every byte was handed to the connection. */
  isSent(): boolean
}

/** @throws {CallersFailure} with what `openBody` threw. */
export async function openOutgoing(body: Call['body']): Promise<Outgoing> {
  if (body === undefined) return { body: null, headers: {}, ...atOnce }
  if (!isStreamBody(body)) return { body: body.text, headers: { 'content-type': body.contentType }, ...atOnce }
  const headers = {
    'content-type': body.contentType,
    ...(body.sizeBytes === undefined ? {} : { 'content-length': String(body.sizeBytes) }),
  }
  return { headers, ...relay(await open(body), body.sizeBytes) }
}

const atOnce = { failure: () => undefined, isSent: () => true }

async function open(body: StreamBody): Promise<Readable> {
  try {
    return await body.openBody()
  } catch (error) {
    throw new CallersFailure(error)
  }
}

/**
 * Puts a stream of ours between the caller's and the connection. When the connection breaks it is ours that is
 * destroyed first; when the caller's fails, ours is still whole: that tells the two apart.
 */
function relay(source: Readable, sizeBytes: number | undefined): Pick<Outgoing, 'body' | 'failure' | 'isSent'> {
  const body = new CountingStream()
  let failure: CallersFailure | undefined
  finished(source, { writable: false }, (error) => {
    if (error && !body.destroyed) failure = new CallersFailure(error)
  })
  pipeline(source, body, () => {
    // Nothing to do: pipeline has destroyed both ends, and the request itself reports what went wrong.
  })
  // By bytes, where they are known: XNAT may answer at the last of them, before a slow source has said that it ends.
  const isSent = () => (sizeBytes === undefined ? body.readableEnded : body.handedOn >= sizeBytes)
  return { body, failure: () => failure, isSent }
}

class CountingStream extends PassThrough {
  #received = 0

  /** Bytes that have left this stream. */
  get handedOn(): number {
    return this.#received - this.readableLength
  }

  override _transform(chunk: Buffer, encoding: BufferEncoding, callback: TransformCallback): void {
    this.#received += chunk.length
    super._transform(chunk, encoding, callback)
  }
}
