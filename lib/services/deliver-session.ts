// An order for a DICOM session -> an archived session in XNAT, proved by the number of its files.
import type { ObjectStore } from '../aws/objects.ts'
import {
  type DicomOverwrite,
  findSession,
  importSession,
  refuseWaiting,
  type SessionContents,
} from '../delivery/import-session.ts'
import { type Delivered, knownDelivery, leftToNewer } from '../delivery/known-delivery.ts'
import { StaleObject } from '../delivery/object-bodies.ts'
import type { SessionOrder } from '../delivery/order.ts'
import { type DeliveredFile, findReceipt, type Receipt, withReceipt } from '../delivery/receipt.ts'
import {
  findArrival,
  noteArrival,
  noteAttempt,
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
  /** The most that one run can send. No bound when left out. */
  maxBytes?: number
  now?: () => Date
}

export interface SessionTally {
  files: number
  bytes: number
  unchanged: number
  superseded: number
  /** Those whose number XNAT's catalog proves, sent or unchanged. */
  verified: number
}

/**
 * Imports the ordered DICOM as one session, and writes a receipt once XNAT lists as many DICOM files more as were sent:
 * all of a new session, and those that were there besides. With `replace` files of the same name become one; then it asks
 * for no fewer than sent and no fewer than before, which proves nothing: the receipt has no `verifiedBy`, and the objects
 * stay. Contents cannot be compared: XNAT may rewrite headers as it imports. Instances that were sent twice over are not
 * told from lost ones.
 *
 * Safe to repeat, also after dying between the import and its receipt: what was there before is noted first, and when
 * the files are found to have been added since, nothing is sent. Nor is it when another order brought the very objects
 * before; when others may have replaced their files since, the objects are left to those. An archive or marker that was overwritten or deleted
 * since its event is left to the newer event. When that befalls a loose file while it is read, no event may follow: the
 * error is one to try again after, and the next try lists the files anew.
 *
 * @throws {DeliveryError} OBJECT_TOO_LARGE for more bytes than one run can send; SESSION_EXISTS under `refuse`, before anything is sent; SESSION_INCOMPLETE when XNAT lists
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
    verified: files.filter(({ verifiedBy }) => verifiedBy !== undefined).length,
  }
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
  const arrival = found && findArrival(history, delivery, found)
  const known = found && arrival && knownDelivery(arrival, { order, source, earlier, found })
  if (known !== undefined) return known

  const own = history.attempt?.deliveryId === order.deliveryId ? history.attempt : undefined
  if (own !== undefined && found === undefined) await refuseWaiting(deps, target)
  // Of files that were changed since, only the older versions can have arrived.
  const attempt = own?.source === delivery.source ? own : undefined
  if (attempt !== undefined && found?.instances === attempt.instancesBefore + (await source.count())) {
    return arrived(deps, order, { source, found, history, isProved: true })
  }
  if (found !== undefined && deps.dicomOverwrite === 'refuse') {
    const code = attempt?.existedBefore === false ? 'SESSION_INCOMPLETE' : 'SESSION_EXISTS'
    throw new DeliveryError('the session is in the archive already', { code })
  }
  return importAnew(deps, order, { source, found, history })
}

async function importAnew(
  deps: DeliverSessionDeps,
  { deliveryId, target }: SessionOrder,
  { source, found, history }: { source: SessionSource; found: SessionContents | undefined; history: SessionHistory },
): Promise<Delivered> {
  const { maxBytes = Number.POSITIVE_INFINITY } = deps
  if (source.sizeBytes > maxBytes) {
    throw new DeliveryError('no run of the function could send so large a session', { code: 'OBJECT_TOO_LARGE' })
  }
  const delivery = { deliveryId, source: versionsDigest(source.versions) }
  const mayReplace = deps.dicomOverwrite === 'replace'
  const noted = await noteAttempt(deps, target, history, { delivery, found, mayReplace })
  const { experiment } = await importSession(deps, target, source, deps.dicomOverwrite)
  const after = await findSession(deps, { ...target, experiment })
  const [before, sent] = [found?.instances ?? 0, await source.count()]
  const isProved = after?.instances === before + sent
  // Same-named files that were replaced count as before, whether or not that came to pass.
  const isPlausible = mayReplace && after !== undefined && after.instances >= Math.max(before, sent)
  if (after !== undefined && (isProved || isPlausible)) {
    return arrived(deps, { deliveryId, target }, { source, found: after, history: noted, isProved })
  }
  throw new DeliveryError('XNAT lists fewer files than were sent', {
    code: 'SESSION_INCOMPLETE',
    context: { files: after?.instances ?? 0 },
  })
}

interface Arrived {
  source: SessionSource
  found: SessionContents
  history: SessionHistory
  isProved: boolean
}

async function arrived(
  deps: DeliverSessionDeps,
  { deliveryId, target }: Pick<SessionOrder, 'deliveryId' | 'target'>,
  { source, found, history, isProved }: Arrived,
): Promise<Delivered> {
  const { experimentId, scans, instances } = found
  const sentInstances = await source.count()
  const session = { sentInstances, scans, instances }
  const delivery = { deliveryId, source: versionsDigest(source.versions) }
  await noteArrival(deps, target, history, { ...delivery, experimentId, sentInstances, instances, isProved })
  const files = source.delivered()
  if (isProved) return { experimentId, files, session, versions: source.versions }
  return { experimentId, files: files.map(({ verifiedBy: _, ...file }) => file), session, versions: [] }
}
