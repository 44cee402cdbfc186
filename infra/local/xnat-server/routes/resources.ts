// Resources, XNAT's labelled catalogs of files (CatalogResourceList.java, CatalogResource.java).
import { readFile } from 'node:fs/promises'
import { categoryOf } from '../category.ts'
import { createdInList } from '../created-reply.ts'
import { readDocument } from '../document.ts'
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { requireAcceptable } from '../media-types.ts'
import { createResource } from '../new-resource.ts'
import { mayUse } from '../permissions.ts'
import type { Resource } from '../records.ts'
import { documentReply, emptyTextReply, type Reply } from '../reply.ts'
import { findResources, resolveForWrite } from '../resource-lookup.ts'
import { resourcePaths } from '../resource-paths.ts'
import { isAt, listedBelow } from '../resources-below.ts'
import { type Row, tableReply } from '../result-set.ts'
import { archiveRoutes } from '../router.ts'
import { countFiles } from '../store-upload.ts'
import { parentsOf, resolveTarget, type TargetParent } from '../target.ts'

export const resourceRoutes = resourcePaths.flatMap((path) => [
  ...archiveRoutes(`${path}/resources`, { GET: listResources, POST: createFromList }),
  ...archiveRoutes(`${path}/resources/{RESOURCE_ID}`, {
    GET: showCatalog,
    PUT: putResource,
    POST: putResource,
    DELETE: deleteResource,
  }),
])

const columns = [
  'xnat_abstractresource_id',
  'label',
  'element_name',
  'category',
  'cat_id',
  'cat_desc',
  'file_count',
  'file_size',
  'tags',
  'content',
  'format',
]

async function listResources(exchange: Exchange): Promise<Reply> {
  const target = resolveTarget(exchange)
  const parents = parentsOf(target)
  if (parents.length === 0) throw new HttpFailure(404)
  const { state } = exchange.xnat
  const resources = parents.flatMap(({ parent }) =>
    exchange.query.isTrue('all')
      ? listedBelow(state, parent)
      : state.resourcesOf(parent).filter((resource) => isAt(resource, parent)),
  )
  const rows = (await counted(exchange, resources)).map((resource) => listedResource(exchange, resource))
  return tableReply(exchange, rows, { columns, title: 'Resources' })
}

// XNAT: counts are those of the last upload that was counted, unless they are asked for anew (CatalogResourceList.java).
async function counted({ query, xnat }: Exchange, resources: readonly Resource[]): Promise<readonly Resource[]> {
  const isCached = query.isTrue('cache_file_stats')
  if (!isCached && !query.isTrue('file_stats')) return resources
  const { archive, state } = xnat
  return Promise.all(
    resources.map(async (resource) => {
      const { entries } = await archive.catalogs.read(archive.catalogOf(resource))
      const recounted = { ...resource, ...countFiles(entries) }
      return isCached ? state.resources.put(recounted) : recounted
    }),
  )
}

function listedResource(exchange: Exchange, resource: Resource): Row {
  return {
    xnat_abstractresource_id: resource.resourceId,
    label: resource.label,
    element_name: 'xnat:resourceCatalog',
    ...categoryOf(exchange.xnat, resource.parent),
    file_count: resource.fileCount,
    file_size: resource.fileSize,
    tags: resource.tags.join(','),
    content: resource.content,
    format: resource.format,
  }
}

async function createFromList(exchange: Exchange): Promise<Reply> {
  const { query } = exchange
  const { place } = resolveForWrite(exchange)
  requireMayEdit(exchange, place)
  const document = await readDocument(exchange)
  const label = query.get('label') ?? document?.values.get('label')
  if (label === undefined || label === '') throw new HttpFailure(417, 'Need POST Contents')
  if (findResources(exchange, [place], label).length > 0)
    throw new HttpFailure(409, 'Specified resource already exists.')
  const resource = createResource(exchange, place.parent, { label, ...describedBy(exchange) })
  return createdInList(exchange, resource.resourceId)
}

async function showCatalog(exchange: Exchange): Promise<Reply> {
  requireAcceptable(exchange, ['text/xml'])
  const parents = parentsOf(resolveTarget(exchange))
  const resource = findResources(exchange, parents, exchange.params['RESOURCE_ID'] ?? '')[0]
  if (resource === undefined) throw new HttpFailure(404, 'Unable to find the specified catalog.')
  const xml = await readFile(exchange.xnat.archive.catalogOf(resource), 'utf8')
  return documentReply('text/xml', xml)
}

function putResource(exchange: Exchange): Reply {
  const { rest, params } = exchange
  const { place, resource } = resolveForWrite(exchange)
  requireMayEdit(exchange, place)
  if (rest.replace(/\/$/, '') !== '') {
    throw new HttpFailure(400, 'This resource works at the catalog level only. Use the files resource to add files.')
  }
  if (resource !== undefined) throw new HttpFailure(409, 'Specified resource already exists.')
  // XNAT: "in" is not passed on when an assessor's resource is created by itself (CatalogResource.java).
  const parent = place.parent.direction === undefined ? place.parent : { ...place.parent, direction: 'out' as const }
  createResource(exchange, parent, { label: params['RESOURCE_ID'] ?? '', ...describedBy(exchange) })
  return emptyTextReply()
}

async function deleteResource(exchange: Exchange): Promise<Reply> {
  const { xnat, user } = exchange
  const { place, resource } = resolveForWrite(exchange)
  if (!mayUse(xnat.state, 'delete', user, place.securable)) {
    throw new HttpFailure(403, "User account doesn't have permission to modify this session.")
  }
  // XNAT: a label that is not there was deleted with success, and one that is there twice goes twice (CatalogResource.java).
  if (resource === undefined) return emptyTextReply()
  for (const doomed of findResources(exchange, [place], exchange.params['RESOURCE_ID'] ?? '')) {
    xnat.state.resources.delete(String(doomed.resourceId))
    await xnat.archive.discard(doomed)
  }
  return emptyTextReply()
}

function requireMayEdit({ xnat, user }: Exchange, place: TargetParent): void {
  if (!mayUse(xnat.state, 'edit', user, place.securable)) {
    throw new HttpFailure(403, "User account doesn't have permission to modify this session.")
  }
}

// XNAT: here a comma separates tags; on a file upload it does not (CatalogResource.java).
function describedBy({ query }: Exchange) {
  const tags = query.all('tags').flatMap((list) => list.split(','))
  return {
    description: query.get('description'),
    format: query.get('format'),
    content: query.get('content'),
    tags: tags.map((tag) => tag.trim().replace(':', '=')).filter((tag) => tag !== ''),
  }
}
