// Where a session's DICOM comes from: an archive as it is, or loose objects that become one on the way.
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { ObjectStore, ObjectVersion, OpenObject } from '../aws/objects.ts'
import { DeliveryError } from '../errors.ts'
import type { DicomArchive } from '../xnat/import.ts'
import { tarLength } from '../xnat/tar.ts'
import { digested, openVersion, tarOfObjects } from './object-bodies.ts'
import { archiveFormatOf, partOf } from './object-key.ts'
import type { SessionOrder } from './order.ts'
import type { DeliveredFile } from './receipt.ts'
import { tarCount } from './tar-count.ts'
import { countZip } from './zip-count.ts'

export interface SessionSource extends DicomArchive {
  /** How many files it holds. Where that shows only as the body flows, and none has, the body is read for it. */
  count(): Promise<number>
  /** What was read, for the receipt. */
  delivered(): DeliveredFile[]
  /** The archive, or the marker. */
  closing: ObjectVersion
  /** All objects that the session is made of, that one last. */
  versions: ObjectVersion[]
}

interface SourceDeps {
  incoming: ObjectStore
  signal: AbortSignal
}

/**
 * The DICOM that an order is about. Files of a zip are counted by its directory beforehand, those of a tar as they flow.
 * Loose objects are those in the marker's folder and below it, other archives left out, as they are now.
 *
 * @throws {StaleObject} when the archive or marker is no longer the version that was ordered, now or while it is read; or
 * when a loose file, whose key it then tells, changed while it was read.
 * @throws {DeliveryError} ARCHIVE_NOT_READABLE; SESSION_EMPTY for a marker without files.
 */
export async function openSource(deps: SourceDeps, order: SessionOrder): Promise<SessionSource> {
  const { keyPrefix, source } = order
  const format = archiveFormatOf(source.path)
  if (format !== undefined && source.sizeBytes === 0) throw empty('the archive is empty')
  const version = { key: keyPrefix + source.path, etag: source.etag }
  if (format === undefined) return looseSource(deps, version)
  return format === 'zip' ? zipSource(deps, order, version) : tarSource(deps, order, version, format)
}

async function zipSource(deps: SourceDeps, { source }: SessionOrder, version: ObjectVersion): Promise<SessionSource> {
  const openRange = async (range: { first: number; last: number }) =>
    (await openVersion(deps, { ...version, range })).body
  const { files } = await countZip(openRange, source.sizeBytes)
  let md5: string | undefined
  const read = ({ body }: OpenObject) =>
    digested(body, (digest) => {
      md5 = digest
    })
  return {
    format: 'zip',
    sizeBytes: source.sizeBytes,
    openBody: async () => streamOf(await openVersion(deps, version), read),
    count: async () => files,
    delivered: () => [storedByCount(source, md5)],
    closing: version,
    versions: [version],
  }
}

function tarSource(
  deps: SourceDeps,
  { source }: SessionOrder,
  version: ObjectVersion,
  format: 'tar' | 'tgz',
): SessionSource {
  let counted: number | undefined
  let md5: string | undefined
  const read = async function* ({ body }: OpenObject): AsyncGenerator<Uint8Array> {
    const counter = tarCount(format)
    counted = undefined
    for await (const chunk of digested(body, (digest) => {
      md5 = digest
    })) {
      await counter.take(chunk)
      yield chunk
    }
    counted = (await counter.end()).files
  }
  const openBody = async () => streamOf(await openVersion(deps, version), read)
  return {
    format,
    sizeBytes: source.sizeBytes,
    openBody,
    async count() {
      if (counted === undefined) await finished((await openBody()).resume())
      if (counted === undefined) throw new Error('the archive was not read to its end')
      return counted
    },
    delivered: () => [storedByCount(source, md5)],
    closing: version,
    versions: [version],
  }
}

async function looseSource(deps: SourceDeps, marker: ObjectVersion): Promise<SessionSource> {
  const { body } = await openVersion(deps, marker)
  body.destroy()
  const folder = marker.key.slice(0, marker.key.lastIndexOf('/') + 1)
  const objects = await looseObjects(deps, folder)
  if (objects.length === 0) throw empty('there are no files beside the marker')
  const names = entryNames(objects.map(({ path }) => path))
  const entries = objects.map((object, index) => ({ ...object, file: object.path, path: names[index] ?? object.path }))
  const md5s = new Map<string, string>()
  return {
    format: 'tar',
    sizeBytes: tarLength(entries),
    openBody: () =>
      Readable.from(
        tarOfObjects(
          entries,
          (entry) => openVersion(deps, entry),
          (entry, opened) => digested(opened.body, (md5) => md5s.set(entry.key, md5)),
        ),
        { objectMode: false },
      ),
    count: async () => entries.length,
    delivered: () =>
      entries.map(({ key, file, sizeBytes, etag }) => storedByCount({ path: file, sizeBytes, etag }, md5s.get(key))),
    closing: marker,
    versions: [...entries.map(({ key, etag }) => ({ key, etag })), marker],
  }
}

const empty = (what: string) => new DeliveryError(what, { code: 'SESSION_EMPTY' })

interface LooseObject extends ObjectVersion {
  /** Below the marker's folder. */
  path: string
  sizeBytes: number
}

async function looseObjects({ incoming, signal }: SourceDeps, folder: string): Promise<LooseObject[]> {
  const found: LooseObject[] = []
  let startAfter: string | undefined
  for (;;) {
    const { objects, isComplete } = await incoming.list(folder, { ...(startAfter && { startAfter }), signal })
    for (const { key, etag, sizeBytes } of objects) {
      const path = key.slice(folder.length)
      if (!path.endsWith('/') && path !== '' && partOf(path) === 'loose') found.push({ key, etag, path, sizeBytes })
    }
    startAfter = objects.at(-1)?.key
    if (isComplete || startAfter === undefined) return found
  }
}

/** XNAT: keeps the last part of an entry's name only (W/archive/DicomZipImporter.java), which must not lose files. */
function entryNames(paths: readonly string[]): string[] {
  const lastParts = new Set(paths.map((path) => path.slice(path.lastIndexOf('/') + 1)))
  return lastParts.size === paths.length ? [...paths] : paths.map((path) => path.replaceAll('/', '_'))
}

function streamOf(opened: OpenObject, read: (opened: OpenObject) => AsyncIterable<Uint8Array>): Readable {
  const body = Readable.from(read(opened), { objectMode: false })
  // A body that was never read from has not begun to iterate, and would leave its source open.
  return body.once('close', () => opened.body.destroy())
}

function storedByCount(object: { path: string; sizeBytes: number; etag: string }, md5: string | undefined) {
  const { path, sizeBytes, etag } = object
  return { path, sizeBytes, etag, md5, outcome: 'stored', verifiedBy: 'count' } satisfies DeliveredFile
}
