// Archives in memory.
import { buffer } from 'node:stream/consumers'
import { crc32 } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { fromBufferPromise } from 'yauzl'
import { ZipFile } from 'yazl'

export function tar(entries: Record<string, string>): Promise<Buffer> {
  const packing = pack()
  for (const [name, content] of Object.entries(entries)) packing.entry({ name }, content)
  packing.finalize()
  return buffer(packing)
}

export async function untar(body: Buffer): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const entries = extract()
  entries.end(body)
  for await (const entry of entries) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Buffer))
    found[entry.header.name] = Buffer.concat(chunks).toString()
  }
  return found
}

export function zip(entries: Record<string, string>): Promise<Buffer> {
  const packing = new ZipFile()
  for (const [name, content] of Object.entries(entries)) packing.addBuffer(Buffer.from(content), name)
  packing.end()
  return buffer(packing.outputStream)
}

export async function zipEntries(body: Buffer): Promise<{ name: string; method: number }[]> {
  const entries = []
  const archive = await fromBufferPromise(body)
  for await (const entry of archive.eachEntry()) entries.push({ name: entry.fileName, method: entry.compressionMethod })
  return entries
}

/** A stored member of a zip, whose header of 30 bytes may be spoiled; what programs for zips would not write. */
export function zipMember(name: string, body: Buffer, spoil: (header: Buffer) => void = () => undefined): Buffer {
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt32LE(crc32(body), 14)
  header.writeUInt32LE(body.length, 18)
  header.writeUInt32LE(body.length, 22)
  header.writeUInt16LE(Buffer.byteLength(name), 26)
  spoil(header)
  return Buffer.concat([header, Buffer.from(name), body])
}

/** The beginning of what stands at the end of a zip. */
export const zipEnd = Buffer.from('PK\u0005\u0006')
