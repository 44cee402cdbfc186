import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createHandler as createDelivery } from '../../functions/workers/deliver-files.ts'
import { createHandler as createRouting } from '../../functions/workers/route-objects.ts'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { type DeliveryRig, md5, startDeliveryRig } from '../support/delivery-rig.ts'
import { lambdaContext, sqsEvent } from '../support/events.ts'
import { memoryQueue } from '../support/memory-queue.ts'
import { testWired } from '../support/wired.ts'

let rig: DeliveryRig
beforeEach(async () => {
  rig = await startDeliveryRig()
})
afterEach(() => rig.stop())

const objectCount = 3_000
const eventCount = 10_000
const scans = 10
const keyOf = (index: number) =>
  `projects/P1/subjects/S1/experiments/E1/scans/${index % scans}/resources/DICOM/files/${index}.dcm`

it('10,000 events for 3,000 objects, repeated, shuffled and late, with overwrites and deletes between: XNAT ends with the newest of all', async () => {
  const chaos = await startChaos()
  await chaos.put(Array.from({ length: objectCount }, (_, index) => index))
  await chaos.deliverSome(0.5)
  await chaos.put(someOf(objectCount, 900))
  await chaos.remove(someOf(objectCount, 100))
  await chaos.deliverSome(0.5)
  await chaos.put(someOf(objectCount, 600))
  await chaos.deliverSome(0.3)
  await chaos.remove(someOf(objectCount, 100))
  await chaos.deliverSome(1)

  expect(chaos.events()).toBeGreaterThanOrEqual(eventCount)
  expect(chaos.deadLetters.sent).toEqual([])
  const stored = await allDigests()
  const lost = [...chaos.newest].filter(([key, digest]) => stored.get(key) !== digest)
  expect(lost).toEqual([])
  const { uploads, versions } = chaos.counts()
  expect((uploads - versions) / versions).toBeLessThanOrEqual(0.01)
}, 180_000)

/** S3's events as they come, each once to five times, kept back until they are let out in any order. */
async function startChaos() {
  const notifications: unknown[] = []
  const deliver = async (notification: unknown) => {
    const times = 1 + Math.floor(Math.random() ** 2 * 5)
    for (let time = 0; time < times; time += 1) notifications.push(notification)
  }
  const events = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*']
  await rig.aws.s3Server.setNotifications('incoming', [{ id: 'all', events, prefix: '', suffix: '', deliver }])
  const newest = new Map<string, string>()
  const uploaded: string[] = []
  const deliveries = { queue: memoryQueue(), deadLetters: memoryQueue() }
  const { xnat, state } = rig
  const wired = testWired({ xnat, incoming: counting(rig.incoming, uploaded), state, deliveries })
  const [routing, delivery] = [createRouting(() => wired), createDelivery(() => wired)]
  let [routed, delivered] = [0, 0]

  const put = async (indexes: readonly number[]) => {
    const putOne = async (index: number) => {
      const content = randomBytes(64)
      await rig.put(keyOf(index), content)
      newest.set(keyOf(index), md5(content))
    }
    for (let start = 0; start < indexes.length; start += 32) {
      await Promise.all(indexes.slice(start, start + 32).map(putOne))
    }
  }
  const route = async (batch: readonly unknown[]) => {
    routed += batch.length
    const event = sqsEvent(batch.map((notification) => JSON.stringify(notification)))
    expect(await routing(event, lambdaContext())).toEqual({ batchItemFailures: [] })
  }
  /** Orders in their sequence, as a FIFO group gives them; one in ten is handed in twice. */
  const deliverOrders = async () => {
    for (; delivered < deliveries.queue.sent.length; delivered += 1) {
      const { body = '' } = deliveries.queue.sent[delivered] ?? {}
      for (let time = 0; time < (Math.random() < 0.1 ? 2 : 1); time += 1) {
        expect(await delivery(sqsEvent([body], { group: 'g' }), lambdaContext())).toEqual({ batchItemFailures: [] })
      }
    }
  }
  return {
    newest,
    deadLetters: deliveries.deadLetters,
    put,
    async remove(indexes: readonly number[]) {
      for (const index of indexes) {
        await rig.aws.s3.send(new DeleteObjectCommand({ Bucket: 'incoming', Key: keyOf(index) }))
        newest.delete(keyOf(index))
      }
    },
    /** Lets out this share of the waiting events, in batches of any size, and delivers what comes of them. */
    async deliverSome(share: number) {
      // Events come a moment after what they tell of.
      await sleep(200)
      shuffle(notifications)
      const batches = notifications.splice(0, Math.ceil(notifications.length * share))
      while (batches.length > 0) {
        await route(batches.splice(0, 1 + Math.floor(Math.random() * 1_000)))
        await deliverOrders()
      }
    },
    events: () => routed,
    counts: () => ({ uploads: uploaded.length, versions: new Set(uploaded).size }),
  }
}

/** Notes each version of an object that was read to its end, which is when its last byte goes to XNAT. */
function counting(incoming: ObjectStore, uploaded: string[]): ObjectStore {
  const open: ObjectStore['open'] = async (key, options) => {
    const opened = await incoming.open(key, options)
    opened.body.once('end', () => uploaded.push(`${key} ${opened.etag}`))
    return opened
  }
  return { ...incoming, open }
}

async function allDigests(): Promise<Map<string, string | undefined>> {
  const digests = new Map<string, string | undefined>()
  for (let scan = 0; scan < scans; scan += 1) {
    const parent = { level: 'scan', experimentId: rig.experimentId, scanId: String(scan) } as const
    for (const [path, digest] of await rig.digests({ parent, resourceLabel: 'DICOM' })) {
      digests.set(keyOf(Number(path.slice(0, -'.dcm'.length))), digest)
    }
  }
  return digests
}

const someOf = (count: number, wanted: number) => {
  const all = Array.from({ length: count }, (_, index) => index)
  shuffle(all)
  return all.slice(0, wanted)
}

function shuffle(items: unknown[]): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[items[last], items[other]] = [items[other], items[last]]
  }
}
