import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DeliveryOrder } from '../../lib/delivery/order.ts'
import { createLogger } from '../../lib/log.ts'
import { backfillDeliveries } from '../../lib/services/backfill-deliveries.ts'
import { routeObjects, S3Notification } from '../../lib/services/route-objects.ts'
import { type DeliveryRig, scanPrefix, startDeliveryRig } from '../support/delivery-rig.ts'
import type { MemoryQueue } from '../support/memory-queue.ts'
import { memoryQueue } from '../support/memory-queue.ts'

let rig: DeliveryRig
let uploads: MemoryQueue
beforeEach(async () => {
  rig = await startDeliveryRig()
  uploads = memoryQueue()
})
afterEach(() => rig.stop())

const { signal } = new AbortController()
const backfill = (request: { prefix: string; cursor?: string }, now = () => new Date()) =>
  backfillDeliveries({ incoming: rig.incoming, uploads, signal, now }, request)

async function orders(): Promise<DeliveryOrder[]> {
  const deliveries = memoryQueue()
  const log = createLogger({ level: 'error' })
  const notifications = uploads.sent.map(({ body }) => S3Notification.parse(JSON.parse(body)))
  await routeObjects({ deliveries, log, maxOrderBytes: 1024 ** 3 }, notifications)
  return deliveries.sent.map(({ body }) => DeliveryOrder.parse(JSON.parse(body)))
}

describe('a backfill', () => {
  it('delivers what was there before, odd names too, and nothing beside the prefix', async () => {
    const keys = ['a b+c.dcm', 'größe/磁.dcm', '1.dcm'].map((name) => scanPrefix + name)
    for (const key of keys) await rig.put(key, `content of ${key}`)
    await rig.put('projects/P2/resources/R/files/x', 'not this')

    expect(await backfill({ prefix: 'projects/P1/' })).toEqual({ objects: 3 })
    for (const order of await orders()) await rig.deliver(order)

    const stored = await rig.digests({
      parent: { level: 'scan', experimentId: rig.experimentId, scanId: '1' },
      resourceLabel: 'DICOM',
    })
    expect([...stored.keys()].sort()).toEqual(keys.map((key) => key.slice(scanPrefix.length)).sort())
  })

  it('says where it was when time is over, and goes on from there', async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => `${scanPrefix}${String(index).padStart(4, '0')}`)
    for (const key of many) await rig.incoming.writeText(key, 'x')
    let minute = 0
    const hurried = () => {
      minute += 60_000
      return new Date(minute)
    }

    const first = await backfill({ prefix: 'projects/' }, hurried)
    const second = await backfill({ prefix: 'projects/', cursor: first.cursor ?? '' })

    expect([first, second]).toEqual([{ objects: 1_000, cursor: many[999] }, { objects: 1 }])
    for (const { body } of uploads.sent) expect(Buffer.byteLength(body)).toBeLessThan(256 * 1024)
    expect((await orders()).flatMap(({ objects }) => objects)).toHaveLength(1_001)
  })

  it('finds nothing to do below a prefix without objects', async () => {
    expect([await backfill({ prefix: 'projects/P7/' }), uploads.sent]).toEqual([{ objects: 0 }, []])
  })
})
