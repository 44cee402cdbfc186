import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface Saved {
  sizeBytes: number
  /** Hexadecimal. */
  md5: string
}

/**
 * Writes a body to a file beside `location`, and moves it there once it is complete and `check` has not thrown: what
 * stands at `location` is always whole.
 */
export async function saveBody(
  body: Readable,
  location: string,
  { onBytes, check }: { onBytes: (bytes: number) => void; check: (saved: Saved) => void },
): Promise<Saved> {
  const partial = join(dirname(location), `.${randomUUID()}.part`)
  const hash = createHash('md5')
  let sizeBytes = 0
  try {
    await pipeline(
      body,
      async function* measure(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          sizeBytes += chunk.length
          onBytes(chunk.length)
          yield chunk
        }
      },
      createWriteStream(partial),
    )
    const saved = { sizeBytes, md5: hash.digest('hex') }
    check(saved)
    await rename(partial, location)
    return saved
  } finally {
    await rm(partial, { force: true })
  }
}
