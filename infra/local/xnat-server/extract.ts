// extract=true: an archive is unpacked at the resource's root, by its name (FileExtractor.java, Format.java).
import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract as untar } from 'tar-stream'
import { type Entry, open as openZip, type ZipFile } from 'yauzl'
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
  archive: { kind: ArchiveKind; name: string; content: Readable; spoolPath: string },
  sink: EntrySink,
): Promise<void> {
  const { kind, name, content, spoolPath } = archive
  if (kind === 'tar') await unpackTar([content], sink)
  else if (kind === 'tgz') await unpackTar([content, createGunzip()], sink)
  else if (kind === 'gz') await gunzip(content, name, sink)
  else await unpackZip(content, spoolPath, sink)
}

async function unpackTar(streams: [Readable, ...NodeJS.ReadWriteStream[]], sink: EntrySink): Promise<void> {
  const entries = untar()
  const feeding = pipeline([...streams, entries])
  // Awaited below; the loop may end first with the same error.
  feeding.catch(() => undefined)
  for await (const entry of entries) {
    if (entry.header.type === 'file' || entry.header.type === 'contiguous-file') {
      await sink(checkedPath(entry.header.name), entry)
    } else {
      entry.resume()
    }
  }
  await feeding
}

async function gunzip(content: Readable, name: string, sink: EntrySink): Promise<void> {
  const unpacked = createGunzip()
  const feeding = pipeline(content, unpacked)
  feeding.catch(() => undefined)
  await sink(checkedPath(name.replace(/\.gz$/, '')), unpacked)
  await feeding
}

async function unpackZip(content: Readable, spoolPath: string, sink: EntrySink): Promise<void> {
  try {
    await spool(content, spoolPath)
    const zip = await openZipFile(spoolPath)
    try {
      for await (const entry of zipEntries(zip)) {
        if (!entry.fileName.endsWith('/')) await sink(checkedPath(entry.fileName), await openZipEntry(zip, entry))
      }
    } finally {
      zip.close()
    }
  } finally {
    await rm(spoolPath, { force: true })
  }
}

/** @throws {Error} when the file is not a zip. */
export function openZipFile(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    openZip(path, { lazyEntries: true, autoClose: false }, (error, zip) =>
      error === null ? resolve(zip) : reject(error),
    )
  })
}

export async function* zipEntries(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await nextEntry(zip)
    if (entry === undefined) return
    yield entry
  }
}

export function openZipEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error === null ? resolve(stream) : reject(error)))
  })
}

function nextEntry(zip: ZipFile): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => () => {
      zip.removeAllListeners()
      finish()
    }
    zip.once('entry', (entry: Entry) => settle(() => resolve(entry))())
    zip.once(
      'end',
      settle(() => resolve(undefined)),
    )
    zip.once('error', (error: Error) => settle(() => reject(error))())
    zip.readEntry()
  })
}

// XNAT does not look at entry names; a stand-in on somebody's machine must.
function checkedPath(name: string): string {
  const path = name.replace(/^(\.\/)+/, '')
  if (!isInside(path)) throw new HttpFailure(500, 'An archive entry lies outside the resource.')
  return path
}
