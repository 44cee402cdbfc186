// Memory for what is on its way: one block, of which parts are taken and given back in turn. Buffers made anew for each
// part would be freed when the collector comes around to it, and the process grow by several times what is in use.

export interface Part {
  bytes: Buffer
  /** To be called once, when nobody reads the bytes any more. */
  free: () => void
}

interface Taken {
  start: number
  end: number
  isFree: boolean
}

/** A ring: parts follow one another in the block, and become free from the oldest on. */
export class PartSpace {
  readonly #block: Buffer
  readonly #taken: Taken[] = []
  #waiting: (() => void) | undefined

  constructor(sizeBytes: number) {
    this.#block = Buffer.allocUnsafeSlow(sizeBytes)
  }

  /** So many bytes, at most the size of the block, as soon as they are free. One asks at a time. */
  async take(sizeBytes: number): Promise<Part> {
    if (sizeBytes === 0) return { bytes: Buffer.alloc(0), free: () => undefined }
    for (;;) {
      const start = this.#placeFor(sizeBytes)
      if (start !== undefined) return this.#part({ start, end: start + sizeBytes, isFree: false })
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }

  #placeFor(sizeBytes: number): number | undefined {
    const [oldest, newest] = [this.#taken[0], this.#taken.at(-1)]
    if (oldest === undefined || newest === undefined) return sizeBytes <= this.#block.length ? 0 : undefined
    if (newest.start < oldest.start) return newest.end + sizeBytes <= oldest.start ? newest.end : undefined
    if (newest.end + sizeBytes <= this.#block.length) return newest.end
    return sizeBytes <= oldest.start ? 0 : undefined
  }

  #part(taken: Taken): Part {
    this.#taken.push(taken)
    return {
      bytes: this.#block.subarray(taken.start, taken.end),
      free: () => {
        taken.isFree = true
        while (this.#taken[0]?.isFree === true) this.#taken.shift()
        this.#waiting?.()
        this.#waiting = undefined
      },
    }
  }
}
