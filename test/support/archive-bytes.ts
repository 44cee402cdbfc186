// Archives in memory.
import { buffer } from 'node:stream/consumers'
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
