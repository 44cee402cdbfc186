// Streams objects from S3 into one XNAT resource: one PUT for one file, one tar for several.
import { Readable } from 'node:stream'
import type { ObjectStore, OpenObject } from '../aws/objects.ts'
import { type AppError, DeliveryError, XnatError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { isPlainFilePath, putArchive, putFile, type ResourceRef, type UploadOutcome } from '../xnat/resources.ts'
import { tarLength } from '../xnat/tar.ts'
import { digested, openVersion, StaleObject, tarOfObjects } from './object-bodies.ts'
import type { OrderedObject } from './order.ts'

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

/**
 * From so many files on, one tar: it is one request and one change of XNAT's catalog, where a PUT of each makes as many.
 * Measured (`npm run bench switch`, on a busy machine): two files of 1 KiB take 2.9 times as long by PUTs when a request
 * takes 60 ms, and as long as the tar when it takes no time; of two or four files of 64 MiB the ways differ by less than
 * an eighth, now one ahead, now the other. A file that is alone goes as it is, which spares XNAT the unpacking.
 */
const filesWorthATar = 2

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
  const open = (object: OrderedObject) => openVersion(deps, { key: keyPrefix + object.path, etag: object.etag })
  const read = (object: OrderedObject, { body, md5: known }: OpenObject) =>
    digested(body, (md5) => md5s.set(object.path, md5), known)
  // Between two tries the catalog has to be read, and marks set: that is for the caller.
  const options = { overwrite: true, isRetried: false, signal: deps.signal }

  try {
    const [only] = objects
    const isPut = objects.length < filesWorthATar
    if (isPut && only !== undefined && only.sizeBytes > 0 && isPlainFilePath(only.path)) {
      const openBody = async () => {
        const opened = await open(only)
        const body = Readable.from(read(only, opened), { objectMode: false })
        // A body that was never read from has not begun to iterate, and would leave its source open.
        return body.once('close', () => opened.body.destroy())
      }
      return outcomeOf(await putFile(deps.xnat, ref, only.path, { openBody, sizeBytes: only.sizeBytes }, options), md5s)
    }
    const openBody = () => Readable.from(tarOfObjects(objects, open, read), { objectMode: false })
    return outcomeOf(
      await putArchive(deps.xnat, ref, { format: 'tar', openBody, sizeBytes: tarLength(objects) }, options),
      md5s,
    )
  } catch (error) {
    if (error instanceof StaleObject) return { kind: 'stale', path: error.key.slice(keyPrefix.length) }
    if (error instanceof XnatError && error.retry === 'later') return { kind: 'unsure', md5s, error }
    throw error
  }
}

function outcomeOf(said: UploadOutcome, md5s: ReadonlyMap<string, string>): SendOutcome {
  if (said.kind === 'stored') return { kind: 'sent', md5s }
  const error = new DeliveryError('XNAT kept other files under these names', { code: 'NOT_VERIFIED' })
  return { kind: 'unsure', md5s, error }
}
