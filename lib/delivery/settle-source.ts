import type { ObjectStore, ObjectVersion } from '../aws/objects.ts'
import { mapInParts } from '../in-parts.ts'

/** What becomes of objects that were proved to be in XNAT. `tag` marks them for a lifecycle rule of the bucket. */
export type SourceAfterDelivery = 'keep' | 'delete' | 'tag'

export const deliveredTag = { name: 'xnat-conduit', value: 'delivered' }

const tagsAtATime = 16

/** Ends the objects as the setting says, each only while it is still the version that was delivered. */
export async function settleSource(
  deps: { incoming: ObjectStore; signal: AbortSignal; sourceAfterDelivery?: SourceAfterDelivery },
  delivered: readonly ObjectVersion[],
): Promise<void> {
  const { incoming, signal, sourceAfterDelivery = 'keep' } = deps
  if (sourceAfterDelivery === 'keep') return
  if (sourceAfterDelivery === 'delete') {
    await incoming.removeUnchanged(delivered, { signal })
    return
  }
  await mapInParts(delivered, (version) => incoming.tagUnchanged(version, deliveredTag, { signal }), tagsAtATime)
}
