import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { open, stat, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface StoredFile {
  size: number
  md5: string
}

/**
 * Content up to this size is written in one piece, and without a thread's help: for an archive of thousands of files the
 * hops to another thread and back would take longer than the steps themselves.
 */
const smallBytes = 1024 * 1024

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
  const written = await write(source, spoolPath).catch((error: unknown) => {
    moveInto(spoolPath, path)
    throw error
  })
  const stored = isTruncated ? await halve(spoolPath) : written
  moveInto(spoolPath, path)
  return stored
}

async function write(source: AsyncIterable<unknown>, path: string): Promise<StoredFile> {
  const content = source[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let size = 0
  while (size <= smallBytes) {
    const next = await content.next().catch((error: unknown) => {
      writeFileSync(path, Buffer.concat(head))
      throw error
    })
    if (next.done === true) {
      const whole = Buffer.concat(head)
      writeFileSync(path, whole)
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

/** Spools a body to a file, digesting it on the way. When the body breaks off, what came of it is in the file. */
export async function spool(source: AsyncIterable<unknown>, path: string): Promise<StoredFile> {
  const hash = createHash('md5')
  const file = await open(path, 'w')
  let size = 0
  let waiting: Uint8Array[] = []
  const write = async () => {
    const pieces = waiting
    waiting = []
    await file.writeFile(Buffer.concat(pieces))
  }
  try {
    let waitingBytes = 0
    for await (const chunk of source) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('a body is made of bytes')
      hash.update(chunk)
      waiting.push(chunk)
      size += chunk.length
      waitingBytes += chunk.length
      if (waitingBytes < smallBytes) continue
      waitingBytes = 0
      await write()
    }
    return { size, md5: hash.digest('hex') }
  } finally {
    await write().finally(() => file.close())
  }
}

function moveInto(from: string, path: string): void {
  const folder = dirname(path)
  if (!exists(folder)) mkdirSync(folder, { recursive: true })
  renameSync(from, path)
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

export function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
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
