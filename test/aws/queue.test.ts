import { ReceiveMessageCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { mockClient } from 'aws-sdk-client-mock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createQueue } from '../../lib/aws/queue.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'

let aws: LocalAws
beforeAll(async () => {
  aws = await startLocalAws()
})
afterAll(() => aws.stop())

async function receiveAll(url: string) {
  const messages = []
  for (;;) {
    const { Messages = [] } = await aws.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
    )
    if (Messages.length === 0) return messages
    messages.push(...Messages)
  }
}

describe('a queue', () => {
  it('takes any number of messages, with their attributes', async () => {
    const { queue, url } = await aws.queue('many')
    const bodies = Array.from({ length: 25 }, (_, index) => `message ${index}`)

    await queue.send(bodies.map((body) => ({ body, attributes: { code: 'A_CODE' } })))

    const received = await receiveAll(url)
    expect(received.map(({ Body }) => Body).sort()).toEqual(bodies.sort())
    expect(received[0]?.MessageAttributes?.['code']?.StringValue).toBe('A_CODE')
  })

  it('splits batches whose sum would be more than SQS takes', async () => {
    const { queue, url } = await aws.queue('large')

    await queue.send(Array.from({ length: 6 }, () => ({ body: 'x'.repeat(100_000) })))

    expect(await receiveAll(url)).toHaveLength(6)
  })

  it('sends the same deduplication id once', async () => {
    const { queue, url } = await aws.queue('once.fifo', { FifoQueue: 'true' })
    const message = { body: 'hello', group: 'g', deduplicationId: 'd' }

    await queue.send([message])
    await queue.send([message])

    expect(await receiveAll(url)).toHaveLength(1)
  })

  it('hands a postponed message in again, and not before', async () => {
    const { queue, url } = await aws.queue('postponed', { VisibilityTimeout: '600' })
    await queue.send([{ body: 'again' }])
    const [first] = await receiveAll(url)

    await queue.postpone(first!.ReceiptHandle!, 1_000)

    expect(await receiveAll(url)).toHaveLength(0)
    await expect.poll(() => receiveAll(url), { timeout: 5_000 }).toHaveLength(1)
  })

  it.each([
    [true, 'STORAGE_REFUSED', 'never'],
    [false, 'STORAGE_BUSY', 'later'],
  ])('fails when a part of a batch is not taken (the fault ours: %s)', async (SenderFault, code, retry) => {
    const sqs = mockClient(SQSClient)
    sqs
      .on(SendMessageBatchCommand)
      .resolves({ Successful: [], Failed: [{ Id: '0', Code: 'InternalError', SenderFault }] })
    const queue = createQueue(new SQSClient({ region: 'eu-central-1' }), 'https://sqs.invalid/q')

    await expect(queue.send([{ body: 'lost?' }])).rejects.toMatchObject({ code, retry })
    sqs.restore()
  })
})
