/** Reads a stream of chunks by counts of bytes. */
export class ChunkReader {
  readonly #chunks: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  /** The next bytes, at least one and at most so many; `undefined` at the end. Not copied. */
  async some(atMost = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    while (this.#held.length === 0) {
      const next = await this.#chunks.next()
      if (next.done === true) return undefined
      this.#held = next.value
    }
    const taken = this.#held.subarray(0, atMost)
    this.#held = this.#held.subarray(taken.length)
    return taken
  }

  /** Exactly so many bytes, which are held together: for headers; `undefined` when fewer are left. */
  async exactly(bytes: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = []
    for (let missing = bytes; missing > 0; ) {
      const part = await this.some(missing)
      if (part === undefined) return undefined
      parts.push(part)
      missing -= part.length
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  }

  /** Gives back what was read too much. */
  unread(bytes: Buffer): void {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([bytes, this.#held])
  }

  /** Ends the source, read to its end or not. */
  async end(): Promise<void> {
    await this.#chunks.return?.()
  }
}
