import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { lstat, mkdir, rename, stat, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ifMissing } from './archive.ts'

export interface StoredFile {
  size: number
  md5: string
}

/**
 * Writes a body beside the archive and moves it to its place when it is whole.
 *
 * XNAT: it writes in place, so what a broken transfer left is there too, without being catalogued: a plain retry
 * then meets a file that "exists" (FileWriterWrapper.java write, CatalogUtils.java storeCatalogEntry).
 */
export async function storeStream(
  source: AsyncIterable<unknown>,
  place: { spoolPath: string; path: string; isTruncated: boolean },
): Promise<StoredFile> {
  const { spoolPath, path, isTruncated } = place
  const digest = new Digest()
  try {
    await pipeline(source, digest, createWriteStream(spoolPath))
  } catch (error) {
    await moveInto(spoolPath, path)
    throw error
  }
  const stored = isTruncated ? await halve(spoolPath) : digest.result()
  await moveInto(spoolPath, path)
  return stored
}

/** Spools a body to a file, digesting it on the way. */
export async function spool(source: AsyncIterable<unknown>, path: string): Promise<StoredFile> {
  const digest = new Digest()
  await pipeline(source, digest, createWriteStream(path))
  return digest.result()
}

export async function moveInto(from: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await rename(from, path)
}

export async function digestFile(path: string): Promise<StoredFile> {
  const digest = new Digest()
  digest.resume()
  await pipeline(createReadStream(path), digest)
  return digest.result()
}

/** Reads a body to its end and drops it. */
export async function drain(content: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of content);
}

export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(() => true, ifMissing(false))
}

export class Digest extends Transform {
  readonly #hash = createHash('md5')
  #size = 0

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.#hash.update(chunk)
    this.#size += chunk.length
    done(null, chunk)
  }

  result(): StoredFile {
    return { size: this.#size, md5: this.#hash.digest('hex') }
  }
}

async function halve(path: string): Promise<StoredFile> {
  const { size } = await stat(path)
  await truncate(path, Math.floor(size / 2))
  return digestFile(path)
}
