import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OutgoingMessage, Queue } from '../../lib/aws/queue.ts'
import { createQueueReader, type QueueReader } from '../../lib/aws/queue-reader.ts'
import { AnyOrder, deliveryGroup, deliveryId } from '../../lib/delivery/order.ts'
import { DeliveryError, StorageError } from '../../lib/errors.ts'
import { queueHandler } from '../../lib/handler.ts'
import { listDeadLetters, redriveDeadLetters } from '../../lib/services/dead-letters.ts'
import { lambdaContext, sqsEvent } from '../support/events.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'
import { emptyQueueReader, memoryQueue } from '../support/memory-queue.ts'
import { testWired } from '../support/wired.ts'

interface Place {
  queue: Queue
  reader: QueueReader
}

let aws: LocalAws
let places: Record<'uploads' | 'deliveries' | 'uploadsLetters' | 'deliveriesLetters' | 'exportsLetters', Place>
beforeEach(async () => {
  aws = await startLocalAws()
  const place = async (name: string, attributes: Record<string, string> = {}): Promise<Place> => {
    const { queue, url } = await aws.queue(name, attributes)
    return { queue, reader: createQueueReader(aws.sqs, url) }
  }
  const fifo = { FifoQueue: 'true' }
  places = {
    uploads: await place('uploads'),
    deliveries: await place('deliveries.fifo', fifo),
    uploadsLetters: await place('uploads-letters'),
    deliveriesLetters: await place('deliveries-letters.fifo', fifo),
    exportsLetters: await place('exports-letters.fifo', fifo),
  }
})
afterEach(() => aws.stop())

const { signal } = new AbortController()
const deps = () => ({
  deadLetters: {
    uploads: places.uploadsLetters.reader,
    deliveries: places.deliveriesLetters.reader,
    imports: emptyQueueReader,
    studies: emptyQueueReader,
    exports: places.exportsLetters.reader,
  },
  sources: {
    uploads: places.uploads.queue,
    deliveries: places.deliveries.queue,
    imports: memoryQueue(),
    studies: memoryQueue(),
    exports: memoryQueue(),
  },
  signal,
})

const target = { projectId: 'P1', subject: 'S1', experiment: 'SMITH', resourceLabel: 'DICOM' }
const order = (n: number) => ({
  deliveryId: deliveryId(new Date(n), n),
  target,
  keyPrefix: 'projects/P1/subjects/S1/experiments/SMITH/resources/DICOM/files/',
  objects: [{ path: `${n}.dcm`, sizeBytes: 1, etag: 'e' }],
})

/** Has orders for one resource fail for good, as the worker would. */
async function bury(code: 'EXPERIMENT_NOT_FOUND' | 'NO_EDIT_RIGHT', count: number, from = 0): Promise<void> {
  const wired = testWired({
    deliveries: { queue: places.deliveries.queue, deadLetters: places.deliveriesLetters.queue },
  })
  const fail = () => Promise.reject(new DeliveryError('no', { code }))
  const worker = queueHandler({ message: AnyOrder, source: (it) => it.deliveries, work: fail }, () => wired)
  const event = sqsEvent(
    Array.from({ length: count }, (_, n) => JSON.stringify(order(from + n))),
    { group: deliveryGroup(target) },
  )
  for (const [index, record] of event.Records.entries()) record.messageId = `message-${from + index}`
  await worker(event, lambdaContext())
}

const sendUploads = (messages: readonly OutgoingMessage[]) => places.uploadsLetters.queue.send(messages)
const counts = async () =>
  (await listDeadLetters(deps()))
    .filter(({ queue }) => queue !== 'imports' && queue !== 'studies')
    .map(({ queue, messages, codes }) => [queue, messages, codes.map(({ code, messages: some }) => `${code}: ${some}`)])

async function receiveAll({ reader }: Place) {
  const messages = []
  for (;;) {
    const some = await reader.receive({ hiddenSeconds: 30 })
    if (some.length === 0) return messages
    messages.push(...some)
    await reader.remove(some.map(({ receiptHandle }) => receiptHandle))
  }
}

describe('dead letters', () => {
  it('are counted by queue and code, those of one resource too, and may be looked at again at once', async () => {
    await bury('EXPERIMENT_NOT_FOUND', 13)
    await bury('NO_EDIT_RIGHT', 2, 20)
    await sendUploads([{ body: '{"Records":[]}', attributes: { code: 'KEY_NOT_UNDERSTOOD' } }, { body: 'spent' }])

    const expected = [
      ['uploads', 2, ['KEY_NOT_UNDERSTOOD: 1', 'TRIES_SPENT: 1']],
      ['deliveries', 15, ['EXPERIMENT_NOT_FOUND: 13', 'NO_EDIT_RIGHT: 2']],
      ['exports', 0, []],
    ]
    expect(await counts()).toEqual(expected)
    expect(await counts()).toEqual(expected)
  })

  it('are shown by a few samples, without labels and keys', async () => {
    await bury('NO_EDIT_RIGHT', 5)

    const [, deliveries] = await listDeadLetters(deps())

    const samples = deliveries?.codes[0]?.samples ?? []
    expect(samples).toHaveLength(3)
    expect(samples[0]).toMatchObject({ deliveryId: expect.stringMatching(/^\d{13}-/), projectId: 'P1' })
    expect(JSON.stringify(deliveries)).not.toMatch(/SMITH|dcm/)
  })

  it('are none in empty queues', async () => {
    expect(await counts()).toEqual([
      ['uploads', 0, []],
      ['deliveries', 0, []],
      ['exports', 0, []],
    ])
  })
})

describe('a redrive', () => {
  it('counts first, and moves nothing', async () => {
    await bury('EXPERIMENT_NOT_FOUND', 3)

    expect(await redriveDeadLetters(deps(), { queue: 'deliveries', dryRun: true })).toEqual({
      queue: 'deliveries',
      dryRun: true,
      codes: [{ code: 'EXPERIMENT_NOT_FOUND', messages: 3 }],
      messages: 3,
      isComplete: true,
      before: expect.any(String),
    })
    expect(await receiveAll(places.deliveries)).toEqual([])
    expect(await places.deliveriesLetters.reader.count()).toBe(3)
  })

  it('moves the letters of the chosen codes, all of them, into the group that they came from', async () => {
    await bury('EXPERIMENT_NOT_FOUND', 12)
    await bury('NO_EDIT_RIGHT', 14, 20)

    const outcome = await redriveDeadLetters(deps(), { queue: 'deliveries', codes: ['NO_EDIT_RIGHT'], dryRun: false })

    expect(outcome).toMatchObject({ messages: 14, isComplete: true })
    const moved = await receiveAll(places.deliveries)
    expect(new Set(moved.map(({ group }) => group))).toEqual(new Set([deliveryGroup(target)]))
    expect(moved.map(({ body }) => AnyOrder.parse(JSON.parse(body)).deliveryId).sort()).toEqual(
      Array.from({ length: 14 }, (_, n) => order(20 + n).deliveryId).sort(),
    )
    expect((await counts())[1]).toEqual(['deliveries', 12, ['EXPERIMENT_NOT_FOUND: 12']])
  })

  it('moves letters of a queue without groups, as they are', async () => {
    await sendUploads([{ body: '{"Records":[]}', attributes: { code: 'KEY_NOT_UNDERSTOOD' } }, { body: 'spent' }])

    await redriveDeadLetters(deps(), { queue: 'uploads', codes: ['TRIES_SPENT'], dryRun: false })

    expect((await receiveAll(places.uploads)).map(({ body }) => body)).toEqual(['spent'])
    expect((await counts())[0]).toEqual(['uploads', 1, ['KEY_NOT_UNDERSTOOD: 1']])
  })

  it('that dies between sending and deleting loses nothing, and doubles nothing when it is repeated', async () => {
    await bury('EXPERIMENT_NOT_FOUND', 2)
    const { deadLetters, ...rest } = deps()
    const dying: QueueReader = {
      ...deadLetters.deliveries,
      remove: () => Promise.reject(new StorageError('died', { code: 'STORAGE_BUSY' })),
    }
    const request = { queue: 'deliveries', dryRun: false } as const
    const first = redriveDeadLetters({ ...rest, deadLetters: { ...deadLetters, deliveries: dying } }, request)
    await expect(first).rejects.toThrow('died')

    await redriveDeadLetters(deps(), request)

    expect(await receiveAll(places.deliveries)).toHaveLength(2)
    expect(await places.deliveriesLetters.reader.count()).toBe(0)
  })

  it('leaves for next time what dies again meanwhile', async () => {
    await bury('EXPERIMENT_NOT_FOUND', 1)
    const { sources, ...rest } = deps()
    let turns = 0
    const failingAgain: Queue = {
      ...sources.deliveries,
      send: async () => {
        turns += 1
        await bury('NO_EDIT_RIGHT', 1, turns)
      },
    }

    const outcome = await redriveDeadLetters(
      { ...rest, sources: { ...sources, deliveries: failingAgain } },
      { queue: 'deliveries', dryRun: false },
    )

    expect([outcome.messages, turns]).toEqual([1, 1])
    expect((await counts())[1]).toEqual(['deliveries', 1, ['NO_EDIT_RIGHT: 1']])
  })

  it('that goes on leaves alone what died since it began', async () => {
    await bury('EXPERIMENT_NOT_FOUND', 1)
    const before = new Date()
    // SQS: the time of sending has milliseconds.
    await expect.poll(() => Date.now()).toBeGreaterThan(before.getTime())
    await bury('NO_EDIT_RIGHT', 1, 1)

    const outcome = await redriveDeadLetters(deps(), { queue: 'deliveries', dryRun: false, before })

    expect(outcome).toMatchObject({ codes: [{ code: 'EXPERIMENT_NOT_FOUND', messages: 1 }], isComplete: true })
    expect((await counts())[1]).toEqual(['deliveries', 1, ['NO_EDIT_RIGHT: 1']])
  })

  it('says that there are more when some lie behind others of their group, and moves them all when told to', async () => {
    const group = deliveryGroup(target)
    const spent = Array.from({ length: 13 }, (_, n) => ({ body: `${n}`, group, deduplicationId: `${n}` }))
    await places.deliveriesLetters.queue.send(spent)

    const seen = await redriveDeadLetters(deps(), { queue: 'deliveries', dryRun: true })
    expect(seen.isComplete).toBe(false)
    expect(seen.messages).toBeLessThan(13)

    const moved = await redriveDeadLetters(deps(), { queue: 'deliveries', dryRun: false })
    expect(moved).toMatchObject({ codes: [{ code: 'TRIES_SPENT', messages: 13 }], isComplete: true })
    expect((await receiveAll(places.deliveries)).map(({ body }) => body)).toEqual(spent.map(({ body }) => body))
  })

  it('ends when its time is over, and says that there may be more', async () => {
    await bury('EXPERIMENT_NOT_FOUND', 3)
    let minute = Date.now()
    const hurried = () => {
      minute += 60_000
      return new Date(minute)
    }

    const outcome = await redriveDeadLetters({ ...deps(), now: hurried }, { queue: 'deliveries', dryRun: true })

    expect(outcome.isComplete).toBe(false)
  })
})
