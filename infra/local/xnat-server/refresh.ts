// Bringing a catalog in line with its folder (DefaultCatalogService.java refreshResourceCatalog).
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { CatalogEntry } from './catalog-xml.ts'
import type { Xnat } from './exchange.ts'
import { ifMissing } from './missing.ts'
import type { Resource } from './records.ts'
import { countFiles } from './store-upload.ts'
import { digestFile, exists } from './stored-file.ts'

export const refreshOperations = ['append', 'checksum', 'delete', 'populateStats'] as const
export type RefreshOperation = (typeof refreshOperations)[number]

export async function refreshResource(
  xnat: Xnat,
  resource: Resource,
  operations: ReadonlySet<RefreshOperation>,
): Promise<void> {
  const { archive, state } = xnat
  const catalog = await archive.catalogs.read(archive.catalogOf(resource))
  const entries = new Map(catalog.entries)
  if (operations.has('append')) await append(xnat, resource, entries)
  if (operations.has('delete')) await dropLost(xnat, resource, entries)
  if (operations.has('checksum')) await recompute(xnat, resource, entries)
  if (operations.size > (operations.has('populateStats') ? 1 : 0)) await archive.catalogs.replace(catalog, entries)
  if (operations.has('populateStats')) state.resources.put({ ...resource, ...countFiles(entries) })
}

async function append(xnat: Xnat, resource: Resource, entries: Map<string, CatalogEntry>): Promise<void> {
  const { archive, state, now } = xnat
  for (const path of await filesBelow(archive.folderOf(resource))) {
    if (entries.has(path)) continue
    const { size, md5 } = await digestFile(archive.fileOf(resource, path))
    entries.set(path, {
      path,
      size,
      digest: state.settings.checksums ? md5 : '',
      format: '',
      content: '',
      tags: [],
      createdBy: 'admin',
      createdTime: now().toISOString().slice(0, -1),
      createdEventId: state.next('event'),
    })
  }
}

async function dropLost({ archive }: Xnat, resource: Resource, entries: Map<string, CatalogEntry>): Promise<void> {
  for (const path of [...entries.keys()]) {
    if (!exists(archive.fileOf(resource, path))) entries.delete(path)
  }
}

async function recompute({ archive }: Xnat, resource: Resource, entries: Map<string, CatalogEntry>): Promise<void> {
  for (const [path, entry] of entries) {
    const file = await digestFile(archive.fileOf(resource, path)).catch(ifMissing(undefined))
    if (file !== undefined) entries.set(path, { ...entry, size: file.size, digest: file.md5 })
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  return found
    .filter((file) => file.isFile() && !file.name.endsWith('_catalog.xml') && !file.name.startsWith('.'))
    .map((file) => relative(folder, join(file.parentPath, file.name)))
    .toSorted()
}
