import { createHash } from 'node:crypto'

/**
 * The chunks of a source. `done` is told their MD5, as lower-case hex, before the last of them is given: XNAT may answer
 * as soon as it has all bytes, and then nobody asks this source whether there are more. A digest that is `known` is not
 * computed again. `explain` makes of what the source throws what is thrown here.
 */
export async function* digesting<Chunk extends Uint8Array>(
  source: AsyncIterable<Chunk>,
  done: (md5: string) => void,
  { known, explain = (cause) => cause }: { known?: string | undefined; explain?: (cause: unknown) => unknown } = {},
): AsyncGenerator<Chunk> {
  const hash = known === undefined ? createHash('md5') : undefined
  let last: Chunk | undefined
  try {
    for await (const chunk of source) {
      if (last !== undefined) yield last
      hash?.update(chunk)
      last = chunk
    }
  } catch (cause) {
    throw explain(cause)
  }
  done(known ?? hash?.digest('hex') ?? '')
  if (last !== undefined) yield last
}
