// A delivery order -> files in one XNAT resource, proved by reading its catalog back.
import type { ObjectStore } from '../aws/objects.ts'
import { openTarget, requireEditRight } from '../delivery/open-target.ts'
import type { DeliveryOrder, OrderedObject } from '../delivery/order.ts'
import { addMarks, readMarks, removeMarks } from '../delivery/overwrite-marks.ts'
import { type DeliveredFile, findReceipt, withReceipt } from '../delivery/receipt.ts'
import { sendFiles } from '../delivery/send-files.ts'
import { type SourceAfterDelivery, settleSource } from '../delivery/settle-source.ts'
import { findSuperseded } from '../delivery/superseded.ts'
import { DeliveryError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { type FileEntry, listFiles, type ResourceRef } from '../xnat/resources.ts'

export interface DeliverDeps {
  xnat: XnatClient
  incoming: ObjectStore
  state: ObjectStore
  signal: AbortSignal
  /** `keep` when left out. */
  sourceAfterDelivery?: SourceAfterDelivery
  /** The most that one run can send. No bound when left out. */
  maxBytes?: number
  now?: () => Date
}

export interface DeliveryTally {
  files: number
  bytes: number
  unchanged: number
  superseded: number
  /** Those that XNAT's catalog proves, sent or unchanged. */
  verified: number
  /** Those that XNAT listed as sent only after they were sent again. */
  healed: number
}

/**
 * Puts the ordered objects into their XNAT resource, and writes a receipt once XNAT's catalog shows each of them with
 * the right size and, where the site keeps checksums, the MD5 of what was read from S3.
 *
 * Safe to repeat: what is there and equal is left alone. An object that was overwritten or deleted since its event is
 * left to the newer event. What is missing on the way to the resource is created as `openTarget` says. Objects end as
 * `sourceAfterDelivery` says, those only that the receipt vouches for.
 *
 * @throws {DeliveryError} OBJECT_TOO_LARGE, before anything is asked of XNAT; NOT_VERIFIED when XNAT took the files and yet, after one more try, does not list them as
 * sent; and those of `openTarget`.
 */
export async function deliverFiles(deps: DeliverDeps, order: DeliveryOrder): Promise<DeliveryTally> {
  const { files, healed } = await withReceipt(deps, order, async () => {
    requireSendable(deps, order)
    const { ref, experimentId, isNew } = await openTarget(deps, order)
    const catalog: Catalog = isNew ? new Map() : await readCatalog(deps, ref)
    const { files, healed } = await deliverInto(deps, order, ref, catalog)
    return { experimentId, files: await withEarlierProof(deps.state, order.deliveryId, files), healed }
  })
  const inXnat = new Set(files.filter(({ outcome }) => outcome !== 'superseded').map(({ path }) => path))
  const delivered = order.objects.filter(({ path }) => inXnat.has(path))
  await settleSource(
    deps,
    delivered.map(({ path, etag }) => ({ key: order.keyPrefix + path, etag })),
  )
  return { ...tally(files), healed }
}

function requireSendable({ maxBytes = Number.POSITIVE_INFINITY }: DeliverDeps, { objects }: DeliveryOrder): void {
  if (objects.every(({ sizeBytes }) => sizeBytes <= maxBytes)) return
  throw new DeliveryError('no run of the function could send so large an object', { code: 'OBJECT_TOO_LARGE' })
}

/**
 * An object that is gone because it was proved and then removed, by a run of this order that died before it could say so,
 * keeps its proof.
 */
async function withEarlierProof(
  state: ObjectStore,
  deliveryId: string,
  files: DeliveredFile[],
): Promise<DeliveredFile[]> {
  if (!files.some(({ outcome }) => outcome === 'superseded')) return files
  const earlier = await findReceipt(state, deliveryId)
  if (earlier?.outcome !== 'verified') return files
  const proved = new Map(earlier.files.map((file) => [file.path, file]))
  return files.map((file) => (file.outcome === 'superseded' ? (proved.get(file.path) ?? file) : file))
}

/** How often what XNAT does not list as sent is sent again before the order is handed back. */
const healings = 3

async function deliverInto(
  deps: DeliverDeps,
  order: DeliveryOrder,
  ref: ResourceRef,
  catalogBefore: Catalog,
): Promise<{ files: DeliveredFile[]; healed: number }> {
  const done = new Map<string, DeliveredFile>()
  let catalog = catalogBefore
  await settleUnchanged(deps, order, catalog, done)
  await settleSuperseded(deps, order, suspects(order, catalog, done), done)
  const overwritten = new Set<string>()

  let failures = 0
  const doubted = new Set<string>()
  for (;;) {
    const pending = order.objects.filter(({ path }) => !done.has(path))
    if (pending.length === 0) break
    const sending = oneSending(pending)
    await markOverwrites(deps, order, sending, { catalog, overwritten })
    const outcome = await sendFiles(deps, ref, { keyPrefix: order.keyPrefix, objects: sending })
    if (outcome.kind === 'stale') {
      // One was found stale; where one was rewritten, others often were.
      settleAsSuperseded(pending, new Set([outcome.path]), done)
      await settleSuperseded(deps, order, pending, done)
      continue
    }
    const before = catalog
    catalog = await readCatalog(deps, ref)
    settleStored(sending, { before, after: catalog }, outcome, done)
    if (sending.every(({ path }) => done.has(path))) continue
    for (const { path } of sending) if (!done.has(path)) doubted.add(path)
    failures += 1
    // XNAT: without the right to edit it answers 200 and stores nothing, however often it is asked (RES/files/FileList.java).
    const isAsIfRefused = outcome.kind === 'sent' && sending.every(({ path }) => !done.has(path))
    if (isAsIfRefused && failures === 1) await requireEditRight(deps, ref)
    if (failures <= healings) continue
    throw outcome.kind === 'unsure' ? outcome.error : notVerified()
  }
  const stored = [...done.values()].filter((file) => file.outcome === 'stored' && overwritten.has(file.path))
  if (stored.length > 0) await removeMarks(deps, order.target, new Set(stored.map(({ path }) => path)))
  const healed = [...doubted].filter((path) => done.get(path)?.outcome === 'stored').length
  return { files: order.objects.flatMap(({ path }) => done.get(path) ?? []), healed }
}

const notVerified = () => new DeliveryError('XNAT does not list the files as they were sent', { code: 'NOT_VERIFIED' })

/**
 * Objects whose event may be late, to be looked at before anything is sent: a stale one among many breaks off the
 * sending that it is found in, and one in place of a file that XNAT lists may be the older of the two.
 */
function suspects(
  { objects }: DeliveryOrder,
  catalog: Catalog,
  done: ReadonlyMap<string, DeliveredFile>,
): readonly OrderedObject[] {
  const pending = objects.filter(({ path }) => !done.has(path))
  return pending.length > 1 ? pending : pending.filter(({ path }) => catalog.has(path))
}

/** After so many bytes the files are proved before the next are sent: what a later break takes back is no more than this. */
const maxSendingBytes = 1024 ** 3

function oneSending(pending: readonly OrderedObject[]): readonly OrderedObject[] {
  let bytes = 0
  const end = pending.findIndex(({ sizeBytes }, index) => {
    bytes += sizeBytes
    return index > 0 && bytes > maxSendingBytes
  })
  return end < 0 ? pending : pending.slice(0, end)
}

/** Marks those of these objects that are about to be written over files that XNAT lists. */
async function markOverwrites(
  deps: DeliverDeps,
  order: DeliveryOrder,
  objects: readonly OrderedObject[],
  { catalog, overwritten }: { catalog: Catalog; overwritten: Set<string> },
): Promise<void> {
  const listed = objects.map(({ path }) => path).filter((path) => catalog.has(path) && !overwritten.has(path))
  if (listed.length === 0) return
  await addMarks(deps, order.target, new Set(listed))
  for (const path of listed) overwritten.add(path)
}

async function settleSuperseded(
  deps: DeliverDeps,
  { keyPrefix }: DeliveryOrder,
  objects: readonly OrderedObject[],
  done: Map<string, DeliveredFile>,
): Promise<void> {
  settleAsSuperseded(objects, await findSuperseded(deps, keyPrefix, objects), done)
}

function settleAsSuperseded(
  objects: readonly OrderedObject[],
  superseded: ReadonlySet<string>,
  done: Map<string, DeliveredFile>,
): void {
  for (const { path, sizeBytes } of objects) {
    if (superseded.has(path)) done.set(path, { path, sizeBytes, outcome: 'superseded' })
  }
}

type Catalog = ReadonlyMap<string, FileEntry>

async function readCatalog({ xnat, signal }: DeliverDeps, ref: ResourceRef): Promise<Catalog> {
  const entries = await listFiles(xnat, ref, { signal })
  return new Map(entries.map((entry) => [entry.path, entry]))
}

/** S3: the ETag of an object put in one part, without KMS, is its MD5. Any other ETag equals no digest. */
async function settleUnchanged(
  deps: DeliverDeps,
  { objects, target }: DeliveryOrder,
  catalog: Catalog,
  done: Map<string, DeliveredFile>,
): Promise<void> {
  const equal = objects.filter(({ path, sizeBytes, etag }) => {
    const entry = catalog.get(path)
    return entry?.sizeBytes === sizeBytes && entry.md5 === etag
  })
  if (equal.length === 0) return
  const marked = await readMarks(deps, target)
  for (const { path, sizeBytes, etag } of equal) {
    if (marked.has(path)) continue
    done.set(path, { path, sizeBytes, md5: etag, outcome: 'unchanged', verifiedBy: 'md5' })
  }
}

/**
 * Settles what the catalog shows as it was sent. After a sending that did not end well, an entry that was the same
 * before it proves nothing: the file may have been cut, and its entry be left from an earlier time.
 */
function settleStored(
  sent: readonly OrderedObject[],
  catalog: { before: Catalog; after: Catalog },
  outcome: { kind: 'sent' | 'unsure'; md5s: ReadonlyMap<string, string> },
  done: Map<string, DeliveredFile>,
): void {
  for (const { path, sizeBytes } of sent) {
    const entry = catalog.after.get(path)
    const md5 = outcome.md5s.get(path)
    const earlier = catalog.before.get(path)
    if (outcome.kind === 'unsure' && earlier?.sizeBytes === entry?.sizeBytes && earlier?.md5 === entry?.md5) continue
    if (md5 === undefined || entry?.sizeBytes !== sizeBytes) continue
    // Where the site keeps no checksums, size alone convinces only after a sending that XNAT called well.
    const isProved = entry.md5 === undefined ? outcome.kind === 'sent' : entry.md5 === md5
    if (isProved) {
      done.set(path, { path, sizeBytes, md5, outcome: 'stored', verifiedBy: entry.md5 === undefined ? 'size' : 'md5' })
    }
  }
}

function tally(files: readonly DeliveredFile[]): Omit<DeliveryTally, 'healed'> {
  const count = (outcome: DeliveredFile['outcome']) => files.filter((file) => file.outcome === outcome).length
  return {
    files: files.length,
    bytes: files.reduce((sum, { sizeBytes, outcome }) => sum + (outcome === 'stored' ? sizeBytes : 0), 0),
    unchanged: count('unchanged'),
    superseded: count('superseded'),
    verified: files.filter(({ verifiedBy }) => verifiedBy !== undefined).length,
  }
}
