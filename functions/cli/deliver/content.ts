// What a file holds, in the digests that S3 and receipts know it by.
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { exitCodes, Failure } from '../failure.ts'
import { type LocalFile, unreadable } from './folder.ts'

/** Larger files go in parts of so many bytes. Their ETags depend on it: with another number nothing is recognised. */
export const partBytes = 32 * 1024 * 1024

/** S3: an object has at most 10,000 parts. */
export const maxFileBytes = 10_000 * partBytes

export interface Content {
  sizeBytes: number
  /** Lower-case hex. */
  md5: string
  /** S3's, without quotes: the MD5 of a file in one part; of several, the MD5 of their MD5s, and their number. */
  etag: string
}

export interface FilePart {
  /** From 1. */
  number: number
  bytes: Buffer
  md5: string
}

export interface ContentReader {
  /** One after the other, as they are asked for. */
  parts: AsyncGenerator<FilePart>
  /** What was read, once all parts were. */
  content(): Content
}

/** @throws {Failure} while it is read, when it cannot be, or is no longer as large as it was. */
export function readContent(file: LocalFile): ContentReader {
  const whole = createHash('md5')
  const digests: Buffer[] = []
  async function* parts(): AsyncGenerator<FilePart> {
    await using handle = await readable(file, () => open(file.location))
    let left = file.sizeBytes
    do {
      const wanted = Math.min(partBytes, left)
      const bytes = await readable(file, () => readSome(handle, wanted))
      if (bytes.length < wanted) throw changed(file)
      left -= wanted
      whole.update(bytes)
      const md5 = createHash('md5').update(bytes).digest()
      digests.push(md5)
      yield { number: digests.length, bytes, md5: md5.toString('hex') }
    } while (left > 0)
    if ((await readable(file, () => readSome(handle, 1))).length > 0) throw changed(file)
  }
  return {
    parts: parts(),
    content() {
      const md5 = whole.digest('hex')
      const ofParts = createHash('md5').update(Buffer.concat(digests)).digest('hex')
      return { sizeBytes: file.sizeBytes, md5, etag: digests.length === 1 ? md5 : `${ofParts}-${digests.length}` }
    },
  }
}

/** Reads the whole file. @throws {Failure} */
export async function digestFile(file: LocalFile): Promise<Content> {
  const { parts, content } = readContent(file)
  for await (const _ of parts);
  return content()
}

/** So many bytes, or those up to the file's end. */
async function readSome(handle: FileHandle, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

async function readable<T>(file: LocalFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw unreadable(file.name, error)
  }
}

const changed = ({ name }: LocalFile) =>
  new Failure(`${name} was changed while it was read. Run the same command again.`, exitCodes.failed)
