// The files of a zip or tar, one after the other, archives in archives included (DicomZipImporter.java).
import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract as untar } from 'tar-stream'
import { openPromise as openZip } from 'yauzl'
import type { Xnat } from '../exchange.ts'
import { refuseUnreadable, zipOptions } from '../extract.ts'
import { HttpFailure } from '../http-failure.ts'
import { drain, spool } from '../stored-file.ts'
import type { SentFile } from './sender.ts'

type Format = 'zip' | 'tar' | 'tgz'

/** By the end of the name, in lower case only (Format.java). */
export function archiveFormat(name: string): Format | undefined {
  if (/\.(zip|zar)$/.test(name)) return 'zip'
  if (/\.(tgz|tar\.gz)$/.test(name)) return 'tgz'
  return /\.(tar|xar)$/.test(name) ? 'tar' : undefined
}

/** The last part of an entry's name, which is all of it that counts here (ArchiveEntryFileWriterWrapper.java). */
const lastPart = (name: string) => name.slice(name.lastIndexOf('/') + 1)

/**
 * Hands every file to the sink, in the archive's order.
 *
 * @throws {HttpFailure} 400 for a name that is no archive's, and for an archive that ends too early.
 */
export async function eachEntry(xnat: Xnat, file: SentFile, sink: (entry: SentFile) => Promise<void>): Promise<void> {
  const format = archiveFormat(file.name)
  if (format === undefined) throw new HttpFailure(400, 'Unsupported format UNKNOWN')
  const visit = (entry: SentFile) =>
    archiveFormat(entry.name) === undefined ? sink(entry) : eachEntry(xnat, entry, sink)
  try {
    if (format === 'zip') await eachZipEntry(xnat, file, visit)
    else await eachTarEntry(file, format, visit)
  } catch (error) {
    throw error instanceof HttpFailure ? error : new HttpFailure(400, 'unable to read data from file', { cause: error })
  }
}

async function eachTarEntry({ open }: SentFile, format: 'tar' | 'tgz', visit: (entry: SentFile) => Promise<void>) {
  const entries = untar()
  const feeding = format === 'tgz' ? pipeline(open(), createGunzip(), entries) : pipeline(open(), entries)
  // Awaited below; the loop may end first with the same error.
  feeding.catch(() => undefined)
  for await (const entry of entries) {
    if (entry.header.type === 'file' || entry.header.type === 'contiguous-file') {
      const content = contentOf(entry)
      await visit({ name: lastPart(entry.header.name), open: () => content })
      await drain(content)
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

async function eachZipEntry(xnat: Xnat, file: SentFile, visit: (entry: SentFile) => Promise<void>): Promise<void> {
  const path = xnat.archive.spoolPath()
  try {
    await spool(file.open(), path)
    // XNAT: reads from the front, and what does not begin like a zip has no entries: 200 and empty (ZipInputStream).
    if (!(await beginsLikeZip(path))) return
    const zip = await openZip(path, zipOptions)
    try {
      for await (const entry of zip.eachEntry()) {
        refuseUnreadable(entry)
        if (entry.fileName.endsWith('/')) continue
        const content = await zip.openReadStreamPromise(entry)
        await visit({ name: lastPart(entry.fileName), open: () => content })
      }
    } finally {
      zip.close()
    }
  } finally {
    await rm(path, { force: true })
  }
}

async function beginsLikeZip(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1') === 'PK\x03\x04'
  } finally {
    await file.close()
  }
}

export function fileOnDisk(name: string, path: string): SentFile {
  return { name, open: () => createReadStream(path) }
}
