// What the receipts of a project say of its files.
import * as z from 'zod'
import { deliveryGroup } from '../../../lib/delivery/order.ts'
import { type DeliveredFile, Receipt } from '../../../lib/delivery/receipt.ts'
import { ReceiptSummary } from '../../../lib/delivery/receipt-index.ts'
import type { ConduitApi } from '../conduit-api.ts'
import { inParallel } from './in-parallel.ts'

/** One receipt's word on one file. */
export interface Mention extends Omit<DeliveredFile, 'path'> {
  deliveryId: string
  /** The time of the newest object in the order. */
  orderedAt: Date
  /** Why it failed. */
  code: string | undefined
}

export interface ReceiptBook {
  /** Reads what has been written since it was last read, of orders from `since` on. */
  read(options?: { since?: Date; outcome?: 'verified' }): Promise<void>
  /** The newest order first. `path` is the file's in the resource, or below the marker of a session. */
  mentions(target: Receipt['target'], path: string): readonly Mention[]
}

interface BookOptions {
  /** The project's ID in XNAT. */
  projectId: string
  /** What keys call it: orders that failed early are listed under that name. */
  projectName: string
  /** Experiments whose receipts need not be read. */
  others: ReadonlySet<string>
}

const readAtOnce = 8

export function openReceiptBook(api: ConduitApi, { projectId, projectName, others }: BookOptions): ReceiptBook {
  const seen = new Map<string, string>()
  const mentions = new Map<string, Map<string, Mention>>()

  const keep = ({ deliveryId, target, code, files }: Receipt, orderedAt: Date) => {
    for (const { path, ...file } of files) {
      const place = placeOf({ ...target, projectId }, path)
      const known = mentions.get(place) ?? new Map<string, Mention>()
      // A receipt that was written again takes the place of the earlier one.
      mentions.set(place, known.set(deliveryId, { ...file, deliveryId, orderedAt, code }))
    }
  }

  return {
    async read({ since, outcome } = {}) {
      const found: ReceiptSummary[] = []
      const filter: Record<string, string> = {}
      if (since !== undefined) filter['since'] = since.toISOString()
      if (outcome !== undefined) filter['outcome'] = outcome
      for (const project_id of new Set([projectId, projectName])) {
        for await (const summary of summaries(api, { ...filter, project_id })) {
          const isNew = seen.get(summary.deliveryId) !== summary.finishedAt
          if (isNew && !others.has(summary.experimentId ?? '')) found.push(summary)
        }
      }
      await inParallel(found, readAtOnce, async ({ deliveryId, finishedAt, orderedAt }) => {
        const receipt = await api.ask({ method: 'GET', path: `/deliveries/${deliveryId}`, answer: Receipt })
        keep(receipt, new Date(orderedAt))
        seen.set(deliveryId, finishedAt)
      })
    },
    mentions(target, path) {
      const known = mentions.get(placeOf({ ...target, projectId }, path))
      // IDs fall as time goes on.
      return [...(known?.values() ?? [])].toSorted((one, other) => (one.deliveryId < other.deliveryId ? -1 : 1))
    },
  }
}

/** However keys spell a resource, or a session, it is one place. */
const placeOf = (target: Receipt['target'], path: string) =>
  `${deliveryGroup({ ...target, resourceLabel: target.resourceLabel ?? '' })} ${path}`

const DeliveryPage = z.object({ deliveries: z.array(ReceiptSummary), cursor: z.string().optional() })

async function* summaries(api: ConduitApi, filter: Readonly<Record<string, string>>): AsyncGenerator<ReceiptSummary> {
  const query = new URLSearchParams({ ...filter, limit: '1000' })
  for (;;) {
    const page = await api.ask({ method: 'GET', path: `/deliveries?${query}`, answer: DeliveryPage })
    yield* page.deliveries
    if (page.cursor === undefined) return
    query.set('cursor', page.cursor)
  }
}
