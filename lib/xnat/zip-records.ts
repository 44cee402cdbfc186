// The records of a zip (APPNOTE.TXT 6.3, 4.3 and 4.4), with zip64 where a plain field is too small.
import type { ArchiveEntry } from './archive-entry.ts'

/** The largest number that a plain zip's fields hold; there it says that the zip64 field holds the number. */
const max16 = 0xffff
const max32 = 0xffffffff

/** What the parts of an archive say about one member. */
export interface MemberRecord {
  name: Buffer
  sizeBytes: number
  /** What the body takes as deflated blocks. */
  packedBytes: number
  offset: number
  /** Whether sizes take 8 bytes. The reader decides the same way for the sizes after the body (JDK: readEnd). */
  isLarge: boolean
}

export function memberRecord({ path, sizeBytes }: ArchiveEntry, offset: number): MemberRecord {
  const blocks = Math.max(1, Math.ceil(sizeBytes / maxBlockBytes))
  const packedBytes = sizeBytes + blocks * blockHeaderBytes
  return { name: Buffer.from(path), sizeBytes, packedBytes, offset, isLarge: packedBytes > max32 }
}

export function memberLength({ name, packedBytes, isLarge }: MemberRecord): number {
  return 30 + name.length + (isLarge ? 20 : 0) + packedBytes + (isLarge ? 24 : 16)
}

const isBeyondPlainDirectory = ({ packedBytes, offset }: MemberRecord) => packedBytes >= max32 || offset >= max32
export const directoryEntryLength = (record: MemberRecord) =>
  46 + record.name.length + (isBeyondPlainDirectory(record) ? 28 : 0)

const blockHeaderBytes = 5
export const maxBlockBytes = max16

/** Before each of deflate's stored blocks (RFC 1951, 3.2.4): whether it is the last, its length, and the complement. */
export function blockHeader(sizeBytes: number, { isLast }: { isLast: boolean }): Buffer {
  const header = Buffer.alloc(blockHeaderBytes)
  header.writeUInt8(isLast ? 1 : 0, 0)
  header.writeUInt16LE(sizeBytes, 1)
  header.writeUInt16LE(max16 - sizeBytes, 3)
  return header
}

const plainVersion = 20
const zip64Version = 45
/** The checksum follows the body; the name is UTF-8. */
const flags = 0x0808
const deflated = 8
/** 1 January 1980: the archive carries no dates. */
const firstDate = 0x21

export function localHeader({ name, sizeBytes, packedBytes, isLarge }: MemberRecord): Buffer {
  const extra = isLarge ? zip64Extra([sizeBytes, packedBytes]) : Buffer.alloc(0)
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(isLarge ? zip64Version : plainVersion, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt16LE(deflated, 8)
  header.writeUInt16LE(firstDate, 12)
  header.writeUInt32LE(isLarge ? max32 : 0, 18)
  header.writeUInt32LE(isLarge ? max32 : 0, 22)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(extra.length, 28)
  return Buffer.concat([header, name, extra])
}

export function dataDescriptor({ sizeBytes, packedBytes, isLarge }: MemberRecord, crc: number): Buffer {
  const descriptor = Buffer.alloc(isLarge ? 24 : 16)
  descriptor.writeUInt32LE(0x08074b50, 0)
  descriptor.writeUInt32LE(crc, 4)
  if (isLarge) {
    descriptor.writeBigUInt64LE(BigInt(packedBytes), 8)
    descriptor.writeBigUInt64LE(BigInt(sizeBytes), 16)
  } else {
    descriptor.writeUInt32LE(packedBytes, 8)
    descriptor.writeUInt32LE(sizeBytes, 12)
  }
  return descriptor
}

export function directoryEntry(record: MemberRecord, crc: number): Buffer {
  const { name, sizeBytes, packedBytes, offset } = record
  const isBeyond = isBeyondPlainDirectory(record)
  const extra = isBeyond ? zip64Extra([sizeBytes, packedBytes, offset]) : Buffer.alloc(0)
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(isBeyond ? zip64Version : plainVersion, 4)
  entry.writeUInt16LE(isBeyond ? zip64Version : plainVersion, 6)
  entry.writeUInt16LE(flags, 8)
  entry.writeUInt16LE(deflated, 10)
  entry.writeUInt16LE(firstDate, 14)
  entry.writeUInt32LE(crc, 16)
  entry.writeUInt32LE(isBeyond ? max32 : packedBytes, 20)
  entry.writeUInt32LE(isBeyond ? max32 : sizeBytes, 24)
  entry.writeUInt16LE(name.length, 28)
  entry.writeUInt16LE(extra.length, 30)
  entry.writeUInt32LE(isBeyond ? max32 : offset, 42)
  return Buffer.concat([entry, name, extra])
}

function zip64Extra(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + values.length * 8)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(values.length * 8, 2)
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + index * 8)
  return extra
}

/** Where the directory is, and how much it holds. */
export interface End {
  entries: number
  offset: number
  directoryBytes: number
}

const endBytes = 22
const zip64EndBytes = 56 + 20
const needsZip64 = ({ entries, offset, directoryBytes }: End) =>
  entries >= max16 || offset >= max32 || directoryBytes >= max32

export const endLength = (end: End) => endBytes + (needsZip64(end) ? zip64EndBytes : 0)

export function endRecords(end: End): Buffer {
  const { entries, offset, directoryBytes } = end
  const isZip64 = needsZip64(end)
  const record = Buffer.alloc(endBytes)
  record.writeUInt32LE(0x06054b50, 0)
  record.writeUInt16LE(isZip64 ? max16 : entries, 8)
  record.writeUInt16LE(isZip64 ? max16 : entries, 10)
  record.writeUInt32LE(isZip64 ? max32 : directoryBytes, 12)
  record.writeUInt32LE(isZip64 ? max32 : offset, 16)
  return isZip64 ? Buffer.concat([zip64EndRecords(end), record]) : record
}

function zip64EndRecords({ entries, offset, directoryBytes }: End): Buffer {
  const records = Buffer.alloc(zip64EndBytes)
  records.writeUInt32LE(0x06064b50, 0)
  // The size of this record without its first 12 bytes.
  records.writeBigUInt64LE(44n, 4)
  records.writeUInt16LE(zip64Version, 12)
  records.writeUInt16LE(zip64Version, 14)
  records.writeBigUInt64LE(BigInt(entries), 24)
  records.writeBigUInt64LE(BigInt(entries), 32)
  records.writeBigUInt64LE(BigInt(directoryBytes), 40)
  records.writeBigUInt64LE(BigInt(offset), 48)
  // The locator: where that record begins, on the only disk there is.
  records.writeUInt32LE(0x07064b50, 56)
  records.writeBigUInt64LE(BigInt(offset + directoryBytes), 64)
  records.writeUInt32LE(1, 72)
  return records
}
