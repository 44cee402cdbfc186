import type { Exchange, Xnat } from './exchange.ts'
import type { Resource, ResourceParent } from './records.ts'

interface Described {
  label: string
  description?: string | undefined
  format?: string | undefined
  content?: string | undefined
  tags?: readonly string[]
}

/** Creates a resource: its record and an empty catalog, in place of any that was left in its folder. */
export function createResource({ xnat }: Exchange, parent: ResourceParent, described: Described): Resource {
  const resource = addResource(xnat, draftResource(xnat, parent, described))
  xnat.archive.catalogs.create(xnat.archive.catalogOf(resource))
  return resource
}

/** A resource that is in no list yet. */
export function draftResource({ state, archive }: Xnat, parent: ResourceParent, described: Described): Resource {
  const { label, description = '', format = '', content = '', tags = [] } = described
  return {
    resourceId: state.next('resource'),
    label,
    parent,
    folder: archive.folderFor(state, { label, parent }),
    description,
    format,
    content,
    tags: [...tags],
    fileCount: 0,
    fileSize: 0,
  }
}

export function addResource({ state }: Xnat, draft: Resource): Resource {
  return state.resources.put({
    ...draft,
    content: draft.content === '' ? defaultContent({ state }, draft) : draft.content,
  })
}

// XNAT: the first resource of a scan that has a type is taken for its raw data (DirectScanResourceImpl.java addResource).
function defaultContent({ state }: Pick<Xnat, 'state'>, { parent }: Resource): string {
  if (parent.level !== 'scan' || state.resourcesOf(parent).length > 0) return ''
  return state.scans.get(parent.id)?.fields['type'] === undefined ? '' : 'RAW'
}
