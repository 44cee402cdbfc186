// Undoes the aws-chunked content encoding: hex size, optional signature, data; trailers after the empty chunk.
import { createHash } from 'node:crypto'
import type { ChunkSignatures } from './chunk-signatures.ts'
import { S3Error } from './s3-error.ts'

const maxLineBytes = 16 * 1024

export interface ChunkedOptions {
  hasTrailer: boolean
  signatures: ChunkSignatures | undefined
}

/**
 * Yields the data of an aws-chunked body and fills `trailers` at its end. A chunk's signature is checked when the
 * chunk has passed, so nothing received may count before the generator has ended.
 *
 * @throws {S3Error} IncompleteBody, MalformedTrailerError, InvalidChunkSizeError or SignatureDoesNotMatch.
 */
export async function* decodeAwsChunked(
  source: AsyncIterator<Buffer>,
  { hasTrailer, signatures }: ChunkedOptions,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer, void> {
  const reader = new FrameReader(source)
  try {
    yield* readChunks(reader, signatures)
    await readTrailers(reader, { hasTrailer, signatures }, trailers)
  } finally {
    // Lets go of the request, so that what is left of its body can still be drained.
    await source.return?.()
  }
}

async function* readChunks(reader: FrameReader, signatures: ChunkSignatures | undefined): AsyncGenerator<Buffer, void> {
  for (;;) {
    const { sizeBytes, signature } = parseHeader((await reader.line()) ?? cutShort())
    const hash = signatures && createHash('sha256')
    for (let left = sizeBytes; left > 0; ) {
      const piece = await reader.some(left)
      left -= piece.length
      hash?.update(piece)
      yield piece
    }
    if (hash) signatures?.verifyChunk(hash.digest('hex'), signature)
    if (sizeBytes === 0) return
    if ((await reader.line()) !== '') throw badFrame()
  }
}

function parseHeader(line: string): { sizeBytes: number; signature: string } {
  const [, size, signature] = /^([\da-f]{1,12})(?:;chunk-signature=([\da-f]+))?\s*$/iu.exec(line) ?? []
  if (size === undefined) throw badFrame()
  return { sizeBytes: Number.parseInt(size, 16), signature: signature ?? '' }
}

async function readTrailers(
  reader: FrameReader,
  { hasTrailer, signatures }: ChunkedOptions,
  trailers: Map<string, string>,
): Promise<void> {
  let signed = ''
  let signature = ''
  // Some clients leave out the last line break, so the end of the body also ends the trailers.
  for (let line = await reader.line(); line !== undefined && line !== ''; line = await reader.line()) {
    const [, name, value = ''] = /^([\w-]+):([\s\S]*)$/u.exec(line) ?? []
    if (name === undefined)
      throw new S3Error('MalformedTrailerError', 'The request contained trailing data that was not well-formed.')
    if (name.toLowerCase() === 'x-amz-trailer-signature') signature = value.trim()
    else {
      trailers.set(name.toLowerCase(), value.trim())
      signed += `${name.toLowerCase()}:${value.trim()}\n`
    }
  }
  if (hasTrailer) signatures?.verifyTrailers(signed, signature)
}

class FrameReader {
  readonly #source: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterator<Buffer>) {
    this.#source = source
  }

  /** The next line without its CRLF; undefined at the end of the body. */
  async line(): Promise<string | undefined> {
    let end = this.#held.indexOf('\r\n')
    while (end < 0) {
      if (this.#held.length > maxLineBytes) throw badFrame()
      const more = await this.#next()
      if (more === undefined) return this.#held.length === 0 ? undefined : cutShort()
      this.#held = Buffer.concat([this.#held, more])
      end = this.#held.indexOf('\r\n')
    }
    const line = this.#held.toString('latin1', 0, end)
    this.#held = this.#held.subarray(end + 2)
    return line
  }

  /** At least one byte and at most `maxBytes`, as they come. */
  async some(maxBytes: number): Promise<Buffer> {
    if (this.#held.length === 0) this.#held = (await this.#next()) ?? cutShort()
    const piece = this.#held.subarray(0, maxBytes)
    this.#held = this.#held.subarray(piece.length)
    return piece
  }

  async #next(): Promise<Buffer | undefined> {
    const { done, value } = await this.#source.next()
    return done ? undefined : value
  }
}

const badFrame = () => new S3Error('InvalidChunkSizeError', 'The body is not framed as aws-chunked.')

function cutShort(): never {
  throw new S3Error('IncompleteBody', 'The request body terminated unexpectedly')
}
