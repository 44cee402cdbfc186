// Files inside a stored zip: `files/x.zip!/inner`, `files/x.zip/inner`, `?listContents=true` (FileList.java).
import { type Entry, openPromise as openZip, type ZipFile } from 'yauzl'
import type { Exchange } from './exchange.ts'
import { zipOptions } from './extract.ts'
import type { ListedFile } from './file-listing.ts'
import { readPaths } from './file-path.ts'
import { HttpFailure } from './http-failure.ts'
import type { Reply } from './reply.ts'
import { tableReply } from './result-set.ts'

export interface ZipMember {
  file: ListedFile
  name: string
}

export function findZipMember(raw: string, files: readonly ListedFile[]): ZipMember | undefined {
  const parts = /^(.*?\.(?:zip|jar|rar|ear|gar|xar))(?:!\/|!|\/)(.+)$/i.exec(raw)
  if (parts?.[1] === undefined || parts[2] === undefined) return undefined
  const names = readPaths(parts[1])
  const file = files.find(({ entry }) => names.includes(entry.path))
  return file && { file, name: decodeURIComponent(parts[2]) }
}

export async function zipMemberReply(exchange: Exchange, { file, name }: ZipMember): Promise<Reply> {
  const zip = await openStored(exchange, file)
  const entry = await findEntry(zip, name)
  if (entry === undefined) {
    zip.close()
    throw new HttpFailure(404, '', { voice: 'empty' })
  }
  const content = await zip.openReadStreamPromise(entry)
  content.once('close', () => zip.close())
  return {
    status: 200,
    headers: { 'Content-Type': 'application/octet-stream' },
    body: () => content,
  }
}

export async function listZipReply(exchange: Exchange, file: ListedFile): Promise<Reply> {
  const zip = await openStored(exchange, file)
  const rows = []
  for await (const entry of zip.eachEntry()) rows.push({ 'File Name': entry.fileName, Size: entry.uncompressedSize })
  zip.close()
  return tableReply(exchange, rows, { columns: ['File Name', 'Size'] })
}

async function findEntry(zip: ZipFile, name: string): Promise<Entry | undefined> {
  for await (const entry of zip.eachEntry()) if (entry.fileName === name) return entry
  return undefined
}

/** @throws {HttpFailure} 415 when the file is no zip, whatever its name says. */
function openStored({ xnat }: Exchange, { resource, entry }: ListedFile): Promise<ZipFile> {
  return openZip(xnat.archive.fileOf(resource, entry.path), zipOptions).catch((cause: Error) => {
    throw new HttpFailure(415, cause.message, { cause })
  })
}
