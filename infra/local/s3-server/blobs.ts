// The bytes, one immutable file each, named by chance and never by key. A file counts only while the index names it.
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

const readBytes = 256 * 1024

/** A stretch of one file. */
export interface BlobSlice {
  blobId: string
  start: number
  length: number
}

export class BlobStore {
  readonly #dir: string
  readonly #foldersMade = new Set<string>()
  readonly #pins = new Map<string, number>()
  readonly #unwanted = new Set<string>()

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Removes every file that `isWanted` does not know: what a crash or a cut upload left behind. */
  async sweep(isWanted: (blobId: string) => boolean): Promise<void> {
    await mkdir(this.#dir, { recursive: true })
    for (const folder of await readdir(this.#dir)) {
      for (const blobId of await readdir(join(this.#dir, folder))) {
        if (!isWanted(blobId)) await this.#remove(blobId)
      }
    }
  }

  async create(): Promise<BlobWriter> {
    const blobId = randomBytes(16).toString('hex')
    const folder = join(this.#dir, blobId.slice(0, 2))
    if (!this.#foldersMade.has(folder)) {
      await mkdir(folder, { recursive: true })
      this.#foldersMade.add(folder)
    }
    return new BlobWriter(blobId, await open(this.#path(blobId), 'wx'))
  }

  /** Keeps these files readable, whatever is discarded meanwhile, until the returned function is called. */
  pin(blobIds: readonly string[]): () => Promise<void> {
    for (const blobId of blobIds) this.#pins.set(blobId, (this.#pins.get(blobId) ?? 0) + 1)
    return async () => {
      for (const blobId of blobIds) {
        const left = (this.#pins.get(blobId) ?? 0) - 1
        if (left > 0) this.#pins.set(blobId, left)
        else this.#pins.delete(blobId)
      }
      await this.discard(blobIds.filter((blobId) => this.#unwanted.has(blobId)))
    }
  }

  /** Removes files the index no longer names: at once, or when their last reader has finished. */
  async discard(blobIds: readonly string[]): Promise<void> {
    for (const blobId of blobIds) {
      if (this.#pins.has(blobId)) this.#unwanted.add(blobId)
      else {
        this.#unwanted.delete(blobId)
        await this.#remove(blobId)
      }
    }
  }

  /** For a few bytes, which are read at once: the hops to another thread and back would take longer than the reading. */
  readWhole(slices: readonly BlobSlice[]): Buffer {
    return Buffer.concat(slices.map((slice) => readAtOnce(this.#path(slice.blobId), slice)))
  }

  async *read(slices: readonly BlobSlice[]): AsyncGenerator<Buffer, void> {
    for (const { blobId, start, length } of slices) {
      if (length === 0) continue
      const handle = await open(this.#path(blobId), 'r')
      try {
        yield* readStretch(handle, start, length)
      } finally {
        await handle.close()
      }
    }
  }

  /** A file that cannot be removed now is no failure of the request: the sweep of the next start takes it. */
  async #remove(blobId: string): Promise<void> {
    try {
      await rm(this.#path(blobId), { force: true })
    } catch (error) {
      process.emitWarning(`a file no longer wanted stays until the next start: ${error}`)
    }
  }

  #path(blobId: string): string {
    return join(this.#dir, blobId.slice(0, 2), blobId)
  }
}

function readAtOnce(path: string, { start, length }: BlobSlice): Buffer {
  const buffer = Buffer.allocUnsafe(length)
  const file = openSync(path, 'r')
  try {
    for (let filled = 0; filled < length; ) {
      const bytesRead = readSync(file, buffer, filled, length - filled, start + filled)
      if (bytesRead === 0) throw new Error(shorterThanIndexed)
      filled += bytesRead
    }
    return buffer
  } finally {
    closeSync(file)
  }
}

const shorterThanIndexed = 'a stored file is shorter than the index says'

async function* readStretch(handle: FileHandle, start: number, length: number): AsyncGenerator<Buffer, void> {
  const end = start + length
  for (let position = start; position < end; ) {
    // A fresh buffer each time: the one before may still be waiting in a socket.
    const buffer = Buffer.allocUnsafe(Math.min(readBytes, end - position))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
    if (bytesRead === 0) throw new Error(shorterThanIndexed)
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

export class BlobWriter {
  readonly blobId: string
  readonly #handle: FileHandle

  constructor(blobId: string, handle: FileHandle) {
    this.blobId = blobId
    this.#handle = handle
  }

  async write(chunk: Buffer): Promise<void> {
    await this.#handle.writeFile(chunk)
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
