import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { DeliveryTarget } from './object-key.ts'
import { type AnyOrder, DeliveryId } from './order.ts'
import { indexReceipt } from './receipt-index.ts'

const DeliveredFile = z.object({
  path: z.string(),
  sizeBytes: z.int().nonnegative(),
  /** The version of the object, for DICOM that was imported and for what failed. */
  etag: z.string().optional(),
  /** Lower-case hex of the content that was read from S3; absent for what was not read. */
  md5: z.string().optional(),
  /**
   * `stored`: sent and found in XNAT's catalog. `unchanged`: was there already, equal.
   * `superseded`: the object was overwritten or deleted after its event; the newer event answers for it.
   * `failed`: the order was given up, and nothing is known of it.
   */
  outcome: z.enum(['stored', 'unchanged', 'superseded', 'failed']),
  /**
   * What XNAT's catalog was compared by. `size` alone where the site keeps no checksums; `count` for DICOM that was
   * imported: XNAT may rewrite headers then, so that only the number of files can be compared.
   */
  verifiedBy: z.enum(['md5', 'size', 'count']).optional(),
})
export type DeliveredFile = z.infer<typeof DeliveredFile>

/** The proof of one delivery, or the reason why there is none. */
export const Receipt = z.object({
  deliveryId: DeliveryId,
  outcome: z.enum(['verified', 'failed']),
  /** The error's code when it failed. */
  code: z.string().optional(),
  /** Without `resourceLabel` it is a DICOM session. */
  target: DeliveryTarget.partial({ resourceLabel: true }),
  experimentId: z.string().optional(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  files: z.array(DeliveredFile),
  /** Of a DICOM session: what was sent, and what XNAT lists of it after the import. */
  session: z
    .object({
      sentInstances: z.int().nonnegative(),
      scans: z.int().nonnegative(),
      instances: z.int().nonnegative(),
    })
    .optional(),
})
export type Receipt = z.infer<typeof Receipt>

const receiptKey = (deliveryId: string) => `receipts/${deliveryId}.json`

/** Keeps a receipt. Written again, the newest holds: a redelivery tells the state as it found it. */
export async function writeReceipt(
  state: ObjectStore,
  receipt: Receipt,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const contentType = 'application/json'
  await state.writeText(receiptKey(receipt.deliveryId), JSON.stringify(receipt), { contentType, ...options })
  await indexReceipt(state, receipt, options)
}

export async function findReceipt(state: ObjectStore, deliveryId: string): Promise<Receipt | undefined> {
  const stored = await state.readText(receiptKey(deliveryId))
  return stored && Receipt.parse(JSON.parse(stored.text))
}

export type DeliveryOutcome = Pick<Receipt, 'experimentId' | 'files' | 'session'>

interface RecordDeps {
  state: ObjectStore
  signal: AbortSignal
  now?: () => Date
}

/** Does a delivery and writes the receipt of what it made. */
export async function withReceipt<Outcome extends DeliveryOutcome>(
  { state, signal, now = () => new Date() }: RecordDeps,
  { deliveryId, target }: Pick<Receipt, 'deliveryId' | 'target'>,
  deliver: () => Promise<Outcome>,
): Promise<Outcome> {
  const startedAt = now().toISOString()
  const outcome = await deliver()
  const { experimentId, files, session } = outcome
  const proof = { outcome: 'verified', experimentId, files, session } as const
  await writeReceipt(state, { deliveryId, target, startedAt, finishedAt: now().toISOString(), ...proof }, { signal })
  return outcome
}

/**
 * Writes that a delivery was given up, of what, and why. A receipt that this very order's tries have earned stays: what came
 * after the proof, such as ending the source, may have failed, or the last try died before it could say that it was done.
 */
export async function recordFailure(
  state: ObjectStore,
  order: AnyOrder,
  { code, sentAt, startedAt }: { code: string; sentAt: Date; startedAt: Date },
): Promise<void> {
  const { deliveryId, target } = order
  const earlier = await findReceipt(state, deliveryId)
  if (earlier?.outcome === 'verified' && new Date(earlier.finishedAt) >= sentAt) return
  const times = { startedAt: startedAt.toISOString(), finishedAt: new Date().toISOString() }
  const objects = 'source' in order ? [order.source] : order.objects
  const files = objects.map((object) => ({ ...object, outcome: 'failed' as const }))
  await writeReceipt(state, { deliveryId, target, ...times, outcome: 'failed', code, files })
}
