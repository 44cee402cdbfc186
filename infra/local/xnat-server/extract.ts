// extract=true: an archive is unpacked at the resource's root, by its name (FileExtractor.java, Format.java).
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract as untar } from 'tar-stream'
import { type Entry, openPromise as openZip } from 'yauzl'
import { isInside } from './file-path.ts'
import { HttpFailure } from './http-failure.ts'
import { spool } from './stored-file.ts'

type ArchiveKind = 'tar' | 'tgz' | 'zip' | 'gz'
export type EntrySink = (path: string, content: AsyncIterable<unknown>) => Promise<void>

// XNAT: by the end of the name, in lower case only (Format.java).
export function archiveKind(name: string): ArchiveKind | undefined {
  if (/\.(tgz|tar\.gz)$/.test(name)) return 'tgz'
  if (/\.(tar|xar)$/.test(name)) return 'tar'
  if (/\.(zip|zar)$/.test(name)) return 'zip'
  return name.endsWith('.gz') ? 'gz' : undefined
}

/**
 * Hands every file of an archive to the sink, one after the other, in the archive's order.
 *
 * @throws {HttpFailure} 500 for an entry that would leave the resource's folder, and for a broken archive.
 */
export async function unpack(
  archive: { kind: ArchiveKind; name: string; content: AsyncIterable<unknown>; spoolPath: string },
  sink: EntrySink,
): Promise<void> {
  const { kind, name, content, spoolPath } = archive
  try {
    if (kind === 'zip') await unpackZip(content, spoolPath, sink)
    else if (kind === 'gz') await gunzip(content, name, sink)
    else await unpackTar(content, kind === 'tgz', sink)
  } catch (error) {
    if (error instanceof HttpFailure) throw error
    throw new HttpFailure(500, error instanceof Error ? error.message : String(error), { cause: error })
  }
}

async function unpackTar(content: AsyncIterable<unknown>, isCompressed: boolean, sink: EntrySink): Promise<void> {
  const entries = untar()
  const feeding = isCompressed ? pipeline(content, createGunzip(), entries) : pipeline(content, entries)
  // Awaited below; the loop may end first with the same error.
  feeding.catch(() => undefined)
  for await (const entry of entries) {
    if (entry.header.type === 'file' || entry.header.type === 'contiguous-file') {
      await sink(checkedPath(entry.header.name), contentOf(entry))
    } else {
      entry.resume()
    }
  }
  await feeding
}

/** Not the stream itself: node's pipeline waits for ever on one that a torn archive destroyed before it was looked at. */
async function* contentOf(entry: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  yield* entry
}

async function gunzip(content: AsyncIterable<unknown>, name: string, sink: EntrySink): Promise<void> {
  const unpacked = createGunzip()
  const feeding = pipeline(content, unpacked)
  feeding.catch(() => undefined)
  await sink(checkedPath(name.replace(/\.gz$/, '')), unpacked)
  await feeding
}

async function unpackZip(content: AsyncIterable<unknown>, spoolPath: string, sink: EntrySink): Promise<void> {
  try {
    await spool(content, spoolPath)
    const zip = await openZip(spoolPath, zipOptions)
    try {
      for await (const entry of zip.eachEntry()) {
        refuseUnreadable(entry)
        if (!entry.fileName.endsWith('/'))
          await sink(checkedPath(entry.fileName), await zip.openReadStreamPromise(entry))
      }
    } finally {
      zip.close()
    }
  } finally {
    await rm(spoolPath, { force: true })
  }
}

/**
 * XNAT reads zips with Java's ZipInputStream (ZipUtils.java, DicomZipImporter.java), which cannot tell where a stored
 * entry ends whose size comes after it (JDK: ZipInputStream.readLOC).
 */
export function refuseUnreadable({ compressionMethod, generalPurposeBitFlag }: Entry): void {
  const sizeFollows = (generalPurposeBitFlag & 8) !== 0
  if (sizeFollows && compressionMethod !== deflated) throw new Error('only DEFLATED entries can have EXT descriptor')
}

const deflated = 8

/** For reading entry after entry; the file stays open until it is closed. */
export const zipOptions = { lazyEntries: true, autoClose: false } as const

// XNAT does not look at entry names; a stand-in on somebody's machine must.
function checkedPath(name: string): string {
  const path = name.replace(/^(\.\/)+/, '')
  if (!isInside(path)) throw new HttpFailure(500, 'An archive entry lies outside the resource.')
  return path
}
