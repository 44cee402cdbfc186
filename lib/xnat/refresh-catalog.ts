import type { CallOptions, Query } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'
import { archiveUri } from './resource-path.ts'
import type { ResourceRef } from './resources.ts'

export interface RefreshOptions extends CallOptions {
  /** Take up files that lie in the folder but not in the catalog. */
  append?: boolean
  /** Drop entries without a file. */
  delete?: boolean
  /** Compute missing digests. */
  checksum?: boolean
  /** Recount files and bytes, as after uploads with `updateStats: false`. */
  populateStats?: boolean
}

/** Has XNAT compare the catalog of a resource with its folder; without a choice it does all four. */
export async function refreshCatalog(
  client: XnatClient,
  ref: ResourceRef,
  { signal, ...chosen }: RefreshOptions = {},
): Promise<void> {
  const all = ['append', 'delete', 'checksum', 'populateStats'] as const
  const some = all.filter((each) => chosen[each] === true)
  const query: Query = { resource: archiveUri(ref), options: (some.length === 0 ? all : some).join(',') }
  const path = xnatPath`/data/services/refresh/catalog`
  await client.send({ method: 'POST', path, query, idempotent: true, isSlow: true, signal })
}
