import { PassThrough, pipeline, type Readable } from 'node:stream'

/** Hands an answer's bytes on; what breaks them off is put into the words of `explain`. */
export function explained(source: Readable, explain: (error: unknown) => unknown): Readable {
  const body = new ExplainedBody(explain)
  pipeline(source, body, () => {
    // Nothing to do: whoever reads the body sees the failure, or has caused it by letting go.
  })
  return body
}

class ExplainedBody extends PassThrough {
  readonly #explain: (error: unknown) => unknown

  constructor(explain: (error: unknown) => unknown) {
    super()
    this.#explain = explain
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const reason = error === null ? null : this.#explain(error)
    callback(reason instanceof Error ? reason : error)
  }
}
