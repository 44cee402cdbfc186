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
import { type DeliveryOutcome, findReceipt, type Receipt, withReceipt } from '../delivery/receipt.ts'
import { findAttempt, noteAttempt, versionsDigest } from '../delivery/session-attempt.ts'
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
  superseded: number
}

/**
 * Imports the ordered DICOM as one session, and writes a receipt once XNAT lists as many DICOM files more as were sent:
 * all of a new session, and with `append` those that were there besides. With `replace` files of the same name become
 * one, so that there only no fewer than sent, and no fewer than before, can be asked for. Contents cannot be compared:
 * XNAT may rewrite headers as it imports. Instances that were sent twice over are not told from lost ones.
 *
 * Safe to repeat, also after dying between the import and its receipt: what was there before is noted first, and when
 * the files are found to have been added since, nothing is sent. An archive or marker that was overwritten or deleted
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
  return {
    files: stored.length,
    bytes: stored.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    superseded: files.length - stored.length,
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
    const { path, sizeBytes } = order.source
    return { files: [{ path, sizeBytes, outcome: 'superseded' }], versions: [] }
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
  if (found !== undefined && earlier?.session?.instances === found.instances) {
    return { ...earlier, versions: provedBy(earlier, source) }
  }
  const stored = await findAttempt(deps, target)
  const ordered = { deliveryId: order.deliveryId, source: versionsDigest(source.versions) }
  const own = stored.attempt?.deliveryId === ordered.deliveryId ? stored.attempt : undefined
  if (own !== undefined && found === undefined) await refuseWaiting(deps, target)
  // Of files that were changed since, only the older versions can have arrived.
  const attempt = own?.source === ordered.source ? own : undefined
  if (attempt !== undefined && found?.instances === attempt.instancesBefore + (await source.count())) {
    return outcomeOf(source, found)
  }
  if (found !== undefined && deps.dicomOverwrite === 'refuse') {
    const code = attempt?.existedBefore === false ? 'SESSION_INCOMPLETE' : 'SESSION_EXISTS'
    throw new DeliveryError('the session is in the archive already', { code })
  }
  const before = { existedBefore: found !== undefined, instancesBefore: found?.instances ?? 0 }
  await noteAttempt(deps, target, { attempt: { ...ordered, ...before }, earlier: stored })
  const { experiment } = await importSession(deps, target, source, deps.dicomOverwrite)
  const after = await findSession(deps, { ...target, experiment })
  if (
    after === undefined ||
    !(await hasAll(deps, source, { before: before.instancesBefore, after: after.instances }))
  ) {
    throw new DeliveryError('XNAT lists fewer files than were sent', {
      code: 'SESSION_INCOMPLETE',
      context: { files: after?.instances ?? 0 },
    })
  }
  return outcomeOf(source, after)
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

async function outcomeOf(source: SessionSource, found: SessionContents): Promise<Delivered> {
  const { experimentId, scans, instances } = found
  const session = { sentInstances: await source.count(), scans, instances }
  return { experimentId, files: source.delivered(), session, versions: source.versions }
}
