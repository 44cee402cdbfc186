import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHandler } from '../../functions/workers/deliver-files.ts'
import { AnyOrder, deliveryGroup, orderMessage } from '../../lib/delivery/order.ts'
import { type DeliveryRig, startDeliveryRig } from '../support/delivery-rig.ts'
import { lambdaContext, sqsEvent } from '../support/events.ts'
import { memoryQueue } from '../support/memory-queue.ts'
import { testWired } from '../support/wired.ts'

let rig: DeliveryRig
beforeEach(async () => {
  rig = await startDeliveryRig()
})
afterEach(() => rig.stop())

function worker() {
  const deliveries = { queue: memoryQueue(), deadLetters: memoryQueue() }
  const { xnat, incoming, state } = rig
  const wired = testWired({ xnat, incoming, state, deliveries })
  const handler = createHandler(() => wired)
  const handle = (body: string) => handler(sqsEvent([body], { group: 'g' }), lambdaContext())
  return { ...deliveries, handle }
}

const key = (project: string) => `projects/${project}/subjects/S1/experiments/E1/scans/1/resources/DICOM/files/1.dcm`

describe("an order that names its project by the hub's id", () => {
  it("goes to the group of orders that name it by XNAT's, and is delivered from there", async () => {
    const order = rig.orderFor([await rig.put(key('hub:hub-1'), 'content')])
    const plain = rig.orderFor([{ key: key('P1'), sizeBytes: 1, etag: 'e' }])
    const { handle, queue, deadLetters } = worker()

    expect(await handle(JSON.stringify(order))).toEqual({ batchItemFailures: [] })

    const [message] = queue.sent
    expect(message?.group).toBe(deliveryGroup(plain.target))
    expect(message?.deduplicationId).not.toBe(orderMessage(order).deduplicationId)
    expect(await rig.receipt(order)).toBeUndefined()

    await handle(message?.body ?? '')

    expect(await rig.receipt(order)).toMatchObject({ outcome: 'verified', target: { projectId: 'P1' } })
    expect([queue.sent.length, deadLetters.sent]).toEqual([1, []])
  })

  it('goes there with the DICOM of a session too', async () => {
    const { queue, handle } = worker()
    const { deliveryId } = rig.orderFor([{ key: key('P1'), sizeBytes: 1, etag: 'e' }])
    const target = { projectId: 'hub:hub-1', subject: 'S2', experiment: 'CT1' }
    const keyPrefix = 'projects/hub:hub-1/subjects/S2/experiments/CT1/dicom/'
    const source = { path: 'a.zip', sizeBytes: 1, etag: 'e' }

    await handle(JSON.stringify({ kind: 'session', deliveryId, target, keyPrefix, source }))

    const forwarded = AnyOrder.parse(JSON.parse(queue.sent[0]?.body ?? ''))
    expect(forwarded).toEqual({
      kind: 'session',
      deliveryId,
      target: { ...target, projectId: 'P1' },
      keyPrefix,
      source,
    })
  })

  it('is a failure for good, with a receipt, when no project has it', async () => {
    const order = rig.orderFor([await rig.put(key('hub:unknown'), 'content')])
    const { handle, queue, deadLetters } = worker()

    await handle(JSON.stringify(order))

    expect(deadLetters.sent).toMatchObject([{ attributes: { code: 'PROJECT_NOT_FOUND' } }])
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'PROJECT_NOT_FOUND' })
    expect(queue.sent).toEqual([])
  })
})

describe('objects that were delivered as files', () => {
  it.each([
    ['keep', 2],
    ['delete', 1],
  ] as const)('end as the setting says, but for those that others overwrote: %s', async (setting, left) => {
    const { xnat, incoming, state } = rig
    const wired = testWired({ xnat, incoming, state }, { SOURCE_AFTER_DELIVERY: setting })
    const late = await rig.put(key('P1'), 'older')
    await rig.put(key('P1'), 'newer')
    const other = await rig.put(key('P1').replace('1.dcm', '2.dcm'), 'two')

    await createHandler(() => wired)(sqsEvent([JSON.stringify(rig.orderFor([late, other]))]), lambdaContext())

    expect((await rig.incoming.list('projects/')).objects).toHaveLength(left)
  })
})
