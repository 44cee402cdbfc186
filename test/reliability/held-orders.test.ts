import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHandler } from '../../functions/workers/deliver-files.ts'
import { type DeliveryRig, scanPrefix, startDeliveryRig } from '../support/delivery-rig.ts'
import { lambdaContext } from '../support/events.ts'
import { memoryQueue } from '../support/memory-queue.ts'
import { pollQueue } from '../support/poll-queue.ts'
import { testWired } from '../support/wired.ts'

let rig: DeliveryRig
beforeEach(async () => {
  rig = await startDeliveryRig()
})
afterEach(() => rig.stop())

describe('an order that takes longer than the visibility timeout of its queue', () => {
  it('is not handed in a second time beside the first, and done once', async () => {
    const visibilityMs = 1_000
    const attributes = { FifoQueue: 'true', VisibilityTimeout: String(visibilityMs / 1_000) }
    const { queue, url } = await rig.aws.queue('deliveries.fifo', attributes)
    const { xnat, incoming, state } = rig
    const wired = testWired({ xnat, incoming, state, deliveries: { queue, deadLetters: memoryQueue() } })
    const delivery = createHandler(() => wired)
    const upload = { method: 'PUT', path: /\/files\// }
    rig.standIn.faults.next({ when: upload, kind: 'slow', delayMs: visibilityMs + 2_500 })
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'content')])
    let tries = 0
    await queue.send([{ body: JSON.stringify(order), group: 'a', deduplicationId: 'a' }])

    const poller = pollQueue(rig.aws.sqs, { url, batchSize: 1 }, (event) => {
      tries += 1
      return delivery(event, lambdaContext())
    })

    try {
      await expect.poll(() => rig.receipt(order), { timeout: 10_000 }).toMatchObject({ outcome: 'verified' })
      await sleep(visibilityMs)
      expect(tries).toBe(1)
      expect(rig.aws.sqsServer.messageCounts('deliveries.fifo')).toEqual({ ready: 0, delayed: 0, inFlight: 0 })
    } finally {
      await poller.stop()
    }
  })
})
