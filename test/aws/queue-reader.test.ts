import { DeleteMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { mockClient } from 'aws-sdk-client-mock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createQueueReader, type QueueReader } from '../../lib/aws/queue-reader.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'

let aws: LocalAws
beforeAll(async () => {
  aws = await startLocalAws()
})
afterAll(() => aws.stop())

async function filled(name: string, bodies: readonly string[], fifo = false) {
  const { queue, url } = await aws.queue(name, fifo ? { FifoQueue: 'true' } : {})
  await queue.send(
    bodies.map((body) => ({
      body,
      attributes: { code: 'A_CODE' },
      ...(fifo && { group: `group ${body}`, deduplicationId: body }),
    })),
  )
  return createQueueReader(aws.sqs, url)
}

const receive = (reader: QueueReader) => reader.receive({ hiddenSeconds: 30 })

describe('a queue that is looked into', () => {
  it('gives messages with all that came with them', async () => {
    const reader = await filled('looked-into.fifo', ['one'], true)
    const before = Date.now()

    const [message] = await receive(reader)

    expect(message).toMatchObject({ body: 'one', group: 'group one', attributes: { code: 'A_CODE' } })
    expect(Math.abs((message?.sentAt.getTime() ?? 0) - before)).toBeLessThan(60_000)
  })

  it('hides what it gave until that is released', async () => {
    const reader = await filled('released', ['one', 'two'])
    const first = await receive(reader)
    expect([first.length, (await receive(reader)).length]).toEqual([2, 0])

    await reader.release(first.map(({ receiptHandle }) => receiptHandle))

    expect((await receive(reader)).map(({ body }) => body).sort()).toEqual(['one', 'two'])
  })

  it('counts messages, hidden ones included, and no longer those that were removed', async () => {
    const reader = await filled(
      'counted',
      Array.from({ length: 12 }, (_, index) => `${index}`),
    )
    const some = await receive(reader)
    expect(await reader.count()).toBe(12)

    await reader.remove(some.map(({ receiptHandle }) => receiptHandle))

    expect(await reader.count()).toBe(12 - some.length)
  })

  it('fails when a message was not removed', async () => {
    const sqs = mockClient(SQSClient)
    sqs.on(DeleteMessageBatchCommand).resolves({
      Successful: [],
      Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }],
    })
    const reader = createQueueReader(new SQSClient({ region: 'eu-central-1' }), 'https://sqs.invalid/q')

    await expect(reader.remove(['handle'])).rejects.toMatchObject({ code: 'STORAGE_BUSY', retry: 'later' })
    sqs.restore()
  })
})
