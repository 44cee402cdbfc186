// A zip, with zip64 where needed, as one stream whose length is known before it starts. Nothing is compressed.
//
// XNAT unpacks as it reads, with java.util.zip.ZipInputStream (XDAT/xft/utils/zip/ZipUtils.java). The checksum of a body
// read once is known only after it, and that class takes a checksum after the body from deflated entries alone
// (JDK: readLOC), not from stored ones. So bodies go as deflate's own stored blocks, whose overhead is known.
import { crc32 } from 'node:zlib'
import { type ArchiveEntry, exactly, type OpenEntry } from './archive-entry.ts'
import {
  blockHeader,
  dataDescriptor,
  directoryEntry,
  directoryEntryLength,
  endLength,
  endRecords,
  localHeader,
  maxBlockBytes,
  memberLength,
  memberRecord,
} from './zip-records.ts'

/** The exact length in bytes of the archive that `zipStream` will make of these entries. */
export function zipLength(entries: readonly ArchiveEntry[]): number {
  let offset = 0
  let directoryBytes = 0
  for (const entry of entries) {
    const record = memberRecord(entry, offset)
    offset += memberLength(record)
    directoryBytes += directoryEntryLength(record)
  }
  return offset + directoryBytes + endLength({ entries: entries.length, offset, directoryBytes })
}

/**
 * Streams an archive of the entries in their order, one open at a time.
 *
 * @throws {StorageError} OBJECT_CHANGED when a body is longer or shorter than its entry says; the archive is then cut
 * off in the middle, so that whoever receives it cannot take it for whole.
 */
export async function* zipStream<T extends ArchiveEntry>(
  entries: readonly T[],
  open: OpenEntry<T>,
): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of entries) {
    const record = memberRecord(entry, offset)
    const body = await open(entry)
    yield localHeader(record)
    const sum = { crc: 0 }
    yield* storedBlocks(summing(exactly(body, entry.sizeBytes), sum), entry.sizeBytes)
    yield dataDescriptor(record, sum.crc)
    directory.push(directoryEntry(record, sum.crc))
    offset += memberLength(record)
  }
  yield* directory
  const directoryBytes = directory.reduce((bytes, each) => bytes + each.length, 0)
  yield endRecords({ entries: entries.length, offset, directoryBytes })
}

async function* storedBlocks(body: AsyncIterable<Uint8Array>, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let announced = 0
  let inBlock = 0
  const nextBlock = () => {
    inBlock = Math.min(maxBlockBytes, sizeBytes - announced)
    announced += inBlock
    return blockHeader(inBlock, { isLast: announced === sizeBytes })
  }
  if (sizeBytes === 0) yield nextBlock()
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      if (inBlock === 0) yield nextBlock()
      const part = chunk.subarray(at, at + inBlock)
      yield part
      at += part.length
      inBlock -= part.length
    }
  }
}

async function* summing(body: AsyncIterable<Uint8Array>, sum: { crc: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    sum.crc = crc32(chunk, sum.crc)
    yield chunk
  }
}
