// Streams objects from S3 into one XNAT resource: one PUT for one file, one tar for several.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ObjectStore, OpenObject } from '../aws/objects.ts'
import { type AppError, DeliveryError, StorageError, XnatError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { isPlainFilePath, putArchive, putFile, type ResourceRef, type UploadOutcome } from '../xnat/resources.ts'
import { tarLength, tarStream } from '../xnat/tar.ts'
import type { OrderedObject } from './order.ts'
import { readAhead } from './read-ahead.ts'

export interface SendDeps {
  xnat: XnatClient
  incoming: ObjectStore
  signal: AbortSignal
}

/**
 * What became of a sending. `md5s` holds, by path, the digest of every object that was read to its end.
 * `unsure`: XNAT broke off, answered 5xx, or says that it kept other files; it may have stored all, some or none.
 * `stale`: this object is no longer the version that was ordered, or gone; the sending was broken off.
 */
export type SendOutcome =
  | { kind: 'sent'; md5s: ReadonlyMap<string, string> }
  | { kind: 'unsure'; md5s: ReadonlyMap<string, string>; error: AppError }
  | { kind: 'stale'; path: string }

/** Bodies that wait in their sockets while an earlier one flows. */
const objectsAhead = 16

/**
 * Sends all objects in one request, over whatever stands under their names.
 *
 * @throws {XnatError} when XNAT refused for good.
 * @throws {StorageError} when S3 failed, also half-way through a body.
 */
export async function sendFiles(
  deps: SendDeps,
  ref: ResourceRef,
  source: { keyPrefix: string; objects: readonly OrderedObject[] },
): Promise<SendOutcome> {
  const { objects, keyPrefix } = source
  const md5s = new Map<string, string>()
  const open = async (object: OrderedObject) => {
    try {
      return await deps.incoming.open(keyPrefix + object.path, { ifMatch: `"${object.etag}"`, signal: deps.signal })
    } catch (error) {
      throw isStale(error) ? new StaleObject(object.path, error) : error
    }
  }
  const digested = async function* (object: OrderedObject, { body }: OpenObject): AsyncGenerator<Uint8Array> {
    const md5 = createHash('md5')
    for await (const chunk of unbroken(body)) {
      md5.update(chunk)
      yield chunk
    }
    md5s.set(object.path, md5.digest('hex'))
  }
  const options = { overwrite: true, signal: deps.signal }

  try {
    const [only] = objects
    if (objects.length === 1 && only !== undefined && only.sizeBytes > 0 && isPlainFilePath(only.path)) {
      const openBody = async () => {
        const opened = await open(only)
        const body = Readable.from(digested(only, opened), { objectMode: false })
        // A body that was never read from has not begun to iterate, and would leave its source open.
        return body.once('close', () => opened.body.destroy())
      }
      return outcomeOf(await putFile(deps.xnat, ref, only.path, { openBody, sizeBytes: only.sizeBytes }, options), md5s)
    }
    const openBody = () => Readable.from(archive(objects, open, digested), { objectMode: false })
    return outcomeOf(
      await putArchive(deps.xnat, ref, { format: 'tar', openBody, sizeBytes: tarLength(objects) }, options),
      md5s,
    )
  } catch (error) {
    if (error instanceof StaleObject) return { kind: 'stale', path: error.path }
    if (error instanceof XnatError && error.retry === 'later') return { kind: 'unsure', md5s, error }
    throw error
  }
}

function outcomeOf(said: UploadOutcome, md5s: ReadonlyMap<string, string>): SendOutcome {
  if (said.kind === 'stored') return { kind: 'sent', md5s }
  const error = new DeliveryError('XNAT kept other files under these names', { code: 'NOT_VERIFIED' })
  return { kind: 'unsure', md5s, error }
}

/** The body's bytes; a connection that breaks among them is S3's failure, and passes. */
async function* unbroken(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk
  } catch (cause) {
    throw new StorageError('an object broke off while it was read', { code: 'STORAGE_BUSY', cause })
  }
}

class StaleObject extends Error {
  readonly path: string

  constructor(path: string, cause: unknown) {
    super('an object is no longer the version that was ordered', { cause })
    this.path = path
  }
}

const isStale = (error: unknown) =>
  error instanceof StorageError && (error.code === 'OBJECT_CHANGED' || error.code === 'OBJECT_MISSING')

async function* archive(
  objects: readonly OrderedObject[],
  open: (object: OrderedObject) => Promise<OpenObject>,
  digested: (object: OrderedObject, opened: OpenObject) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const opened = readAhead(objects, { ahead: objectsAhead, open, discard: ({ body }) => body.destroy() })
  let current: OpenObject | undefined
  try {
    yield* tarStream(objects, async (object) => {
      const next = await opened.next()
      if (next.done === true) throw new Error('fewer objects were opened than the archive holds')
      current = next.value.opened
      return digested(object, current)
    })
  } finally {
    current?.body.destroy()
    await opened.return(undefined)
  }
}
