import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ordersOf, type Upload } from '../../infra/simulate/route.ts'
import { DeliveryOrder } from '../../lib/delivery/order.ts'
import { createLogger } from '../../lib/log.ts'
import { routeObjects } from '../../lib/services/route-objects.ts'
import { createdRecord } from '../support/events.ts'
import { memoryQueue } from '../support/memory-queue.ts'

const log = createLogger({ level: 'error', write: () => undefined })

/** What route-objects itself sends: files and bytes of each order, by resource. */
async function realOrders(batch: readonly Upload[], maxOrderBytes: number) {
  const deliveries = memoryQueue()
  const notifications = batch.map(({ resource, bytes }, file) => ({
    Records: [createdRecord({ key: `projects/P/resources/R${resource}/files/${file}.dcm`, size: bytes })],
  }))
  await routeObjects({ deliveries, log, maxOrderBytes }, notifications)
  return deliveries.sent.map(({ body }) => {
    const { target, objects } = DeliveryOrder.parse(JSON.parse(body))
    const bytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    return { resource: Number(target.resourceLabel.slice(1)), files: objects.length, bytes }
  })
}

it('makes the same orders of a batch as route-objects does', async () => {
  const resources = fc.array(fc.nat(5), { minLength: 1, maxLength: 200 })
  const bound = fc.integer({ min: 1, max: 60 })
  await fc.assert(
    fc.asyncProperty(resources, bound, async (places, filesPerOrder) => {
      const batch = places.map((resource) => ({ at: 0, resource, bytes: 100 }))
      const maxOrderBytes = filesPerOrder * 100
      const simulated = ordersOf(batch, { sentAt: 0, maxOrderBytes })
      expect(simulated.map(({ resource, files, bytes }) => ({ resource, files, bytes }))).toEqual(
        await realOrders(batch, maxOrderBytes),
      )
    }),
    { numRuns: 50 },
  )
})
