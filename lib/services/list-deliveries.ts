import type { ObjectStore } from '../aws/objects.ts'
import { type ReceiptFilter, type ReceiptSummary, receiptsBy } from '../delivery/receipt-index.ts'

export interface DeliveryPage {
  deliveries: ReceiptSummary[]
  /** Where the next page starts; absent when this is the last one. */
  cursor?: string
}

/** Receipts that one page may look at: about twenty requests to S3. */
const maxLooked = 20_000

/**
 * Receipts that fit, newest first, up to `limit`. A page may hold fewer, even none, and still have a cursor: when few
 * receipts fit, it ends after so many that do not.
 */
export async function listDeliveries(
  { state, signal }: { state: ObjectStore; signal: AbortSignal },
  { limit, ...filter }: ReceiptFilter & { limit: number },
): Promise<DeliveryPage> {
  const deliveries: ReceiptSummary[] = []
  let looked = 0
  let last: string | undefined
  for await (const { summary, fits } of receiptsBy(state, filter, { signal })) {
    if ((deliveries.length === limit || looked === maxLooked) && last !== undefined) return { deliveries, cursor: last }
    if (fits) deliveries.push(summary)
    last = summary.deliveryId
    looked += 1
  }
  return { deliveries }
}
