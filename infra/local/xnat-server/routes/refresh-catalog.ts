// POST /services/refresh/catalog (RefreshCatalog.java).
import type { Exchange } from '../exchange.ts'
import { HttpFailure, notCovered } from '../http-failure.ts'
import { mayUse, securableOf } from '../permissions.ts'
import type { Resource } from '../records.ts'
import { type RefreshOperation, refreshOperations, refreshResource } from '../refresh.ts'
import { emptyTextReply, type Reply } from '../reply.ts'
import { findResources } from '../resource-lookup.ts'
import { resourcePaths } from '../resource-paths.ts'
import { listedBelow } from '../resources-below.ts'
import { archiveRoutes, type Route, Router } from '../router.ts'
import { parentsOf, resolveTarget } from '../target.ts'
import { mediaType } from '../upload-body.ts'

export const refreshRoutes: Route[] = [{ template: '/services/refresh/catalog', methods: { POST: refreshCatalogs } }]

const noMethods = {}
const archivePaths = new Router(
  resourcePaths.flatMap((path) => [
    ...archiveRoutes(path, noMethods),
    ...archiveRoutes(`${path}/resources/{RESOURCE_ID}`, noMethods),
  ]),
)

async function refreshCatalogs(exchange: Exchange): Promise<Reply> {
  const { query, request } = exchange
  // XNAT: of bodies only multipart forms are looked at (RefreshCatalog.java handlePost).
  if (mediaType(request) === 'multipart/form-data') throw notCovered(exchange.method, `${exchange.rawPath} with a form`)
  await refreshAt(exchange, query.all('resource'), askedOperations(exchange))
  return emptyTextReply()
}

export async function refreshAt(
  exchange: Exchange,
  uris: readonly string[],
  operations: ReadonlySet<RefreshOperation>,
): Promise<void> {
  const { user, xnat } = exchange
  for (const uri of uris) {
    for (const resource of resourcesAt(exchange, uri)) {
      const securable = securableOf(xnat.state, resource)
      if (securable === undefined || !mayUse(xnat.state, 'edit', user, securable)) throw new HttpFailure(403)
      await refreshResource(xnat, resource, operations)
    }
  }
}

// XNAT: named in `options`, or each as a flag of its own; none at all means all (DefaultCatalogService.java getOperations).
function askedOperations({ query }: Exchange): ReadonlySet<RefreshOperation> {
  const named = query.all('options').flatMap((options) => options.split(','))
  const asked = refreshOperations.filter((operation) => named.includes(operation) || query.isTrue(operation))
  return new Set(asked.length === 0 ? refreshOperations : asked)
}

/** @throws {HttpFailure} 400 for a path that names nothing in the archive. */
function resourcesAt(exchange: Exchange, uri: string): Resource[] {
  const match = archivePaths.match(uri.replace(/^\/(data|REST)(?=\/)/, ''))
  if (match === undefined || match.rest.replace(/\/$/, '') !== '') throw badUri(uri)
  // Read as a write would be: a part that does not resolve must not widen the refresh to the level above.
  const parents = parentsOf(resolveOr400({ ...exchange, method: 'PUT', params: match.params }, uri))
  const name = match.params['RESOURCE_ID']
  if (name === undefined) return parents.flatMap((place) => listedBelow(exchange.xnat.state, place.parent))
  const found = findResources(exchange, parents, name)
  if (found.length === 0) throw badUri(uri)
  return found
}

function resolveOr400(exchange: Exchange, uri: string) {
  try {
    return resolveTarget(exchange)
  } catch (error) {
    throw error instanceof HttpFailure && error.status === 404 ? badUri(uri, error) : error
  }
}

function badUri(uri: string, cause?: HttpFailure): HttpFailure {
  return new HttpFailure(400, `Invalid Resource URI:${uri}`, { cause })
}
