import type { Exchange } from './exchange.ts'
import { HttpFailure } from './http-failure.ts'
import { mayUse, securableOf } from './permissions.ts'
import type { Resource } from './records.ts'
import { isAt } from './resources-below.ts'
import { parentsOf, resolveTarget, type Target, type TargetParent } from './target.ts'

/**
 * The resources a path's `{R}` means below some parents: labels, several of them behind commas, or a numeric id.
 *
 * XNAT: a segment of digits is always an id, never a label (XNATCatalogTemplate.java).
 *
 * @throws {HttpFailure} 404 for an id that is unknown or may not be read.
 */
export function findResources(exchange: Exchange, parents: readonly TargetParent[], name: string): Resource[] {
  const { state } = exchange.xnat
  if (name.includes("'")) throw new HttpFailure(400)
  return name.split(',').flatMap((part) => {
    if (/^\d+$/.test(part)) return [requireById(exchange, part)]
    return parents.flatMap(({ parent }) =>
      state.resourcesOf(parent).filter((resource) => isAt(resource, parent) && resource.label === part),
    )
  })
}

/** The parents of a write, and the one resource it names, if that exists. */
export function resolveForWrite(exchange: Exchange): {
  target: Target
  place: TargetParent
  resource: Resource | undefined
} {
  const target = resolveTarget(exchange)
  const place = parentsOf(target)[0]
  if (place === undefined) throw new HttpFailure(404)
  const name = exchange.params['RESOURCE_ID']
  return { target, place, resource: name === undefined ? undefined : findResources(exchange, [place], name)[0] }
}

function requireById({ xnat, user }: Exchange, id: string): Resource {
  const resource = xnat.state.resources.get(id)
  const securable = resource && securableOf(xnat.state, resource)
  if (resource === undefined || securable === undefined || !mayUse(xnat.state, 'read', user, securable))
    throw new HttpFailure(404)
  return resource
}
