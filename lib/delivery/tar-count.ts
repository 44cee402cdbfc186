// Counts the files of a tar that flows by: POSIX ustar and pax, with GNU's long names. Nothing of it is kept.
import { once } from 'node:events'
import { createGunzip, type Gunzip } from 'node:zlib'
import { DeliveryError } from '../errors.ts'
import { archiveFormatOf } from './object-key.ts'

export interface FileCount {
  files: number
}

const block = 512
/** Names longer than this are not worth their memory: no file is stored under them. */
const maxNameBytes = 64 * 1024

/** Fed with the archive from its first byte to its last. */
export class TarCounter {
  #files = 0
  #header: Buffer[] = []
  #headerBytes = 0
  #bodyBytes = 0
  /** The body that says the name or size of the entry after it. */
  #note: { type: 'x' | 'L'; parts: Buffer[]; sizeBytes: number } | undefined
  #next: { name?: string; sizeBytes?: number } = {}
  #hasEnded = false

  /** @throws {DeliveryError} ARCHIVE_NOT_READABLE for what is no tar, or holds an archive, whose files are not counted. */
  take(chunk: Uint8Array): void {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    while (rest.length > 0 && !this.#hasEnded) {
      if (this.#bodyBytes > 0) rest = this.#takeBody(rest)
      else rest = this.#takeHeader(rest)
    }
  }

  /** @throws {DeliveryError} ARCHIVE_NOT_READABLE when the archive broke off. */
  end(): FileCount {
    if (this.#bodyBytes > 0 || this.#headerBytes > 0 || !this.#hasEnded) throw unreadable('it breaks off')
    return { files: this.#files }
  }

  #takeBody(bytes: Buffer): Buffer {
    const taken = bytes.subarray(0, this.#bodyBytes)
    this.#bodyBytes -= taken.length
    this.#note?.parts.push(Buffer.from(taken))
    if (this.#bodyBytes === 0 && this.#note !== undefined) this.#readNote(this.#note)
    return bytes.subarray(taken.length)
  }

  #takeHeader(bytes: Buffer): Buffer {
    const taken = bytes.subarray(0, block - this.#headerBytes)
    this.#header.push(Buffer.from(taken))
    this.#headerBytes += taken.length
    if (this.#headerBytes === block) {
      this.#readHeader(Buffer.concat(this.#header))
      this.#header = []
      this.#headerBytes = 0
    }
    return bytes.subarray(taken.length)
  }

  #readHeader(header: Buffer): void {
    if (header.every((byte) => byte === 0)) {
      this.#hasEnded = true
      return
    }
    if (!isChecked(header)) throw unreadable('it is no tar')
    const type = String.fromCharCode(header.readUInt8(156))
    const own = numberAt(header, 124, 12)
    const isNote = type === 'x' || type === 'L'
    const sizeBytes = isNote ? own : (this.#next.sizeBytes ?? own)
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw unreadable('it holds a file of no size')
    this.#bodyBytes = Math.ceil(sizeBytes / block) * block
    if (isNote) {
      if (sizeBytes > maxNameBytes) throw unreadable('it holds a name without end')
      // An empty one has no body whose end would end it.
      if (sizeBytes > 0) this.#note = { type, parts: [], sizeBytes }
      return
    }
    // A pax header for all entries, and GNU's long link names, say nothing about the entry after them.
    if (type === 'g' || type === 'K') return
    if (type === '0' || type === '\0' || type === '7') this.#countFile(this.#next.name ?? textAt(header, 0, 100))
    this.#next = {}
  }

  #countFile(name: string): void {
    // XNAT: opens archives in archives (W/archive/DicomZipImporter.java).
    if (archiveFormatOf(name) !== undefined) throw unreadable('it holds another archive')
    if (!name.endsWith('/')) this.#files += 1
  }

  #readNote({ type, parts, sizeBytes }: { type: 'x' | 'L'; parts: Buffer[]; sizeBytes: number }): void {
    this.#note = undefined
    const body = Buffer.concat(parts).subarray(0, sizeBytes)
    if (type === 'L') this.#next.name = body.toString().replace(/\0+$/, '')
    else this.#next = { ...this.#next, ...paxNote(body) }
  }
}

/** Takes a tar or a gzipped one; `take` waits until there is room for more. */
export function tarCount(format: 'tar' | 'tgz'): {
  take: (chunk: Uint8Array) => Promise<void>
  end: () => Promise<FileCount>
} {
  const counter = new TarCounter()
  if (format === 'tar') return { take: async (chunk) => counter.take(chunk), end: async () => counter.end() }
  const gunzip = createGunzip()
  const counted = countUnpacked(gunzip, counter)
  // Met by the next `take` or `end`; until then it must not count as unhandled.
  counted.catch(() => undefined)
  return {
    async take(chunk) {
      if (gunzip.destroyed) await counted
      else if (!gunzip.write(chunk)) await Promise.race([once(gunzip, 'drain').catch(() => counted), counted])
    },
    end() {
      if (!gunzip.destroyed) gunzip.end()
      return counted
    },
  }
}

async function countUnpacked(gunzip: Gunzip, counter: TarCounter): Promise<FileCount> {
  try {
    for await (const chunk of gunzip) counter.take(chunk)
  } catch (cause) {
    throw cause instanceof DeliveryError ? cause : unreadable('it is not whole as gzip', cause)
  }
  return counter.end()
}

/** The header's own sum, with blanks in the place of the sum (POSIX.1-1988 ustar). */
function isChecked(header: Buffer): boolean {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  return sum === numberAt(header, 148, 8)
}

function numberAt(header: Buffer, start: number, length: number): number {
  // GNU tar: sizes beyond octal are binary, which the first bit says.
  if (header.readUInt8(start) & 0x80) return header.subarray(start + 1, start + length).reduce((n, b) => n * 256 + b, 0)
  return Number.parseInt(textAt(header, start, length).trim() || '0', 8)
}

const textAt = (header: Buffer, start: number, length: number) =>
  header
    .subarray(start, start + length)
    .toString()
    .replace(/\0.*$/s, '')

/** Of the records `length key=value\n` those that bear on counting. */
function paxNote(body: Buffer): { name?: string; sizeBytes?: number } {
  const note: { name?: string; sizeBytes?: number } = {}
  for (let start = 0; start < body.length; ) {
    const length = Number.parseInt(body.subarray(start, start + 20).toString('latin1'), 10)
    if (!(length > 0)) throw unreadable('it holds a pax header that is none')
    const [, key, value = ''] = /^\d+ ([^=]+)=(.*)\n$/s.exec(body.subarray(start, start + length).toString()) ?? []
    if (key === 'path') note.name = value
    if (key === 'size') note.sizeBytes = Number(value)
    start += length
  }
  return note
}

export const unreadable = (what: string, cause?: unknown) =>
  new DeliveryError(`the archive cannot be delivered: ${what}`, { code: 'ARCHIVE_NOT_READABLE', cause })
