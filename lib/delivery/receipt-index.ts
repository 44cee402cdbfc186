// Receipts by time, over all and by project. All that a list shows stands in the names of empty objects, so that a list
// of a thousand receipts is one request to S3.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { DeliveryId, fallingMs, fromFallingMs } from './order.ts'
import type { Receipt } from './receipt.ts'

export const ReceiptSummary = z.object({
  deliveryId: DeliveryId,
  outcome: z.enum(['verified', 'failed']),
  /** The error's code when it failed. */
  code: z.string().optional(),
  projectId: z.string(),
  experimentId: z.string().optional(),
  files: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  /** The time of the newest object in the delivery, which also orders the list. */
  orderedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
})
export type ReceiptSummary = z.infer<typeof ReceiptSummary>

const root = 'receipts-index'
const allPrefix = `${root}/all/`
const projectPrefix = (projectId: string) => `${root}/projects/${projectId}/`

/** Enters a receipt into the lists. One that is written again gets another entry, and the newest is listed. */
export async function indexReceipt(
  state: ObjectStore,
  receipt: Receipt,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const entry = entryOf(receipt)
  const keys = [allPrefix + entry, projectPrefix(receipt.target.projectId) + entry]
  await Promise.all(keys.map((key) => state.writeText(key, '', options)))
}

// Sorts above all characters of an entry, and stands between its parts.
const separator = '~'

function entryOf({ deliveryId, outcome, code, target, experimentId, files, finishedAt }: Receipt): string {
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  // The newest receipt of one delivery comes first.
  const finished = fallingMs(new Date(finishedAt))
  const parts = [deliveryId, finished, outcome, code ?? '', target.projectId, experimentId ?? '', files.length, bytes]
  return parts.join(separator)
}

function summaryOf(key: string): ReceiptSummary {
  const entry = key.slice(key.lastIndexOf('/') + 1)
  const [deliveryId = '', finished = '', outcome, code, projectId, experimentId, files, bytes] = entry.split(separator)
  return ReceiptSummary.parse({
    deliveryId,
    outcome,
    code: code || undefined,
    projectId,
    experimentId: experimentId || undefined,
    files: Number(files),
    bytes: Number(bytes),
    orderedAt: fromFallingMs(deliveryId.slice(0, 13)).toISOString(),
    finishedAt: fromFallingMs(finished).toISOString(),
  })
}

export interface ReceiptFilter {
  projectId?: string | undefined
  outcome?: ReceiptSummary['outcome'] | undefined
  code?: string | undefined
  /** Deliveries ordered from this time on. */
  since?: Date | undefined
  /** Deliveries ordered before this time. */
  until?: Date | undefined
  /** Continues behind this delivery. */
  after?: string | undefined
}

/** The receipts that fit, newest first, read from S3 page by page as they are asked for. */
export async function* receiptsBy(
  state: ObjectStore,
  { projectId, outcome, code, since, until, after }: ReceiptFilter,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<{ summary: ReceiptSummary; fits: boolean }> {
  const prefix = projectId === undefined ? allPrefix : projectPrefix(projectId)
  // IDs fall with time: what was ordered before `until` sorts behind the digits of the millisecond before it.
  const first = until === undefined ? '' : fallingMs(until) + separator
  const last = since === undefined ? undefined : fallingMs(since) + separator
  let startAfter = prefix + [first, after === undefined ? '' : after + separator + separator].toSorted().at(-1)
  let previous: string | undefined
  for (;;) {
    const { objects, isComplete } = await state.list(prefix, { startAfter, ...options })
    for (const { key } of objects) {
      const summary = summaryOf(key)
      if (last !== undefined && summary.deliveryId > last) return
      if (summary.deliveryId === previous) continue
      previous = summary.deliveryId
      const fits = (outcome ?? summary.outcome) === summary.outcome && (code ?? summary.code) === summary.code
      yield { summary, fits }
    }
    const end = objects.at(-1)
    if (isComplete || end === undefined) return
    startAfter = end.key
  }
}
