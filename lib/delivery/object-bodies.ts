// Bodies of ordered objects on their way out: exactly the version that was ordered, digested as it flows.
import type { Readable } from 'node:stream'
import type { ObjectStore, ObjectVersion, OpenObject } from '../aws/objects.ts'
import { StorageError } from '../errors.ts'
import type { ArchiveEntry } from '../xnat/archive-entry.ts'
import { digesting } from '../xnat/digesting.ts'
import { tarStream } from '../xnat/tar.ts'
import { readAhead } from './read-ahead.ts'

interface ReadDeps {
  incoming: ObjectStore
  signal: AbortSignal
}

/** An object is no longer the version that was ordered, or gone. */
export class StaleObject extends Error {
  readonly key: string

  constructor(key: string, cause: unknown) {
    super('an object is no longer the version that was ordered', { cause })
    this.key = key
  }
}

/** @throws {StaleObject} @throws {StorageError} */
export async function openVersion(
  { incoming, signal }: ReadDeps,
  { key, etag, range }: ObjectVersion & { range?: { first: number; last: number } },
): Promise<OpenObject> {
  try {
    return await incoming.open(key, { ifMatch: `"${etag}"`, signal, ...(range && { range }) })
  } catch (error) {
    throw isStale(error) ? new StaleObject(key, error) : error
  }
}

const isStale = (error: unknown) =>
  error instanceof StorageError && (error.code === 'OBJECT_CHANGED' || error.code === 'OBJECT_MISSING')

/**
 * The body's bytes; `done` is told their MD5 before the last. A connection that breaks among them is S3's failure.
 * An MD5 that S3 vouches for (`known`) is not computed again, which takes a fifth of a delivery's time: XNAT's digest is
 * held against it all the same.
 */
export function digested(body: Readable, done: (md5: string) => void, known?: string): AsyncGenerator<Uint8Array> {
  const explain = (cause: unknown) =>
    new StorageError('an object broke off while it was read', { code: 'STORAGE_BUSY', cause })
  return digesting<Uint8Array>(body, done, { known, explain })
}

/** Bodies that wait in their sockets while an earlier one flows. */
const objectsAhead = 16

/** One tar of all objects, each opened a little before its turn. */
export async function* tarOfObjects<T extends ArchiveEntry>(
  objects: readonly T[],
  open: (object: T) => Promise<OpenObject>,
  read: (object: T, opened: OpenObject) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const opened = readAhead(objects, { ahead: objectsAhead, open, discard: ({ body }) => body.destroy() })
  let current: OpenObject | undefined
  try {
    yield* tarStream(objects, async (object) => {
      const next = await opened.next()
      if (next.done === true) throw new Error('fewer objects were opened than the archive holds')
      current = next.value.opened
      return read(object, current)
    })
  } finally {
    current?.body.destroy()
    await opened.return(undefined)
  }
}
