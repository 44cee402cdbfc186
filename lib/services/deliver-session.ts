// An order for a DICOM session -> an archived session in XNAT, proved by the number of its files.
import type { ObjectStore, ObjectVersion } from '../aws/objects.ts'
import {
  type DicomOverwrite,
  findSession,
  importSession,
  refuseWaiting,
  type SessionContents,
} from '../delivery/import-session.ts'
import { StaleObject } from '../delivery/object-bodies.ts'
import type { SessionOrder } from '../delivery/order.ts'
import {
  type DeliveredFile,
  type DeliveryOutcome,
  findReceipt,
  type Receipt,
  withReceipt,
} from '../delivery/receipt.ts'
import {
  findProof,
  noteAttempt,
  noteProof,
  type Proof,
  readHistory,
  type SessionHistory,
  versionsDigest,
} from '../delivery/session-history.ts'
import { openSource, type SessionSource } from '../delivery/session-source.ts'
import { type SourceAfterDelivery, settleSource } from '../delivery/settle-source.ts'
import { DeliveryError, StorageError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { findProject } from '../xnat/projects.ts'

export interface DeliverSessionDeps {
  xnat: XnatClient
  incoming: ObjectStore
  state: ObjectStore
  signal: AbortSignal
  dicomOverwrite: DicomOverwrite
  sourceAfterDelivery?: SourceAfterDelivery
  now?: () => Date
}

export interface SessionTally {
  files: number
  bytes: number
  unchanged: number
  superseded: number
}

/**
 * Imports the ordered DICOM as one session, and writes a receipt once XNAT lists as many DICOM files more as were sent:
 * all of a new session, and with `append` those that were there besides. With `replace` files of the same name become
 * one, so that there only no fewer than sent, and no fewer than before, can be asked for. Contents cannot be compared:
 * XNAT may rewrite headers as it imports. Instances that were sent twice over are not told from lost ones.
 *
 * Safe to repeat, also after dying between the import and its receipt: what was there before is noted first, and when
 * the files are found to have been added since, nothing is sent. Nor is it when another order brought the very objects
 * before; when others may have replaced their files since, the objects are left to those. An archive or marker that was overwritten or deleted
 * since its event is left to the newer event. When that befalls a loose file while it is read, no event may follow: the
 * error is one to try again after, and the next try lists the files anew.
 *
 * @throws {DeliveryError} SESSION_EXISTS under `refuse`, before anything is sent; SESSION_INCOMPLETE when XNAT lists
 * fewer files than were sent; PROJECT_NOT_FOUND; and those of `openSource` and `importSession`.
 */
export async function deliverSession(deps: DeliverSessionDeps, order: SessionOrder): Promise<SessionTally> {
  const { files, versions } = await withReceipt(deps, order, () => deliverOrLeave(deps, order))
  await settleSource(deps, versions)
  const stored = files.filter(({ outcome }) => outcome === 'stored')
  const count = (outcome: DeliveredFile['outcome']) => files.filter((file) => file.outcome === outcome).length
  return {
    files: stored.length,
    bytes: stored.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    unchanged: count('unchanged'),
    superseded: count('superseded'),
  }
}

interface Delivered extends DeliveryOutcome {
  /** The objects that are now proved to be in XNAT. */
  versions: readonly ObjectVersion[]
}

async function deliverOrLeave(deps: DeliverSessionDeps, order: SessionOrder): Promise<Delivered> {
  const receipt = await findReceipt(deps.state, order.deliveryId)
  const earlier = receipt?.outcome === 'verified' ? receipt : undefined
  try {
    const source = await openSource(deps, order)
    return await importOrFind(deps, order, { source, earlier })
  } catch (error) {
    if (!(error instanceof StaleObject)) throw error
    if (error.key !== order.keyPrefix + order.source.path) {
      throw new StorageError('a loose file was changed or deleted while it was read', {
        code: 'STORAGE_BUSY',
        cause: error,
      })
    }
    // It may have been ended by this very delivery, which then died.
    if (earlier !== undefined) return { ...earlier, versions: [] }
    return leftToNewer(order)
  }
}

async function importOrFind(
  deps: DeliverSessionDeps,
  order: SessionOrder,
  { source, earlier }: { source: SessionSource; earlier: Receipt | undefined },
): Promise<Delivered> {
  const { target } = order
  // XNAT: a project that it does not find is no error to the import, the files go where their headers point
  // (W/services/cache/UserProjectCache.java).
  const project = await findProject(deps.xnat, target.projectId, { signal: deps.signal })
  if (project === undefined) throw new DeliveryError('XNAT has no such project', { code: 'PROJECT_NOT_FOUND' })

  const found = await findSession(deps, target)
  const delivery = { deliveryId: order.deliveryId, source: versionsDigest(source.versions) }
  const history = await readHistory(deps, target)
  const proof = found && findProof(history, delivery, found)
  const known = found && proof && knownAs(proof, { order, source, earlier, found })
  if (known !== undefined) return known

  const own = history.attempt?.deliveryId === order.deliveryId ? history.attempt : undefined
  if (own !== undefined && found === undefined) await refuseWaiting(deps, target)
  // Of files that were changed since, only the older versions can have arrived.
  const attempt = own?.source === delivery.source ? own : undefined
  if (attempt !== undefined && found?.instances === attempt.instancesBefore + (await source.count())) {
    return proved(deps, order, { source, found, history })
  }
  if (found !== undefined && deps.dicomOverwrite === 'refuse') {
    const code = attempt?.existedBefore === false ? 'SESSION_INCOMPLETE' : 'SESSION_EXISTS'
    throw new DeliveryError('the session is in the archive already', { code })
  }
  const mayReplace = deps.dicomOverwrite === 'replace'
  const noted = await noteAttempt(deps, target, history, { delivery, found, mayReplace })
  const { experiment } = await importSession(deps, target, source, deps.dicomOverwrite)
  const after = await findSession(deps, { ...target, experiment })
  if (after === undefined || !(await hasAll(deps, source, { before: found?.instances ?? 0, after: after.instances }))) {
    throw new DeliveryError('XNAT lists fewer files than were sent', {
      code: 'SESSION_INCOMPLETE',
      context: { files: after?.instances ?? 0 },
    })
  }
  return proved(deps, order, { source, found: after, history: noted })
}

interface Known {
  order: SessionOrder
  source: SessionSource
  earlier: Receipt | undefined
  found: SessionContents
}

/** What needs no import, because it arrived before. */
function knownAs(proof: Proof, { order, source, earlier, found }: Known): Delivered | undefined {
  const { deliveryId } = order
  if (proof.replacedBy !== undefined) {
    // Ids fall as time goes on: objects that were put anew are to replace in their turn.
    return deliveryId > proof.replacedBy ? leftToNewer(order) : undefined
  }
  if (proof.deliveryId === deliveryId && earlier !== undefined) {
    return { ...earlier, versions: provedBy(earlier, source) }
  }
  if (proof.source !== versionsDigest(source.versions)) return undefined
  const outcome = proof.deliveryId === deliveryId ? 'stored' : 'unchanged'
  const { experimentId, scans, instances } = found
  return {
    experimentId,
    files: source.delivered().map((file) => ({ ...file, outcome })),
    session: { sentInstances: proof.sentInstances, scans, instances },
    versions: source.versions,
  }
}

function leftToNewer({ source: { path, sizeBytes } }: SessionOrder): Delivered {
  return { files: [{ path, sizeBytes, outcome: 'superseded' }], versions: [] }
}

/** Objects that were rewritten since the receipt are none of those that it vouches for. */
function provedBy({ files }: Receipt, { versions, closing }: SessionSource): ObjectVersion[] {
  const etags = new Set(files.map(({ etag }) => etag))
  return versions.filter((version) => version === closing || etags.has(version.etag))
}

async function hasAll(
  { dicomOverwrite }: DeliverSessionDeps,
  source: SessionSource,
  { before, after }: { before: number; after: number },
): Promise<boolean> {
  const sent = await source.count()
  return dicomOverwrite === 'replace' ? after >= Math.max(before, sent) : after === before + sent
}

interface Arrived {
  source: SessionSource
  found: SessionContents
  history: SessionHistory
}

async function proved(
  deps: DeliverSessionDeps,
  { deliveryId, target }: SessionOrder,
  { source, found, history }: Arrived,
): Promise<Delivered> {
  const { experimentId, scans, instances } = found
  const { versions } = source
  const sentInstances = await source.count()
  const proof = { deliveryId, source: versionsDigest(versions), experimentId, sentInstances, instances }
  await noteProof(deps, target, history, proof)
  return { experimentId, files: source.delivered(), session: { sentInstances, scans, instances }, versions }
}
