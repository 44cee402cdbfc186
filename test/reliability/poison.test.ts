import { setTimeout as sleep } from 'node:timers/promises'
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import type { SQSEvent } from 'aws-lambda'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHandler as createDelivery } from '../../functions/workers/deliver-files.ts'
import { createHandler as createRouting } from '../../functions/workers/route-objects.ts'
import type { QueuePoller } from '../../infra/local/run-functions/queue-poller.ts'
import type { Queue } from '../../lib/aws/queue.ts'
import { DeliveryOrder } from '../../lib/delivery/order.ts'
import { type DeliveryRig, md5, scanPrefix, startDeliveryRig } from '../support/delivery-rig.ts'
import { createdRecord, lambdaContext } from '../support/events.ts'
import { memoryQueue } from '../support/memory-queue.ts'
import { pollQueue } from '../support/poll-queue.ts'
import { testWired } from '../support/wired.ts'

let rig: DeliveryRig
const pollers: QueuePoller[] = []
beforeEach(async () => {
  rig = await startDeliveryRig()
})
afterEach(async () => {
  await Promise.all(pollers.splice(0).map((poller) => poller.stop()))
  await rig.stop()
})

const budget = 3

describe('1 % of poison', () => {
  it('in a batch of S3 events goes to the dead letters after one try, and its neighbours are ordered', async () => {
    const { source, deadLettersUrl, url } = await sourceQueue('uploads', {})
    const deliveries = { queue: memoryQueue(), deadLetters: memoryQueue() }
    const routing = createRouting(() => testWired({ uploads: source, deliveries }))
    const bodies = Array.from({ length: 500 }, (_, index) => {
      const key = index % 100 === 7 ? `not/a/key/${index}` : `${scanPrefix}${index}.dcm`
      return JSON.stringify({ Records: [createdRecord({ key })] })
    })
    let tries = 0
    await sendAll(
      url,
      bodies.map((body) => ({ body })),
    )

    poll({ url, batchSize: 100 }, (event) => {
      tries += event.Records.length
      return routing(event, lambdaContext())
    })

    await expect.poll(() => waiting(deadLettersUrl), { timeout: 10_000 }).toBe(5)
    await expect.poll(() => orderedPaths(deliveries.queue.sent).size, { timeout: 10_000 }).toBe(495)
    expect(tries).toBe(500)
    expect(new Set((await letters(deadLettersUrl)).map(({ code }) => code))).toEqual(new Set(['KEY_NOT_UNDERSTOOD']))
  })

  it('among orders uses up exactly its budget, delays no other resource, and is delivered when it is handed in again after the cure', async () => {
    const { source, deadLettersUrl, url } = await sourceQueue('deliveries.fifo', { FifoQueue: 'true' })
    const { xnat, incoming, state } = rig
    const environment = { DELIVERY_TRIES: String(budget) }
    const wired = testWired({ xnat, incoming, state, deliveries: source }, environment)
    const delivery = createDelivery(() => wired)
    const orders: DeliveryOrder[] = []
    for (let scan = 1; scan <= 100; scan += 1) {
      const key = `${scanPrefix.replace('scans/1', `scans/${scan}`)}1.dcm`
      orders.push(rig.orderFor([await rig.put(key, `content ${scan}`)]))
    }
    const poisoned = /\/scans\/50\/.*\/files\//
    rig.standIn.faults.next({ when: { method: 'PUT', path: poisoned }, kind: 'truncate-store', times: 1_000 })
    const tries = new Map<string, number>()
    const start = () =>
      poll({ url, batchSize: 1 }, (event) => {
        const { target } = DeliveryOrder.parse(JSON.parse(event.Records[0]?.body ?? ''))
        tries.set(target.scanId ?? '', (tries.get(target.scanId ?? '') ?? 0) + 1)
        return delivery(event, lambdaContext())
      })
    const messages = orders.map((order, index) => ({ body: JSON.stringify(order), group: `scan-${index}` }))
    await sendAll(url, messages)

    start()

    await expect.poll(() => waiting(deadLettersUrl), { timeout: 20_000 }).toBe(1)
    expect(await rig.receipt(orders[49]!)).toMatchObject({ outcome: 'failed', code: 'NOT_VERIFIED' })
    expect(tries).toEqual(new Map(orders.map((_, index) => [String(index + 1), index + 1 === 50 ? budget : 1])))
    rig.standIn.faults.clear()
    const cured = await letters(deadLettersUrl)
    expect(cured).toMatchObject([{ code: 'NOT_VERIFIED' }])
    await sendAll(
      url,
      cured.map(({ body }) => ({ body, group: 'cured' })),
    )
    await expect.poll(() => rig.receipt(orders[49]!), { timeout: 10_000 }).toMatchObject({ outcome: 'verified' })
    for (let scan = 1; scan <= 100; scan += 1) {
      const parent = { level: 'scan', experimentId: rig.experimentId, scanId: String(scan) } as const
      const digests = await rig.digests({ parent, resourceLabel: 'DICOM' })
      expect([...digests]).toEqual([['1.dcm', md5(`content ${scan}`)]])
    }
  }, 60_000)
})

describe('an order that the function dies of at every try', () => {
  it('is a dead letter after exactly its budget, and its receipt tells that the last try died', async () => {
    const { source, deadLettersUrl, url } = await sourceQueue('deliveries.fifo', { FifoQueue: 'true' })
    const { xnat, incoming, state } = rig
    const environment = { DELIVERY_TRIES: String(budget) }
    const delivery = createDelivery(() => testWired({ xnat, incoming, state, deliveries: source }, environment))
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'content')])
    let deaths = 0
    await sendAll(url, [{ body: JSON.stringify(order), group: 'a' }])

    poll({ url, batchSize: 1 }, async (event) => {
      const [record] = event.Records
      if (Number(record?.attributes.ApproximateReceiveCount) > budget) return delivery(event, lambdaContext())
      deaths += 1
      // What its visibility timeout would do, sooner.
      await source.queue.postpone(record?.receiptHandle ?? '', 0)
      throw new Error('killed')
    })

    await expect.poll(() => waiting(deadLettersUrl), { timeout: 10_000 }).toBe(1)
    expect(deaths).toBe(budget)
    expect(await letters(deadLettersUrl)).toMatchObject([{ code: 'TRIES_SPENT' }])
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'TRIES_SPENT' })
  })
})

/** A queue with its redrive policy; a message handed back comes again at once, where the product waits. */
async function sourceQueue(name: string, attributes: Record<string, string>) {
  const dead = await rig.aws.queue(`dead-${name}`, attributes)
  const deadLetterTargetArn = `arn:aws:sqs:eu-central-1:000000000000:dead-${name}`
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: budget + 2 })
  const { queue, url } = await rig.aws.queue(name, { ...attributes, RedrivePolicy, VisibilityTimeout: '30' })
  const impatient: Queue = { ...queue, postpone: (receiptHandle) => queue.postpone(receiptHandle, 0) }
  return { source: { queue: impatient, deadLetters: dead.queue }, deadLettersUrl: dead.url, url }
}

const poll = (source: { url: string; batchSize: number }, invoke: (event: SQSEvent) => Promise<unknown>) =>
  pollers.push(pollQueue(rig.aws.sqs, source, invoke))

async function sendAll(url: string, messages: readonly { body: string; group?: string }[]): Promise<void> {
  for (let start = 0; start < messages.length; start += 10) {
    const Entries = messages.slice(start, start + 10).map(({ body, group }, index) => ({
      Id: String(index),
      MessageBody: body,
      ...(group !== undefined && { MessageGroupId: group, MessageDeduplicationId: `${group}-${start + index}` }),
    }))
    await rig.aws.sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }))
  }
}

async function waiting(url: string): Promise<number> {
  const AttributeNames = ['ApproximateNumberOfMessages'] as const
  const reply = await rig.aws.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...AttributeNames] }),
  )
  return Number(reply.Attributes?.ApproximateNumberOfMessages)
}

async function letters(url: string) {
  await sleep(100)
  const command = new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] })
  const { Messages = [] } = await rig.aws.sqs.send(command)
  return Messages.map(({ Body = '', MessageAttributes }) => ({
    body: Body,
    code: MessageAttributes?.['code']?.StringValue,
  }))
}

const orderedPaths = (messages: readonly { body: string }[]) =>
  new Set(messages.flatMap(({ body }) => DeliveryOrder.parse(JSON.parse(body)).objects.map(({ path }) => path)))
