// Takes a zip apart while it flows by, from its front (APPNOTE.TXT 6.3, 4.3 and 4.4). XNAT packs with
// java.util.zip.ZipOutputStream: sizes stand before stored bodies and behind deflated ones, and fields of 8 bytes take over
// where 4 are too few. The directory at the end is not trusted with anything: what a member holds is for the reader to prove.
import { crc32, createInflateRaw } from 'node:zlib'
import { ImagesError, type ImagesErrorCode } from '../errors.ts'
import { ChunkReader } from './chunk-reader.ts'

export interface ZipMember {
  /** As the zip has it, and no more to be trusted than whoever packed it. */
  name: string
  /** To be read to its end before the next member is asked for. */
  body: AsyncIterable<Buffer>
}

export interface UnzipLimits {
  /** All members, folders too. */
  members: number
  /** How many bytes a member of this name may unpack to; `undefined` when there is to be none of it. */
  sizeOf: (name: string) => number | undefined
}

/**
 * The files of a zip, one after the other, in constant memory. Folders are left out.
 *
 * @throws {ImagesError} ZIP_CUT_OFF when it ends too early, ZIP_TOO_LARGE beyond the limits: before a byte of what claims
 * too much is handed on; ZIP_NOT_READABLE for what is no zip, is encrypted, packed otherwise, or does not fit its checksum.
 */
export async function* unzip(source: AsyncIterable<Buffer>, limits: UnzipLimits): AsyncGenerator<ZipMember> {
  const reader = new ChunkReader(source)
  try {
    for (let members = 0; ; ) {
      const header = await nextHeader(reader)
      if (header === undefined) break
      members += 1
      if (members > limits.members) throw bad('ZIP_TOO_LARGE', 'it has too many members')
      if (header.name.endsWith('/') && !mayHoldBytes(header)) continue
      yield* member(reader, header, limits)
    }
    await drain(reader)
  } finally {
    await reader.end()
  }
}

const bad = (code: ImagesErrorCode & `ZIP_${string}`, what: string, cause?: unknown) =>
  new ImagesError(`The zip cannot be unpacked: ${what}`, { code, cause })

const cutOff = () => bad('ZIP_CUT_OFF', 'it ends too early')

interface MemberHeader {
  name: string
  isDeflated: boolean
  /** CRC and sizes stand behind the body. */
  hasDescriptor: boolean
  crc: number
  packedBytes: number
  sizeBytes: number
}

const mayHoldBytes = ({ hasDescriptor, packedBytes }: MemberHeader) => hasDescriptor || packedBytes > 0

const signatures = { member: 0x04034b50, descriptor: 0x08074b50 }
/** What follows the last member: the directory, or at once its end, plain or large. */
const directorySignatures: ReadonlySet<number> = new Set([0x02014b50, 0x06054b50, 0x06064b50])
const headerBytes = 26
const max32 = 0xffffffff

async function nextHeader(reader: ChunkReader): Promise<MemberHeader | undefined> {
  const signature = (await needed(reader, 4)).readUInt32LE(0)
  if (directorySignatures.has(signature)) return undefined
  if (signature !== signatures.member) throw bad('ZIP_NOT_READABLE', 'it is no zip')
  const fixed = await needed(reader, headerBytes)
  const [flags, method] = [fixed.readUInt16LE(2), fixed.readUInt16LE(4)]
  if ((flags & 1) === 1) throw bad('ZIP_NOT_READABLE', 'it is encrypted')
  if (method !== 0 && method !== 8) throw bad('ZIP_NOT_READABLE', 'it is packed by an unknown method')
  const [crc, packedBytes, sizeBytes] = [fixed.readUInt32LE(10), fixed.readUInt32LE(14), fixed.readUInt32LE(18)]
  const name = nameOf(await needed(reader, fixed.readUInt16LE(22)))
  const extra = await needed(reader, fixed.readUInt16LE(24))
  const sizes = largeSizes(extra, { packedBytes, sizeBytes })
  return { name, isDeflated: method === 8, hasDescriptor: (flags & 8) === 8, crc, ...sizes }
}

async function needed(reader: ChunkReader, bytes: number): Promise<Buffer> {
  const found = await reader.exactly(bytes)
  if (found === undefined) throw cutOff()
  return found
}

function nameOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw bad('ZIP_NOT_READABLE', 'a name is no text', cause)
  }
}

interface Sizes {
  packedBytes: number
  sizeBytes: number
}

/** The zip64 field holds those of the two that did not fit, the unpacked one first. */
function largeSizes(extra: Buffer, sizes: Sizes): Sizes {
  if (sizes.packedBytes !== max32 && sizes.sizeBytes !== max32) return sizes
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
    const numbers = Array.from({ length: Math.floor(field.length / 8) }, (_, n) => Number(field.readBigUInt64LE(8 * n)))
    const sizeBytes = sizes.sizeBytes === max32 ? numbers.shift() : sizes.sizeBytes
    const packedBytes = sizes.packedBytes === max32 ? numbers.shift() : sizes.packedBytes
    if (sizeBytes !== undefined && packedBytes !== undefined) return { packedBytes, sizeBytes }
  }
  return sizes
}

async function* member(reader: ChunkReader, header: MemberHeader, limits: UnzipLimits): AsyncGenerator<ZipMember> {
  const { name, isDeflated, hasDescriptor } = header
  const limit = limits.sizeOf(name) ?? -1
  const claimed = hasDescriptor ? 0 : header.sizeBytes
  if (claimed > limit) throw bad('ZIP_TOO_LARGE', 'it holds more than it should')
  if (!isDeflated && !hasDescriptor && header.packedBytes !== header.sizeBytes) {
    throw bad('ZIP_NOT_READABLE', 'two sizes of a stored member differ')
  }
  const seen = { crc: 0, packedBytes: 0, sizeBytes: 0 }
  // A stored body whose size stands behind it can be told from what follows only by knowing its size.
  const packed = isDeflated ? inflated(reader, seen) : stored(reader, hasDescriptor ? limit : header.sizeBytes, seen)
  let isRead = false
  async function* body(): AsyncGenerator<Buffer> {
    for await (const chunk of packed) {
      seen.sizeBytes += chunk.length
      if (seen.sizeBytes > limit) throw bad('ZIP_TOO_LARGE', 'a member unpacks to more than it should')
      seen.crc = crc32(chunk, seen.crc)
      yield chunk
    }
    if (hasDescriptor) await readDescriptor(reader, seen)
    else if (!isAsSaid(header, seen)) throw bad('ZIP_NOT_READABLE', 'a member is not what its header says')
    isRead = true
  }
  yield { name, body: body() }
  if (!isRead) throw new Error('a member of a zip was not read to its end')
}

type Seen = Sizes & { crc: number }

const isAsSaid = (said: Seen, seen: Seen) =>
  said.crc === seen.crc && said.sizeBytes === seen.sizeBytes && said.packedBytes === seen.packedBytes

async function* stored(reader: ChunkReader, sizeBytes: number, seen: Seen): AsyncGenerator<Buffer> {
  while (seen.packedBytes < sizeBytes) {
    const chunk = await reader.some(sizeBytes - seen.packedBytes)
    if (chunk === undefined) throw cutOff()
    seen.packedBytes += chunk.length
    yield chunk
  }
}

async function* inflated(reader: ChunkReader, seen: Seen): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw({ chunkSize: 64 * 1024 })
  const feeding = feed(reader, inflate)
  // Met at the end, or in place of the reader's own failure.
  feeding.catch((error: Error) => inflate.destroy(error))
  try {
    for await (const chunk of inflate) yield chunk
  } catch (cause) {
    throw cause instanceof ImagesError || !isZlibError(cause)
      ? cause
      : bad('ZIP_NOT_READABLE', 'a member is damaged', cause)
  } finally {
    inflate.destroy()
  }
  const { fed, last } = await feeding
  seen.packedBytes = inflate.bytesWritten
  reader.unread(last.subarray(last.length - (fed - inflate.bytesWritten)))
}

const isZlibError = (cause: unknown) => cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_')

type Inflate = ReturnType<typeof createInflateRaw>

/** Writes chunk by chunk until the deflated stream ends: then a part of the last one is left over, or all of it. */
async function feed(reader: ChunkReader, inflate: Inflate): Promise<{ fed: number; last: Buffer }> {
  for (let fed = 0; ; ) {
    const last = await reader.some()
    if (last === undefined) throw cutOff()
    fed += last.length
    await new Promise<void>((resolve) => inflate.write(last, () => resolve()))
    if (inflate.bytesWritten < fed || inflate.destroyed) return { fed, last }
  }
}

/** With its signature or without, with sizes of 4 bytes or of 8: of the four the one that fits what was seen. */
async function readDescriptor(reader: ChunkReader, seen: Seen): Promise<void> {
  const first = await needed(reader, 4)
  let crc = first
  if (first.readUInt32LE(0) === signatures.descriptor) {
    crc = await needed(reader, 4)
    if (seen.crc === signatures.descriptor && crc.readUInt32LE(0) !== seen.crc) {
      reader.unread(crc)
      crc = first
    }
  }
  // A directory follows in any case, so that there are as many bytes to look at.
  const sizes = await needed(reader, 16)
  const small = { packedBytes: sizes.readUInt32LE(0), sizeBytes: sizes.readUInt32LE(4) }
  const large = { packedBytes: Number(sizes.readBigUInt64LE(0)), sizeBytes: Number(sizes.readBigUInt64LE(8)) }
  const said = { crc: crc.readUInt32LE(0) }
  if (isAsSaid({ ...said, ...large }, seen)) return
  if (!isAsSaid({ ...said, ...small }, seen)) throw bad('ZIP_NOT_READABLE', 'a member is not what its descriptor says')
  reader.unread(sizes.subarray(8))
}

/** A directory takes no more: whatever else comes is left unread. */
const maxDirectoryBytes = 256 * 1024 ** 2

async function drain(reader: ChunkReader): Promise<void> {
  for (let bytes = 0; bytes < maxDirectoryBytes; ) {
    const chunk = await reader.some()
    if (chunk === undefined) return
    bytes += chunk.length
  }
}
