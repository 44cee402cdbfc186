import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs'
import { lstat, mkdir, rename, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ifMissing } from './missing.ts'

export interface StoredFile {
  size: number
  md5: string
}

/** Content up to this size is written in one piece: an archive of thousands of small files is not opened file by file. */
const smallBytes = 256 * 1024

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
  const written = await write(source, spoolPath).catch(async (error: unknown) => {
    await moveInto(spoolPath, path)
    throw error
  })
  const stored = isTruncated ? await halve(spoolPath) : written
  await moveInto(spoolPath, path)
  return stored
}

async function write(source: AsyncIterable<unknown>, path: string): Promise<StoredFile> {
  const content = source[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let size = 0
  while (size <= smallBytes) {
    const next = await content.next().catch(async (error: unknown) => {
      await writeFile(path, Buffer.concat(head))
      throw error
    })
    if (next.done === true) {
      const whole = Buffer.concat(head)
      await writeFile(path, whole)
      return digestOf(whole)
    }
    if (!(next.value instanceof Uint8Array)) throw new TypeError('a body is made of bytes')
    head.push(next.value)
    size += next.value.length
  }
  return spool(resumed(head, content), path)
}

async function* resumed(head: readonly Uint8Array[], content: AsyncIterator<unknown>): AsyncGenerator<unknown> {
  yield* head
  for (let next = await content.next(); next.done !== true; next = await content.next()) yield next.value
}

/** Spools a body to a file, digesting it on the way. */
export async function spool(source: AsyncIterable<unknown>, path: string): Promise<StoredFile> {
  const digest = new Digest()
  await pipeline(source, digest, createWriteStream(path))
  return digest.result()
}

async function moveInto(from: string, path: string): Promise<void> {
  const isMoved = await rename(from, path).then(() => true, ifMissing(false))
  if (isMoved) return
  await mkdir(dirname(path), { recursive: true })
  await rename(from, path)
}

/**
 * A small file's content; undefined for a larger file. At once: sessions of a few small files come by the thousand, and
 * the way to the thread pool and back takes several times as long as reading one.
 */
export function readSmall(path: string): Buffer | undefined {
  return statSync(path).size <= smallBytes ? readFileSync(path) : undefined
}

function digestOf(content: Buffer): StoredFile {
  return { size: content.length, md5: createHash('md5').update(content).digest('hex') }
}

export async function digestFile(path: string): Promise<StoredFile> {
  const small = readSmall(path)
  if (small !== undefined) return digestOf(small)
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

class Digest extends Transform {
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
