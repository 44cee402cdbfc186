// Files on their way into the image tree: all in S3 before any is seen, in constant memory.
import { createHash } from 'node:crypto'
import type { ObjectStore } from '../aws/objects.ts'
import type { StagedObject } from '../aws/staged-object.ts'
import { PartSpace } from './part-space.ts'
import { treeTag } from './tree.ts'

const mebibyte = 1024 ** 2
/** What is read and not yet sent; with it the memory that a download takes. */
const spaceBytes = 12 * mebibyte
/** S3: parts have at least 5 MiB, and there are at most 10,000 of an object. */
const minPartBytes = 5 * mebibyte
const maxParts = 10_000
/** Objects that S3 is told of at a time. */
const requestsAtATime = 16

export interface TakenIn {
  sizeBytes: number
  /** Lower-case hex. */
  md5: string
}

export interface StagedTree {
  /**
   * Takes a body in, of which the size is known, and tells what came. It may be on its way yet when this returns; what
   * fails then, fails the next call.
   */
  add(key: string, body: AsyncIterable<Buffer>, sizeBytes: number): Promise<TakenIn>
  /** Makes all of it the objects of their keys. Done again by another download when it dies among them. */
  publish(): Promise<void>
  /** Gives up what was added, as far as that is possible; the rest is ended by the bucket's lifecycle rule. */
  discard(): Promise<void>
}

export function stageTree({ images, signal }: { images: ObjectStore; signal: AbortSignal }): StagedTree {
  const space = new PartSpace(spaceBytes)
  const staged: Promise<StagedObject>[] = []
  const underWay = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined

  const start = (work: Promise<void>) => {
    const watched: Promise<void> = work
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => underWay.delete(watched))
    underWay.add(watched)
  }
  const settled = async () => {
    await Promise.all(underWay)
    if (failure !== undefined) throw failure.error
  }
  /** Begins the object at once and sends its parts behind it, so that the wait for S3 is not the reader's. */
  const begin = (key: string) => {
    const object = images.stage(key, { tag: treeTag, signal })
    // A failure is met by its parts.
    object.catch(() => undefined)
    staged.push(object)
    return object
  }

  return {
    async add(key, body, sizeBytes) {
      const md5 = createHash('md5')
      let taken = 0
      const object = begin(key)
      for await (const part of partsOf(body, sizeBytes, space)) {
        md5.update(part.bytes)
        taken += part.bytes.length
        start(object.then((begun) => begun.add(part.bytes)).finally(part.free))
        while (underWay.size >= requestsAtATime) await Promise.race(underWay)
        if (failure !== undefined) throw failure.error
      }
      return { sizeBytes: taken, md5: md5.digest('hex') }
    },
    async publish() {
      await settled()
      await inTurns(await Promise.all(staged), (object) => object.publish())
    },
    async discard() {
      await Promise.all(underWay)
      const begun = (await Promise.allSettled(staged)).flatMap((each) =>
        each.status === 'fulfilled' ? each.value : [],
      )
      await inTurns(begun, (object) => object.discard().catch(() => undefined))
    },
  }
}

/** A body in parts that fill their buffers; one empty part of an empty body. */
async function* partsOf(body: AsyncIterable<Buffer>, sizeBytes: number, space: PartSpace) {
  const partBytes = Math.max(minPartBytes, Math.ceil(sizeBytes / maxParts))
  let left = sizeBytes
  let part = await space.take(Math.min(left, partBytes))
  let filled = 0
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === part.bytes.length) {
        left -= filled
        yield part
        part = await space.take(Math.min(left, partBytes))
        filled = 0
      }
      const copied = chunk.copy(part.bytes, filled, at)
      if (copied === 0) throw new Error('a body is longer than it was said to be')
      at += copied
      filled += copied
    }
  }
  yield { ...part, bytes: part.bytes.subarray(0, filled) }
}

/** Works on all items, several at a time, also after one has failed; then throws the first failure. */
async function inTurns<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  let failure: { error: unknown } | undefined
  const worker = async () => {
    for (const item of waiting) {
      await act(item).catch((error: unknown) => {
        failure ??= { error }
      })
    }
  }
  await Promise.all(Array.from({ length: requestsAtATime }, worker))
  if (failure !== undefined) throw failure.error
}
