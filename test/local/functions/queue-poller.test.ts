import { setTimeout as sleep } from 'node:timers/promises'
import { ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import * as z from 'zod'
import type { SqsEvent } from '../../../infra/local/run-functions/function-events.ts'
import { runFunctions } from '../../../infra/local/run-functions/run-functions.ts'
import { startSqs } from '../../../infra/local/sqs-server.ts'
import { FIXTURE_SERVICE, functionModel, queueEvent, REGION, serviceModel } from './function-models.ts'
import { type LogLine, sqsClient, startFixture } from './start-fixture.ts'

const Batch = z.object({
  at: z.number(),
  records: z.array(z.looseObject({ body: z.string(), attributes: z.record(z.string(), z.string()) })),
})

const DEAD = { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 2 }
const FIFO = { FifoQueue: true, ContentBasedDeduplication: true }

/** A worker on the queue `Orders`; `batches()` is what it was handed so far, in order. */
async function startWorker(
  event: Partial<SqsEvent> = {},
  orders: { VisibilityTimeout?: number; FifoQueue?: boolean } = {},
) {
  const properties = { VisibilityTimeout: 2, RedrivePolicy: DEAD, ...orders }
  const timeoutSeconds = properties.VisibilityTimeout
  const worker = functionModel('workers/collect', { timeoutSeconds, events: [queueEvent('Orders', event)] })
  const deadLetters = orders.FifoQueue ? { FifoQueue: true } : {}
  const queues = { Orders: properties, Dead: deadLetters }
  const fixture = await startFixture(serviceModel([worker], queues))
  /** Sent in one call, the messages are received in one. */
  const sendTogether = (...orders: string[]) => {
    const Entries = orders.map((MessageBody, index) => ({ Id: String(index), MessageBody }))
    return fixture.client.send(new SendMessageBatchCommand({ QueueUrl: fixture.urlOf('Orders'), Entries }))
  }
  return { ...fixture, sendTogether, batches: () => batchesIn(fixture.lines) }
}

function batchesIn(lines: readonly LogLine[]) {
  return lines.filter(({ line }) => line.includes('"records"')).map(({ line }) => Batch.parse(JSON.parse(line)))
}

type Worker = Awaited<ReturnType<typeof startWorker>>

const bodies = ({ batches }: Worker) => batches().map(({ records }) => records.map(({ body }) => body))
const empty = { ready: 0, delayed: 0, inFlight: 0 }

describe('a worker on a queue', () => {
  it('gets a message as Lambda would hand it in', async () => {
    const worker = await startWorker({}, FIFO)
    await worker.send('Orders', 'order 1', {
      MessageGroupId: 'XNAT_E1',
      MessageDeduplicationId: 'once',
      MessageAttributes: {
        code: { DataType: 'String', StringValue: 'XNAT_BUSY' },
        count: { DataType: 'Number', StringValue: '3' },
        raw: { DataType: 'Binary', BinaryValue: new Uint8Array([255, 0]) },
      },
    })
    await vi.waitFor(() => expect(worker.batches()).toHaveLength(1), 5_000)

    const lists = { stringListValues: [], binaryListValues: [] }
    expect(worker.batches()[0]?.records).toEqual([
      {
        messageId: expect.stringMatching(/^[\da-f-]{36}$/),
        receiptHandle: expect.any(String),
        body: 'order 1',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: expect.any(String),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          MessageGroupId: 'XNAT_E1',
          MessageDeduplicationId: 'once',
          SequenceNumber: expect.stringMatching(/^\d{20}$/),
        },
        messageAttributes: {
          code: { stringValue: 'XNAT_BUSY', dataType: 'String', ...lists },
          count: { stringValue: '3', dataType: 'Number', ...lists },
          raw: { binaryValue: '/wA=', dataType: 'Binary', ...lists },
        },
        md5OfBody: '99a233e67156812c9681c22c78e91aaa',
        md5OfMessageAttributes: expect.stringMatching(/^[\da-f]{32}$/),
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:eu-central-1:000000000000:fixture-test-Orders.fifo',
        awsRegion: 'eu-central-1',
      },
    ])
    await vi.waitFor(() => expect(worker.counts('Orders')).toEqual(empty))
  })

  it('starts on a message within 100 ms when the queue was idle', async () => {
    const worker = await startWorker()
    await worker.send('Orders', 'to warm up')
    await vi.waitFor(() => expect(worker.batches()).toHaveLength(1), 5_000)
    const delaysMs: number[] = []
    for (let order = 1; order <= 3; order += 1) {
      await sleep(300)
      const sentAt = Date.now()
      await worker.send('Orders', 'now')
      await vi.waitFor(() => expect(worker.batches()).toHaveLength(order + 1))
      delaysMs.push(worker.batches()[order]!.at - sentAt)
    }
    expect(Math.min(...delaysMs)).toBeLessThan(100)
  })

  it('gets at most batchSize messages at once', async () => {
    const worker = await startWorker({ batchSize: 3, maximumConcurrency: 2 })
    for (let order = 0; order < 8; order += 1) await worker.send('Orders', `order ${order}`)
    await vi.waitFor(() => expect(bodies(worker).flat()).toHaveLength(8), 5_000)
    expect(Math.max(...bodies(worker).map((batch) => batch.length))).toBeLessThanOrEqual(3)
    await vi.waitFor(() => expect(worker.counts('Orders')).toEqual(empty))
  })

  it('gets what comes within the batching window together, more than SQS gives at a time', async () => {
    const worker = await startWorker({ batchSize: 1_000, batchingWindowSeconds: 1 }, { VisibilityTimeout: 30 })
    for (let order = 0; order < 35; order += 1) await worker.send('Orders', `order ${order}`)
    await vi.waitFor(() => expect(bodies(worker).flat()).toHaveLength(35), 5_000)
    expect(worker.batches()).toHaveLength(1)
    await vi.waitFor(() => expect(worker.counts('Orders')).toEqual(empty))
  })

  it('is handed a full batch before the window is over', async () => {
    const worker = await startWorker({ batchSize: 12, batchingWindowSeconds: 20 }, { VisibilityTimeout: 30 })
    for (let order = 0; order < 12; order += 1) await worker.send('Orders', `order ${order}`)
    await vi.waitFor(() => expect(bodies(worker).map((batch) => batch.length)).toEqual([12]), 5_000)
  })

  it('gets in two invocations what one cannot carry', async () => {
    const worker = await startWorker({ batchSize: 10, batchingWindowSeconds: 2 }, { VisibilityTimeout: 30 })
    const big = 'x'.repeat(1_000_000)
    for (let order = 0; order < 7; order += 1) await worker.send('Orders', `${order}${big}`)
    await vi.waitFor(() => expect(worker.batches().length).toBeGreaterThanOrEqual(2), 10_000)
    await vi.waitFor(() => expect(worker.counts('Orders')).toEqual(empty), 5_000)
    expect(worker.peaks()['collect']).toMatchObject({ failures: 0 })
  })

  it('runs in no more processes than maximumConcurrency, and leaves in the queue what has to wait', async () => {
    const worker = await startWorker({ batchSize: 1, maximumConcurrency: 2 }, { VisibilityTimeout: 30 })
    for (let order = 0; order < 6; order += 1) await worker.send('Orders', `slow ${order}`)
    const inFlight: number[] = []
    await vi.waitFor(() => {
      inFlight.push(worker.counts('Orders').inFlight)
      expect(worker.counts('Orders')).toEqual(empty)
    }, 10_000)
    expect(Math.max(...inFlight)).toBe(2)

    const starts = worker.batches().map(({ at }) => at)
    const together = starts.map((start) => starts.filter((other) => other >= start && other < start + 350).length)
    expect(Math.max(...together)).toBe(2)
    expect(worker.peaks()['collect']).toMatchObject({ coldStarts: 2, invocations: 6 })
  })

  it('is not polled for when its trigger is disabled', async () => {
    const worker = await startWorker({ enabled: false })
    await worker.send('Orders', 'nobody listens')
    await sleep(300)
    expect(worker.counts('Orders')).toEqual({ ...empty, ready: 1 })
  })
})

describe('what a worker answers', () => {
  it('keeps the messages it reports as failed until the dead-letter queue takes them, and no others', async () => {
    const worker = await startWorker()
    await worker.sendTogether('ok 1', 'fail 2', 'ok 3')
    await vi.waitFor(() => expect(worker.counts('Dead').ready).toBe(1), 10_000)

    expect(bodies(worker)).toEqual([['ok 1', 'fail 2', 'ok 3'], ['fail 2']])
    expect(worker.batches()[1]?.records[0]?.attributes['ApproximateReceiveCount']).toBe('2')
    expect(worker.counts('Orders')).toEqual(empty)
    const { Messages: dead } = await worker.client.send(new ReceiveMessageCommand({ QueueUrl: worker.urlOf('Dead') }))
    expect(dead?.map(({ Body }) => Body)).toEqual(['fail 2'])
  })

  it.each([
    ['it throws', 'throw'],
    ['it names a message that is not in the batch', 'unknown id'],
    ['its answer has the wrong keys', 'bad answer'],
  ])('fails the whole batch when %s', async (_title, body) => {
    const worker = await startWorker({}, { VisibilityTimeout: 30 })
    await worker.sendTogether('ok', body)
    await vi.waitFor(() => expect(worker.peaks()['collect']?.invocations).toBe(1), 5_000)
    await sleep(200)
    expect(bodies(worker)).toEqual([['ok', body]])
    expect(worker.counts('Orders')).toEqual({ ...empty, inFlight: 2 })
  })

  it('is all well when its list of failures is null', async () => {
    const worker = await startWorker()
    await worker.send('Orders', 'null list')
    await vi.waitFor(() => expect(worker.batches()).toHaveLength(1), 5_000)
    await vi.waitFor(() => expect(worker.counts('Orders')).toEqual(empty), 900)
    expect(worker.counts('Dead').ready).toBe(0)
  })

  it('is not read without ReportBatchItemFailures: the batch is done unless it throws', async () => {
    const worker = await startWorker({ reportsItemFailures: false }, { VisibilityTimeout: 30 })
    await worker.send('Orders', 'fail but nobody asks')
    await vi.waitFor(() => expect(worker.batches()).toHaveLength(1), 5_000)
    await vi.waitFor(() => expect(worker.counts('Orders')).toEqual(empty))

    await worker.send('Orders', 'throw')
    await vi.waitFor(() => expect(worker.peaks()['collect']?.failures).toBe(1), 5_000)
    await sleep(200)
    expect(worker.counts('Orders')).toEqual({ ...empty, inFlight: 1 })
  })
})

describe('a FIFO queue', () => {
  it('hands in one message of a group after the other, groups side by side', async () => {
    const worker = await startWorker({ maximumConcurrency: 4 }, { ...FIFO, VisibilityTimeout: 30 })
    for (const order of ['slow 1', 'slow 2', 'slow 3']) {
      for (const group of ['a', 'b']) await worker.send('Orders', `${order} ${group}`, { MessageGroupId: group })
    }
    await vi.waitFor(() => expect(worker.counts('Orders')).toEqual(empty), 10_000)

    for (const group of ['a', 'b']) {
      const handled = worker.batches().filter(({ records }) => records.some(({ body }) => body.endsWith(group)))
      const order = handled.flatMap(({ records }) =>
        records.map(({ body }) => body).filter((body) => body.endsWith(group)),
      )
      expect(order).toEqual([`slow 1 ${group}`, `slow 2 ${group}`, `slow 3 ${group}`])
      const starts = handled.map(({ at }) => at)
      expect(starts[1]! - starts[0]!).toBeGreaterThanOrEqual(395)
      expect(starts[2]! - starts[1]!).toBeGreaterThanOrEqual(395)
    }
  })

  it('holds a group back while its first message fails, and lets it go on after that one is dead', async () => {
    const worker = await startWorker({}, FIFO)
    await worker.send('Orders', 'fail first', { MessageGroupId: 'a' })
    await worker.send('Orders', 'second', { MessageGroupId: 'a' })
    await worker.send('Orders', 'other group', { MessageGroupId: 'b' })
    await vi.waitFor(() => expect(bodies(worker).flat()).toContain('second'), 10_000)

    const ofGroupA = bodies(worker)
      .flat()
      .filter((body) => body !== 'other group')
    expect(ofGroupA).toEqual(['fail first', 'fail first', 'second'])
    expect(bodies(worker).flat().indexOf('other group')).toBeLessThan(bodies(worker).flat().indexOf('second'))
    await vi.waitFor(() => expect(worker.counts('Dead').ready).toBe(1))
  })
})

describe('the end of a run', () => {
  it('lets a batch under way finish, and deletes its messages', async () => {
    const worker = await startWorker({}, { VisibilityTimeout: 30 })
    await worker.send('Orders', 'slow')
    await vi.waitFor(() => expect(worker.batches()).toHaveLength(1), 5_000)
    await worker.stop()
    expect(worker.logged()).toContain('{"done":["slow"]}')
    expect(worker.counts('Orders')).toEqual(empty)
  })

  it('leaves a batch that takes longer than the grace in flight, for another run', async () => {
    const worker = await startWorker({}, { VisibilityTimeout: 30 })
    await worker.send('Orders', 'slow')
    await vi.waitFor(() => expect(worker.batches()).toHaveLength(1), 5_000)
    await worker.stop(0)
    expect(worker.logged()).not.toContain('"done"')
    expect(worker.counts('Orders')).toEqual({ ...empty, inFlight: 1 })
  })
})

describe('an SQS that is away for a while', () => {
  it('is said in the log, and polled again when it is back', async () => {
    const service = serviceModel([functionModel('workers/collect', { events: [queueEvent('Orders')] })], { Orders: {} })
    const first = await startSqs({ region: REGION })
    const { port } = new URL(first.url)
    const lines: LogLine[] = []
    const running = await runFunctions({
      service,
      projectDir: FIXTURE_SERVICE,
      sqs: { url: first.url, region: REGION },
      apiPort: 0,
      log: (functionName, line) => lines.push({ functionName, line }),
    })
    onTestFinished(() => running.stop(0))
    await first.stop()
    const failure = expect.stringMatching(/^Receiving from fixture-test-Orders failed: /)
    await vi.waitFor(() => expect(lines).toContainEqual({ functionName: 'collect', line: failure }), 5_000)

    const second = await startSqs({ region: REGION, port: Number(port) })
    onTestFinished(() => second.stop())
    const { url } = await second.createQueue('fixture-test-Orders')
    await sqsClient(second.url).send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'at last' }))
    await vi.waitFor(() => expect(batchesIn(lines)[0]?.records[0]?.body).toBe('at last'), 10_000)
  })
})
