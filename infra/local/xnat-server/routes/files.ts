// Files of a resource, or of all resources of a level: lists, single files, archives, deletion (FileList.java).
import { archiveReply } from '../archive-download.ts'
import type { CatalogEntry } from '../catalog-xml.ts'
import type { Exchange, Methods } from '../exchange.ts'
import { fileListReply, filesBase, type ListedFile } from '../file-listing.ts'
import { readPaths, storedPath } from '../file-path.ts'
import { fileReply } from '../file-reply.ts'
import { HttpFailure } from '../http-failure.ts'
import { requireAcceptable, wantedFormat } from '../media-types.ts'
import { mayUse } from '../permissions.ts'
import type { Resource } from '../records.ts'
import { emptyTextReply, type Reply } from '../reply.ts'
import { findResources, resolveForWrite } from '../resource-lookup.ts'
import { filePaths, resourcePaths } from '../resource-paths.ts'
import { isAt } from '../resources-below.ts'
import { archiveRoutes } from '../router.ts'
import { countFiles } from '../store-upload.ts'
import { parentsOf, resolveTarget, type Target } from '../target.ts'
import { refuseActions } from '../uncovered-options.ts'
import { findZipMember, listZipReply, zipMemberReply } from '../zip-members.ts'
import { uploadFiles } from './uploads.ts'

const methods: Methods = { GET: readFiles, PUT: uploadFiles, POST: uploadFiles, DELETE: deleteFiles }
export const fileRoutes = [
  ...resourcePaths.flatMap((path) => archiveRoutes(`${path}/resources/{RESOURCE_ID}/files`, methods)),
  ...filePaths.flatMap((path) => archiveRoutes(`${path}/files`, methods)),
]

interface Selection {
  target: Target
  resources: Resource[]
  /** XNAT treats one resource that was named differently from a search over several. */
  isSingle: boolean
}

async function readFiles(exchange: Exchange): Promise<Reply> {
  refuseActions(exchange, ['includeRootPath'])
  requireAcceptable(exchange, ['application/json', 'text/html', 'text/xml', 'image/jpeg'])
  const selection = select(exchange)
  const raw = exchange.rest.replace(/^\//, '')
  const files = filtered(exchange, await listedFiles(exchange, selection))
  if (exchange.query.has('index')) return pickByIndex(exchange, files)
  if (raw === '') return listOrArchive(exchange, selection, files)
  const names = readPaths(raw)
  const found = files.find(({ entry }) => names.includes(entry.path))
  if (found !== undefined) return singleFile(exchange, found)
  const member = findZipMember(raw, files)
  if (member !== undefined) return zipMemberReply(exchange, member)
  if (raw.endsWith('/')) return listOrArchive(exchange, selection, inFolder(exchange, files, names))
  if (raw.endsWith('*') && !selection.isSingle)
    return listOrArchive(
      exchange,
      selection,
      files.filter(({ entry }) => matchesGlob(entry.path, raw)),
    )
  throw notFound(exchange, selection)
}

function select(exchange: Exchange): Selection {
  const target = resolveTarget(exchange)
  const parents = parentsOf(target)
  const name = exchange.params['RESOURCE_ID']
  // XNAT: nothing resolved and no project to fall back to is a null pointer (FileList.java).
  if (parents.length === 0) throw new HttpFailure(500)
  if (name === undefined) {
    const all = parents.flatMap(({ parent }) =>
      exchange.xnat.state.resourcesOf(parent).filter((resource) => isAt(resource, parent)),
    )
    return { target, resources: all, isSingle: false }
  }
  const resources = findResources(exchange, parents, name)
  return { target, resources, isSingle: resources.length === 1 }
}

async function listedFiles(exchange: Exchange, { target, resources, isSingle }: Selection): Promise<ListedFile[]> {
  const { archive } = exchange.xnat
  const lists = await Promise.all(
    resources.map(async (resource) => {
      const { entries } = await archive.catalogs.read(archive.catalogOf(resource))
      const base = filesBase(exchange, isSingle ? target : undefined, resource)
      return [...entries.values()].map((entry) => ({ resource, entry, base }))
    }),
  )
  return lists.flat()
}

function filtered({ query }: Exchange, files: readonly ListedFile[]): ListedFile[] {
  const contents = query.all('file_content')
  const formats = query.all('file_format')
  return files.filter(({ entry }) => {
    const hasContent =
      contents.length === 0 || contents.some((content) => entry.content === (content === 'NULL' ? '' : content))
    // XNAT: NULL never matches a format, its condition is wrong (FileList.java buildFilter).
    const hasFormat = formats.length === 0 || formats.some((format) => format !== 'NULL' && entry.format === format)
    return hasContent && hasFormat
  })
}

function listOrArchive(
  exchange: Exchange,
  { resources, target }: Selection,
  files: readonly ListedFile[],
): Reply | Promise<Reply> {
  const format = wantedFormat(exchange)
  if (format === 'zip' || format === 'tar' || format === 'tar.gz') {
    if (resources.length === 0 || files.length === 0) throw new HttpFailure(404)
    return archiveReply(exchange, { target, files, format })
  }
  return fileListReply(exchange, files)
}

async function singleFile(exchange: Exchange, file: ListedFile): Promise<Reply> {
  if (exchange.query.isTrue('listContents') && /\.(zip|zar|jar)$/i.test(file.entry.path))
    return listZipReply(exchange, file)
  const format = wantedFormat(exchange)
  const isWrapped =
    (format === 'zip' || format === 'tar' || format === 'tar.gz') &&
    !file.entry.path.toLowerCase().endsWith(`.${format}`)
  if (isWrapped) return archiveReply(exchange, { target: resolveTarget(exchange), files: [file], format })
  return fileReply(exchange, file)
}

function pickByIndex(exchange: Exchange, files: readonly ListedFile[]): Reply | Promise<Reply> {
  const file = files[Number(exchange.query.get('index'))]
  if (file === undefined) throw new HttpFailure(404)
  return singleFile(exchange, file)
}

function inFolder({ query }: Exchange, files: readonly ListedFile[], names: readonly string[]): ListedFile[] {
  return files.filter(({ entry }) => {
    const folder = names.find((name) => entry.path.startsWith(name))
    if (folder === undefined) return false
    // XNAT: as coded, recursive=false keeps only what lies in deeper folders (FileList.java getFolderFilter).
    return !query.isFalse('recursive') || entry.path.slice(folder.length).includes('/')
  })
}

function matchesGlob(path: string, glob: string): boolean {
  return path.startsWith(storedPath(glob.slice(0, -1)))
}

function notFound({ query }: Exchange, { isSingle }: Selection): HttpFailure {
  const status = query.isTrue('accept-not-found') ? 204 : 404
  // XNAT: in one resource a missing file is answered without a body (FileList.java handleSingleCatalog).
  return isSingle || status === 204
    ? new HttpFailure(status, '', { voice: 'empty' })
    : new HttpFailure(404, 'Unable to find file.')
}

async function deleteFiles(exchange: Exchange): Promise<Reply> {
  const { xnat, user, query, rest } = exchange
  const { place, resource } = resolveForWrite(exchange)
  if (resource === undefined) throw new HttpFailure(400, 'Unable to determine resource, parent, or security.')
  if (!mayUse(xnat.state, 'delete', user, place.securable)) {
    throw new HttpFailure(403, "User account doesn't have permission to modify this session.")
  }
  const { archive, state } = xnat
  const catalog = await archive.catalogs.read(archive.catalogOf(resource))
  const doomed = entriesWithin(rest.replace(/^\//, ''), [...catalog.entries.values()])
  if (doomed.length === 0) {
    throw query.isTrue('accept-not-found')
      ? new HttpFailure(204, '', { voice: 'empty' })
      : new HttpFailure(404, 'No matched files')
  }
  const kept = new Map(catalog.entries)
  for (const { path } of doomed) kept.delete(path)
  await archive.catalogs.replace(catalog, kept)
  if (!query.isFalse('removeFiles')) for (const { path } of doomed) await archive.discardFile(resource, path)
  state.resources.put({ ...resource, ...countFiles(kept) })
  return emptyTextReply()
}

// XNAT: everything that *begins* with the path goes, so "a" takes "ab.dcm" along (CatalogUtils.java findCatEntriesWithinPath).
function entriesWithin(raw: string, entries: readonly CatalogEntry[]): CatalogEntry[] {
  const prefixes = readPaths(raw.replace(/\*$/, ''))
  return entries.filter(({ path }) => prefixes.some((prefix) => path.startsWith(prefix)))
}
