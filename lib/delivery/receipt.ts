import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { DeliveryTarget } from './object-key.ts'
import { DeliveryId } from './order.ts'

const DeliveredFile = z.object({
  path: z.string(),
  sizeBytes: z.int().nonnegative(),
  /** Lower-case hex of the content that was read from S3; absent for what was not read. */
  md5: z.string().optional(),
  /**
   * `stored`: sent and found in XNAT's catalog. `unchanged`: was there already, equal.
   * `superseded`: the object was overwritten or deleted after its event; the newer event answers for it.
   */
  outcome: z.enum(['stored', 'unchanged', 'superseded']),
  /** What XNAT's catalog was compared by. `size` alone where the site keeps no checksums. */
  verifiedBy: z.enum(['md5', 'size']).optional(),
})
export type DeliveredFile = z.infer<typeof DeliveredFile>

/** The proof of one delivery, or the reason why there is none. */
export const Receipt = z.object({
  deliveryId: DeliveryId,
  outcome: z.enum(['verified', 'failed']),
  /** The error's code when it failed. */
  code: z.string().optional(),
  target: DeliveryTarget,
  experimentId: z.string().optional(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  files: z.array(DeliveredFile),
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
}

export async function findReceipt(state: ObjectStore, deliveryId: string): Promise<Receipt | undefined> {
  const stored = await state.readText(receiptKey(deliveryId))
  return stored && Receipt.parse(JSON.parse(stored.text))
}
