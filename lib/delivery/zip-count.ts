// Counts the files of a zip by its central directory (APPNOTE.TXT 6.3, 4.3 and 4.4), which lies at its end. While a zip
// streams by they cannot be counted: a file's size may stand behind its bytes.
import type { Readable } from 'node:stream'
import { archiveFormatOf } from './object-key.ts'
import { type FileCount, unreadable } from './tar-count.ts'

/** Opens bytes of the archive, both ends included. */
export type OpenRange = (range: { first: number; last: number }) => Promise<Readable>

/**
 * @throws {DeliveryError} ARCHIVE_NOT_READABLE for what is no whole zip, is encrypted, or holds another archive, whose
 * files are not counted.
 */
export async function countZip(openRange: OpenRange, sizeBytes: number): Promise<FileCount> {
  const directory = await findDirectory(openRange, sizeBytes)
  if (directory.sizeBytes === 0) return { files: 0 }
  const { offset } = directory
  const body = await openRange({ first: offset, last: offset + directory.sizeBytes - 1 })
  let [files, members] = [0, 0]
  for await (const { name, isEncrypted } of membersOf(body)) {
    members += 1
    if (isEncrypted) throw unreadable('it is encrypted')
    // XNAT: opens archives in archives (W/archive/DicomZipImporter.java).
    if (archiveFormatOf(name) !== undefined) throw unreadable('it holds another archive')
    if (!name.endsWith('/')) files += 1
  }
  if (members !== directory.members) throw unreadable('its directory is not whole')
  return { files }
}

interface Directory {
  offset: number
  sizeBytes: number
  members: number
}

const endBytes = 22
const maxCommentBytes = 0xffff
const locatorBytes = 20
const zip64EndBytes = 56

async function findDirectory(openRange: OpenRange, sizeBytes: number): Promise<Directory> {
  const tailBytes = Math.min(sizeBytes, endBytes + maxCommentBytes + locatorBytes)
  if (tailBytes < endBytes) throw unreadable('it is no zip')
  const tail = await bytesOf(await openRange({ first: sizeBytes - tailBytes, last: sizeBytes - 1 }))
  const at = endAt(tail)
  const plain = {
    members: tail.readUInt16LE(at + 10),
    sizeBytes: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  }
  const isZip64 = plain.members === 0xffff || plain.sizeBytes === 0xffffffff || plain.offset === 0xffffffff
  const directory = isZip64 ? await zip64Directory(openRange, { tail, endAt: at, sizeBytes }) : plain
  if (directory.offset + directory.sizeBytes > sizeBytes) throw unreadable('its directory is not whole')
  return directory
}

function endAt(tail: Buffer): number {
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) === 0x06054b50 && at + endBytes + tail.readUInt16LE(at + 20) === tail.length) return at
  }
  throw unreadable('it is no zip')
}

async function zip64Directory(
  openRange: OpenRange,
  { tail, endAt, sizeBytes }: { tail: Buffer; endAt: number; sizeBytes: number },
): Promise<Directory> {
  const locatorAt = endAt - locatorBytes
  if (locatorAt < 0 || tail.readUInt32LE(locatorAt) !== 0x07064b50) throw unreadable('its directory is not whole')
  const first = Number(tail.readBigUInt64LE(locatorAt + 8))
  if (first + zip64EndBytes > sizeBytes) throw unreadable('its directory is not whole')
  const end = await bytesOf(await openRange({ first, last: first + zip64EndBytes - 1 }))
  if (end.length < zip64EndBytes || end.readUInt32LE(0) !== 0x06064b50) throw unreadable('its directory is not whole')
  return {
    members: Number(end.readBigUInt64LE(32)),
    sizeBytes: Number(end.readBigUInt64LE(40)),
    offset: Number(end.readBigUInt64LE(48)),
  }
}

const headerBytes = 46

async function* membersOf(body: Readable): AsyncGenerator<{ name: string; isEncrypted: boolean }> {
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of body) {
    held = Buffer.concat([held, chunk])
    let start = 0
    while (held.length - start >= headerBytes) {
      if (held.readUInt32LE(start) !== 0x02014b50) throw unreadable('its directory is not whole')
      const nameBytes = held.readUInt16LE(start + 28)
      const length = headerBytes + nameBytes + held.readUInt16LE(start + 30) + held.readUInt16LE(start + 32)
      if (held.length - start < length) break
      const name = held.subarray(start + headerBytes, start + headerBytes + nameBytes).toString()
      yield { name, isEncrypted: (held.readUInt16LE(start + 8) & 1) === 1 }
      start += length
    }
    held = held.subarray(start)
  }
  if (held.length > 0) throw unreadable('its directory is not whole')
}

async function bytesOf(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}
