import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { deliveryId } from '../../lib/delivery/order.ts'
import { type Receipt, writeReceipt } from '../../lib/delivery/receipt.ts'
import type { ReceiptFilter } from '../../lib/delivery/receipt-index.ts'
import { listDeliveries } from '../../lib/services/list-deliveries.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'

let aws: LocalAws
let state: ObjectStore
let bucket = 0
beforeAll(async () => {
  aws = await startLocalAws()
})
afterAll(() => aws.stop())
beforeEach(async () => {
  bucket += 1
  state = await aws.bucket(`state-${bucket}`)
})

const minute = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, n))
const { signal } = new AbortController()

async function keep(at: number, changes: Partial<Receipt> = {}): Promise<Receipt> {
  const receipt: Receipt = {
    deliveryId: deliveryId(minute(at), 'content'),
    outcome: 'verified',
    target: { projectId: 'P1', subject: 'S1', experiment: 'SMITH', resourceLabel: 'DICOM' },
    experimentId: 'XNAT_E00001',
    startedAt: minute(at).toISOString(),
    finishedAt: minute(at + 1).toISOString(),
    files: [
      { path: 'a', sizeBytes: 3, outcome: 'stored' },
      { path: 'b', sizeBytes: 4, outcome: 'unchanged' },
    ],
    ...changes,
  }
  await writeReceipt(state, receipt)
  return receipt
}

const list = (filter: ReceiptFilter & { limit?: number } = {}) =>
  listDeliveries({ state, signal }, { limit: 100, ...filter })
const idsOf = (receipts: readonly { deliveryId: string }[]) => receipts.map((receipt) => receipt.deliveryId)

describe('a list of deliveries', () => {
  it('shows the newest first, in brief, without a label', async () => {
    const [older, newer] = [await keep(1), await keep(2)]

    const { deliveries, cursor } = await list()

    expect(idsOf(deliveries)).toEqual(idsOf([newer, older]))
    expect(cursor).toBeUndefined()
    expect(deliveries[0]).toEqual({
      deliveryId: newer.deliveryId,
      outcome: 'verified',
      projectId: 'P1',
      experimentId: 'XNAT_E00001',
      files: 2,
      bytes: 7,
      orderedAt: minute(2).toISOString(),
      finishedAt: minute(3).toISOString(),
    })
    expect(JSON.stringify((await state.list('receipts-index/')).objects)).not.toContain('SMITH')
  })

  it('is narrowed by project, outcome, code and time', async () => {
    const receipts = [
      await keep(1),
      await keep(2, { outcome: 'failed', code: 'PROJECT_NOT_FOUND', target: { projectId: 'hub:h-1' }, files: [] }),
      await keep(3, { outcome: 'failed', code: 'NO_EDIT_RIGHT' }),
      await keep(4, { target: { projectId: 'P12', resourceLabel: 'R' } }),
    ]
    const found = async (filter: ReceiptFilter) => {
      const ids = idsOf((await list(filter)).deliveries)
      return receipts.map((receipt) => ids.includes(receipt.deliveryId))
    }

    expect(await found({ projectId: 'P1' })).toEqual([true, false, true, false])
    expect(await found({ projectId: 'hub:h-1' })).toEqual([false, true, false, false])
    expect(await found({ outcome: 'failed' })).toEqual([false, true, true, false])
    expect(await found({ code: 'NO_EDIT_RIGHT' })).toEqual([false, false, true, false])
    expect(await found({ since: minute(2) })).toEqual([false, true, true, true])
    expect(await found({ until: minute(2) })).toEqual([true, false, false, false])
    expect(await found({ since: minute(2), until: minute(4), projectId: 'P1' })).toEqual([false, false, true, false])
    expect(await found({ since: new Date(0), until: new Date('9999-01-01') })).toEqual([true, true, true, true])
  })

  it('shows a delivery that ended twice once, as it ended last', async () => {
    await keep(1, { outcome: 'failed', code: 'EXPERIMENT_NOT_FOUND', files: [] })
    await keep(1, { finishedAt: minute(9).toISOString() })

    expect((await list()).deliveries).toMatchObject([{ outcome: 'verified', finishedAt: minute(9).toISOString() }])
    expect((await list({ outcome: 'failed' })).deliveries).toEqual([])
  })

  it('comes in pages that together show each delivery once, also while others end', async () => {
    const kept: string[] = []
    for (let at = 1; at <= 7; at += 1) {
      kept.unshift((await keep(at, at % 2 === 0 ? { outcome: 'failed', code: 'X', files: [] } : {})).deliveryId)
      await keep(at, { finishedAt: minute(at + 2).toISOString() })
    }
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await list({ after, limit: 3 })
      seen.push(...idsOf(page.deliveries))
      after = page.cursor
      await keep(8 + seen.length)
    } while (after !== undefined)

    expect(seen).toEqual(kept)
  })
})
