// A POSIX.1-2001 (pax) tar as one stream whose length is known before it starts.
// Ours rather than a library's because XNAT wants a Content-Length and our sources are opened one after the other.
import { type ArchiveEntry, exactly, type OpenEntry } from './archive-entry.ts'

const block = 512
/** tar's own end mark: two empty blocks. */
const endBytes = 2 * block

/** The exact length in bytes of the archive that `tarStream` will make of these entries. */
export function tarLength(entries: readonly ArchiveEntry[]): number {
  return entries.reduce((sum, entry) => sum + headerOf(entry).length + padded(entry.sizeBytes), endBytes)
}

/**
 * Streams an archive of the entries in their order, one open at a time. XNAT unpacks it with Ant's TarInputStream
 * (XDAT/xft/utils/zip/TarUtils.java).
 *
 * @throws {StorageError} OBJECT_CHANGED when a body is longer or shorter than its entry says; the archive is then cut
 * off in the middle, so that whoever receives it cannot take it for whole.
 */
export async function* tarStream<T extends ArchiveEntry>(
  entries: readonly T[],
  open: OpenEntry<T>,
): AsyncGenerator<Uint8Array> {
  // Pieces are joined here and not in a generator of their own: each that a chunk passes makes promises for it.
  const pieces = new Pieces()
  try {
    for (const entry of entries) {
      const body = await open(entry)
      pieces.add(headerOf(entry))
      for await (const chunk of exactly(body, entry.sizeBytes)) {
        pieces.add(chunk)
        if (pieces.isLarge) yield pieces.take()
      }
      if (entry.sizeBytes % block !== 0) pieces.add(Buffer.alloc(block - (entry.sizeBytes % block)))
      // Empty files have headers only, and there may be many.
      if (pieces.isLarge) yield pieces.take()
    }
    pieces.add(Buffer.alloc(endBytes))
  } catch (error) {
    // All that was given goes out first: an archive is to break off where its entries did.
    if (!pieces.isEmpty) yield pieces.take()
    throw error
  }
  yield pieces.take()
}

/** A piece of this size goes out as it is, in a system call of its own; headers, padding and small files wait for others. */
const pieceBytes = 32 * 1024

class Pieces {
  #waiting: Uint8Array[] = []
  #bytes = 0

  get isEmpty(): boolean {
    return this.#bytes === 0
  }

  get isLarge(): boolean {
    return this.#bytes >= pieceBytes
  }

  add(piece: Uint8Array): void {
    this.#waiting.push(piece)
    this.#bytes += piece.length
  }

  take(): Uint8Array {
    const [only] = this.#waiting
    const all = this.#waiting.length === 1 && only !== undefined ? only : Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#bytes = 0
    return all
  }
}

function headerOf(entry: ArchiveEntry): Buffer {
  const records = paxRecords(entry)
  const main = ustarHeader(fallbackName(entry.path), entry.sizeBytes, '0')
  if (records.length === 0) return main
  const body = Buffer.alloc(padded(records.length))
  records.copy(body)
  return Buffer.concat([ustarHeader('PaxHeader', records.length, 'x'), body, main])
}

// What a plain header cannot say: names beyond 100 bytes or ASCII, sizes beyond 11 octal digits (8 GiB).
const maxNameBytes = 100
const maxPlainSize = 0o77777777777

function paxRecords(entry: ArchiveEntry): Buffer {
  const records: string[] = []
  if (!isPlainName(entry.path)) records.push(paxRecord('path', entry.path))
  if (entry.sizeBytes > maxPlainSize) records.push(paxRecord('size', String(entry.sizeBytes)))
  return Buffer.from(records.join(''))
}

const isPlainName = (path: string) => path.length <= maxNameBytes && /^[\x20-\x7e]*$/.test(path)

/** A pax record starts with its own length in bytes, these digits included. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const restBytes = Buffer.byteLength(rest)
  let length = restBytes + String(restBytes).length
  if (String(length).length > String(restBytes).length) length = restBytes + String(length).length
  return `${length}${rest}`
}

/** What a reader without pax would see; never longer than the field. */
const fallbackName = (path: string) =>
  isPlainName(path)
    ? path
    : Buffer.from(path, 'ascii')
        .subarray(-maxNameBytes)
        .toString('latin1')
        .replaceAll(/[^\x20-\x7e]/g, '_')

function ustarHeader(name: string, sizeBytes: number, type: '0' | 'x'): Buffer {
  const header = Buffer.alloc(block)
  header.write(name, 0, maxNameBytes, 'latin1')
  header.write(octal(0o644, 7), 100)
  header.write(octal(0, 7), 108)
  header.write(octal(0, 7), 116)
  header.write(octal(Math.min(sizeBytes, maxPlainSize), 11), 124)
  header.write(octal(0, 11), 136)
  header.write(' '.repeat(8), 148)
  header.write(type, 156)
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 6)}\u0000 `, 148)
  return header
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')
const padded = (bytes: number) => Math.ceil(bytes / block) * block
