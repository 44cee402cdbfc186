// Orders for a session that need no import.
import type { ObjectVersion } from '../aws/objects.ts'
import type { SessionContents } from './import-session.ts'
import type { SessionOrder } from './order.ts'
import type { DeliveryOutcome, Receipt } from './receipt.ts'
import { type Arrival, versionsDigest } from './session-history.ts'
import type { SessionSource } from './session-source.ts'

export interface Delivered extends DeliveryOutcome {
  /** The objects that are now proved to be in XNAT. */
  versions: readonly ObjectVersion[]
}

interface Known {
  order: SessionOrder
  source: SessionSource
  earlier: Receipt | undefined
  found: SessionContents
}

/**
 * The outcome of an order that needs no import, because what it brings arrived before, or was left to what may have
 * replaced it since; `undefined` when it is to be sent.
 */
export function knownDelivery(arrival: Arrival, { order, source, earlier, found }: Known): Delivered | undefined {
  const { deliveryId } = order
  if (arrival.replacedBy !== undefined) {
    // Ids fall as time goes on: objects that were put anew are to replace in their turn.
    return deliveryId > arrival.replacedBy ? leftToNewer(order) : undefined
  }
  if (!arrival.isProved) return undefined
  if (arrival.deliveryId === deliveryId && earlier !== undefined) {
    return { ...earlier, versions: provedBy(earlier, source) }
  }
  if (arrival.source !== versionsDigest(source.versions)) return undefined
  const outcome = arrival.deliveryId === deliveryId ? 'stored' : 'unchanged'
  const { experimentId, scans, instances } = found
  return {
    experimentId,
    files: source.delivered().map((file) => ({ ...file, outcome })),
    session: { sentInstances: arrival.sentInstances, scans, instances },
    versions: source.versions,
  }
}

/** For an object that a newer event answers for. */
export function leftToNewer({ source: { path, sizeBytes } }: SessionOrder): Delivered {
  return { files: [{ path, sizeBytes, outcome: 'superseded' }], versions: [] }
}

/** Objects that were rewritten since the receipt are none of those that it vouches for. */
function provedBy({ files }: Receipt, { versions, closing }: SessionSource): ObjectVersion[] {
  const etags = new Set(files.map(({ etag }) => etag))
  return versions.filter((version) => version === closing || etags.has(version.etag))
}
