import { createCipheriv, createHash } from 'node:crypto'

/** Numbers from 0 up to and without 1; the same seed gives the same ones. */
export function seededRandom(seed: number): () => number {
  const key = createHash('sha256').update(String(seed)).digest()
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  const blank = Buffer.alloc(64 * 1024)
  let block = blank
  let at = blank.length
  return () => {
    if (at === block.length) {
      block = stream.update(blank)
      at = 0
    }
    at += 4
    return block.readUInt32LE(at - 4) / 2 ** 32
  }
}

/** How long something lasts that is as likely to end now as at any other time. */
export const exponential = (random: () => number, mean: number) => -mean * Math.log(1 - random())
