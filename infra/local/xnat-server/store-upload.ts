// Storing what an upload carries: files to the disk, entries into the catalog, counts into the record.
import type { CatalogSnapshot } from './catalog.ts'
import { baseName, type CatalogEntry } from './catalog-xml.ts'
import type { Exchange } from './exchange.ts'
import { archiveKind, unpack } from './extract.ts'
import { isInside } from './file-path.ts'
import { HttpFailure } from './http-failure.ts'
import type { Resource } from './records.ts'
import { drain, exists, type StoredFile, storeStream } from './stored-file.ts'
import type { IncomingFile } from './upload-body.ts'

export interface UploadOptions {
  /** Path in the resource, from the URL; undefined when the files bring their own names. */
  path: string | undefined
  overwrite: boolean
  extract: boolean
  format: string | undefined
  content: string | undefined
  tags: readonly string[]
}

interface Upload {
  exchange: Exchange
  resource: Resource
  options: UploadOptions
  catalog: CatalogSnapshot
  stored: Map<string, StoredFile>
  duplicates: string[]
}

/**
 * Stores files in a resource and returns the paths that were there already and were left alone.
 *
 * The catalog is read before the first byte of a raw body and checked after the last one, as in XNAT: two uploads to
 * one resource that overlap cannot both succeed.
 */
export async function storeUpload(
  exchange: Exchange,
  resource: Resource,
  files: readonly IncomingFile[],
  options: UploadOptions,
): Promise<string[]> {
  const { catalogs } = exchange.xnat.archive
  const catalog = await catalogs.read(exchange.xnat.archive.catalogOf(resource))
  const upload: Upload = { exchange, resource, options, catalog, stored: new Map(), duplicates: [] }
  for (const file of files) await storeFile(upload, file)
  await catalogs.replace(catalog, catalogued(upload))
  return upload.duplicates
}

async function storeFile(upload: Upload, file: IncomingFile): Promise<void> {
  const { options, exchange } = upload
  // XNAT: a path in the URL names the file, whatever name the body brought (FileWriterWrapper.java).
  const name = options.path === undefined ? file.name : baseName(options.path)
  if (name === undefined || name === '') throw new HttpFailure(400, 'The uploaded file has no name.')
  const kind = options.extract ? archiveKind(name) : undefined
  if (kind === undefined) {
    await storeEntry(upload, options.path ?? name, file.open())
    return
  }
  const spoolPath = exchange.xnat.archive.spoolPath()
  await unpack({ kind, name, content: file.open(), spoolPath }, (path, content) => storeEntry(upload, path, content))
}

async function storeEntry(upload: Upload, path: string, content: AsyncIterable<unknown>): Promise<void> {
  const { archive } = upload.exchange.xnat
  if (!isInside(path)) throw new HttpFailure(500, 'The path leads out of the resource.')
  const place = archive.fileOf(upload.resource, path)
  const isPresent = exists(place)
  if (isPresent && path.endsWith('_catalog.xml')) throw new HttpFailure(500, `XNAT cannot catalog ${baseName(path)}`)
  if (isPresent && !upload.options.overwrite) {
    upload.duplicates.push(path)
    await drain(content)
    return
  }
  const isTruncated = upload.exchange.truncateStore
  upload.stored.set(path, await storeStream(content, { spoolPath: archive.spoolPath(), path: place, isTruncated }))
}

function catalogued({ exchange, options, catalog, stored }: Upload): Map<string, CatalogEntry> {
  const { state, now } = exchange.xnat
  const eventId = state.next('event')
  const entries = new Map(catalog.entries)
  for (const [path, { size, md5 }] of stored) {
    const before = catalog.entries.get(path)
    entries.set(path, {
      path,
      size,
      // XNAT: with checksums off a new entry has none, and an overwritten one keeps its stale one (CatalogUtils.java).
      digest: state.settings.checksums ? md5 : (before?.digest ?? ''),
      format: options.format ?? before?.format ?? '',
      content: options.content ?? before?.content ?? '',
      tags: [...new Set([...(before?.tags ?? []), ...options.tags])],
      createdBy: before?.createdBy ?? exchange.user?.username ?? 'guest',
      createdTime: before?.createdTime ?? now().toISOString().slice(0, -1),
      createdEventId: before?.createdEventId ?? eventId,
    })
  }
  return entries
}

export function countFiles(entries: ReadonlyMap<string, CatalogEntry>): { fileCount: number; fileSize: number } {
  let fileSize = 0
  for (const { size } of entries.values()) fileSize += size
  return { fileCount: entries.size, fileSize }
}
