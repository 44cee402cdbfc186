// A delivery order -> files in one XNAT resource, proved by reading its catalog back.
import type { ObjectStore } from '../aws/objects.ts'
import { openTarget } from '../delivery/open-target.ts'
import type { DeliveryOrder, OrderedObject } from '../delivery/order.ts'
import { type DeliveredFile, type Receipt, writeReceipt } from '../delivery/receipt.ts'
import { sendFiles } from '../delivery/send-files.ts'
import { AppError, DeliveryError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { type FileEntry, listFiles, type ResourceRef } from '../xnat/resources.ts'

export interface DeliverDeps {
  xnat: XnatClient
  incoming: ObjectStore
  state: ObjectStore
  signal: AbortSignal
  now?: () => Date
}

export interface DeliveryTally {
  files: number
  bytes: number
  unchanged: number
  superseded: number
}

/**
 * Puts the ordered objects into their XNAT resource, and writes a receipt once XNAT's catalog shows each of them with
 * the right size and, where the site keeps checksums, the MD5 of what was read from S3.
 *
 * Safe to repeat: what is there and equal is left alone. An object that was overwritten or deleted since its event is
 * left to the newer event. What is missing on the way to the resource is created as `openTarget` says.
 *
 * @throws {DeliveryError} NOT_VERIFIED when XNAT took the files and yet, after one more try, does not list them as
 * sent; and those of `openTarget`. An error that can never be cured leaves a receipt with its code.
 */
export async function deliverFiles(deps: DeliverDeps, order: DeliveryOrder): Promise<DeliveryTally> {
  const now = deps.now ?? (() => new Date())
  const startedAt = now().toISOString()
  const record = (outcome: Pick<Receipt, 'outcome' | 'code' | 'experimentId' | 'files'>) => {
    const { deliveryId, target } = order
    return writeReceipt(deps.state, { deliveryId, target, startedAt, finishedAt: now().toISOString(), ...outcome })
  }
  try {
    const { ref, experimentId } = await openTarget(deps, order)
    const files = await deliverInto(deps, order, ref)
    await record({ outcome: 'verified', experimentId, files })
    return tally(files)
  } catch (error) {
    if (error instanceof AppError && error.retry === 'never') {
      await record({ outcome: 'failed', code: error.code, files: [] })
    }
    throw error
  }
}

/** How often what XNAT does not list as sent is sent again before the order is handed back. */
const healings = 1

async function deliverInto(deps: DeliverDeps, order: DeliveryOrder, ref: ResourceRef): Promise<DeliveredFile[]> {
  const done = new Map<string, DeliveredFile>()
  settleUnchanged(order.objects, await readCatalog(deps, ref), done)

  let failure: AppError = new DeliveryError('XNAT does not list the files as they were sent', { code: 'NOT_VERIFIED' })
  for (let sendings = 0; ; ) {
    const pending = order.objects.filter(({ path }) => !done.has(path))
    if (pending.length === 0) return order.objects.flatMap(({ path }) => done.get(path) ?? [])
    if (sendings > healings) throw failure

    const outcome = await sendFiles(deps, ref, { keyPrefix: order.keyPrefix, objects: pending })
    if (outcome.kind === 'stale') {
      await settleSuperseded(deps, order.keyPrefix, pending, outcome.path, done)
      continue
    }
    settleStored(pending, await readCatalog(deps, ref), outcome, done)
    if (outcome.kind === 'unsure') failure = outcome.error
    sendings += 1
  }
}

type Catalog = ReadonlyMap<string, FileEntry>

async function readCatalog({ xnat, signal }: DeliverDeps, ref: ResourceRef): Promise<Catalog> {
  const entries = await listFiles(xnat, ref, { signal })
  return new Map(entries.map((entry) => [entry.path, entry]))
}

/** S3: the ETag of an object put in one part, without KMS, is its MD5. Any other ETag equals no digest. */
function settleUnchanged(objects: readonly OrderedObject[], catalog: Catalog, done: Map<string, DeliveredFile>): void {
  for (const { path, sizeBytes, etag } of objects) {
    const entry = catalog.get(path)
    if (entry?.sizeBytes === sizeBytes && entry.md5 === etag) {
      done.set(path, { path, sizeBytes, md5: etag, outcome: 'unchanged', verifiedBy: 'md5' })
    }
  }
}

function settleStored(
  sent: readonly OrderedObject[],
  catalog: Catalog,
  outcome: { kind: 'sent' | 'unsure'; md5s: ReadonlyMap<string, string> },
  done: Map<string, DeliveredFile>,
): void {
  for (const { path, sizeBytes } of sent) {
    const entry = catalog.get(path)
    const md5 = outcome.md5s.get(path)
    if (md5 === undefined || entry?.sizeBytes !== sizeBytes) continue
    // Where the site keeps no checksums, size alone convinces only after a sending that XNAT called well.
    const isProved = entry.md5 === undefined ? outcome.kind === 'sent' : entry.md5 === md5
    if (isProved) {
      done.set(path, { path, sizeBytes, md5, outcome: 'stored', verifiedBy: entry.md5 === undefined ? 'size' : 'md5' })
    }
  }
}

const looksAtATime = 16

/** One object was found stale; where one was rewritten, others often were. All are looked at before the next sending. */
async function settleSuperseded(
  { incoming, signal }: DeliverDeps,
  keyPrefix: string,
  pending: readonly OrderedObject[],
  stalePath: string,
  done: Map<string, DeliveredFile>,
): Promise<void> {
  for (let start = 0; start < pending.length; start += looksAtATime) {
    const some = pending.slice(start, start + looksAtATime)
    const infos = await Promise.all(some.map(({ path }) => incoming.find(keyPrefix + path, { signal })))
    some.forEach(({ path, sizeBytes, etag }, index) => {
      if (path === stalePath || infos[index]?.etag !== `"${etag}"`) {
        done.set(path, { path, sizeBytes, outcome: 'superseded' })
      }
    })
  }
}

function tally(files: readonly DeliveredFile[]): DeliveryTally {
  const count = (outcome: DeliveredFile['outcome']) => files.filter((file) => file.outcome === outcome).length
  return {
    files: files.length,
    bytes: files.reduce((sum, { sizeBytes, outcome }) => sum + (outcome === 'stored' ? sizeBytes : 0), 0),
    unchanged: count('unchanged'),
    superseded: count('superseded'),
  }
}
