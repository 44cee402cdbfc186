import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type SqsServerOptions, startSqs } from '../../infra/local/sqs-server.ts'

async function start(options: SqsServerOptions = {}) {
  const server = await startSqs(options)
  let stopping: Promise<void> | undefined
  const stop = () => (stopping ??= server.stop())
  onTestFinished(stop)
  const client = new SQSClient({
    region: 'eu-central-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  onTestFinished(() => client.destroy())
  const urlOf = (name: string) => `${server.url}/000000000000/${name}`
  return {
    ...server,
    stop,
    client,
    send: (name: string, MessageBody: string, MessageGroupId?: string) =>
      client.send(
        new SendMessageCommand({ QueueUrl: urlOf(name), MessageBody, ...(MessageGroupId && { MessageGroupId }) }),
      ),
    async receive(name: string): Promise<Message[]> {
      const command = { QueueUrl: urlOf(name), MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All' as const] }
      return (await client.send(new ReceiveMessageCommand(command))).Messages ?? []
    },
    remove: (name: string, message: Message | undefined) =>
      client.send(new DeleteMessageCommand({ QueueUrl: urlOf(name), ReceiptHandle: message?.ReceiptHandle })),
    setVisibility: (name: string, message: Message | undefined, VisibilityTimeout: number) =>
      client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: urlOf(name),
          ReceiptHandle: message?.ReceiptHandle,
          VisibilityTimeout,
        }),
      ),
  }
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sqs-server-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const FIFO = { FifoQueue: 'true', ContentBasedDeduplication: 'true' }

describe('the embedded SQS', () => {
  it.runIf(process.platform === 'linux')('listens on 127.0.0.1 and on no other address', async () => {
    const { url } = await start()
    const answers = (host: string) =>
      new Promise<boolean>((resolve) => {
        const socket = connect(Number(new URL(url).port), host, () => resolve(true))
        socket.once('error', () => resolve(false)).once('close', () => socket.destroy())
        onTestFinished(() => void socket.destroy())
      })
    expect(await answers('127.0.0.1')).toBe(true)
    // All of 127/8 is this machine: a server on 0.0.0.0 would answer here too.
    expect(await answers('127.0.0.2')).toBe(false)
  })

  it('hands out URLs that can be reached as they are', async () => {
    const server = await start({ region: 'eu-west-2' })
    expect(await server.createQueue('orders')).toEqual({
      url: `${server.url}/000000000000/orders`,
      arn: 'arn:aws:sqs:eu-west-2:000000000000:orders',
    })
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  it('moves a message to the dead-letter queue when it was received too often', async () => {
    const server = await start()
    const { arn } = await server.createQueue('dead')
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 2 })
    await server.createQueue('orders', { RedrivePolicy })
    await server.send('orders', 'poison')
    for (let receipt = 0; receipt < 2; receipt += 1) {
      const [message] = await server.receive('orders')
      await server.setVisibility('orders', message, 0)
    }
    expect(await server.receive('orders')).toEqual([])
    expect((await server.receive('dead')).map(({ Body }) => Body)).toEqual(['poison'])
  })

  it('lends no message of a FIFO group while another of it is out', async () => {
    const server = await start()
    await server.createQueue('orders.fifo', FIFO)
    for (const order of ['a1', 'a2', 'b1']) await server.send('orders.fifo', order, order.charAt(0))
    const lent = await server.receive('orders.fifo')
    expect(lent.map(({ Body }) => Body)).toEqual(['a1', 'b1'])
    expect(await server.receive('orders.fifo')).toEqual([])
    await server.remove('orders.fifo', lent[0])
    expect((await server.receive('orders.fifo')).map(({ Body }) => Body)).toEqual(['a2'])
  })

  it('is an error to count the messages of a queue that is not there', async () => {
    const server = await start()
    expect(() => server.messageCounts('nowhere')).toThrow('nowhere')
  })
})

describe('the embedded SQS with a folder', () => {
  it('keeps messages over a restart, in order and on another port', async () => {
    const dataDir = await temporaryFolder()
    const first = await start({ dataDir })
    await first.createQueue('orders.fifo', FIFO)
    for (const order of ['1', '2', '3']) await first.send('orders.fifo', order, 'group')
    await first.stop()

    const second = await start({ dataDir })
    await second.createQueue('orders.fifo', FIFO)
    expect(second.messageCounts('orders.fifo')).toEqual({ ready: 3, delayed: 0, inFlight: 0 })
    for (const order of ['1', '2', '3']) {
      const [message] = await second.receive('orders.fifo')
      expect(message?.Body).toBe(order)
      await second.remove('orders.fifo', message)
    }
  })

  it('takes a FIFO queue that was kept with all its attributes', async () => {
    const dataDir = await temporaryFolder()
    const attributes = { ...FIFO, DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' }
    const first = await start({ dataDir })
    await first.createQueue('orders.fifo', attributes)
    await first.send('orders.fifo', 'kept', 'group')
    await first.stop()

    const second = await start({ dataDir })
    await second.createQueue('orders.fifo', attributes)
    expect((await second.receive('orders.fifo')).map(({ Body }) => Body)).toEqual(['kept'])
  })

  it('gives a queue that was kept its new attributes', async () => {
    const dataDir = await temporaryFolder()
    const first = await start({ dataDir })
    await first.createQueue('orders', { VisibilityTimeout: '30' })
    await first.send('orders', 'kept')
    await first.stop()

    const second = await start({ dataDir })
    const { url: QueueUrl } = await second.createQueue('orders', { VisibilityTimeout: '90' })
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout'] })
    expect((await second.client.send(command)).Attributes).toEqual({ VisibilityTimeout: '90' })
    expect((await second.receive('orders')).map(({ Body }) => Body)).toEqual(['kept'])
  })

  it('releases at once what was in flight when it ended, first in its group and with its receive count', async () => {
    const dataDir = await temporaryFolder()
    const first = await start({ dataDir })
    await first.createQueue('orders.fifo', { ...FIFO, VisibilityTimeout: '3600' })
    for (const order of ['1', '2']) await first.send('orders.fifo', order, 'group')
    expect(await first.receive('orders.fifo')).toHaveLength(1)
    await first.stop()

    const second = await start({ dataDir })
    await second.createQueue('orders.fifo', { ...FIFO, VisibilityTimeout: '3600' })
    expect(second.messageCounts('orders.fifo')).toEqual({ ready: 1, delayed: 0, inFlight: 1 })
    await second.releaseInFlight()

    expect(second.messageCounts('orders.fifo')).toEqual({ ready: 2, delayed: 0, inFlight: 0 })
    const [message] = await second.receive('orders.fifo')
    expect(message).toMatchObject({ Body: '1', Attributes: { ApproximateReceiveCount: '2' } })
  })

  it('loses no message that is given back with a visibility timeout of 0', async () => {
    const dataDir = await temporaryFolder()
    const first = await start({ dataDir })
    await first.createQueue('orders', { VisibilityTimeout: '3600' })
    await first.send('orders', 'given back')
    const [message] = await first.receive('orders')
    await first.setVisibility('orders', message, 0)
    expect(first.messageCounts('orders')).toEqual({ ready: 1, delayed: 0, inFlight: 0 })
    await first.stop()

    const second = await start({ dataDir })
    await second.createQueue('orders', { VisibilityTimeout: '3600' })
    const [again] = await second.receive('orders')
    expect(again).toMatchObject({ Body: 'given back', Attributes: { ApproximateReceiveCount: '2' } })
  })

  it('releases more than ten messages', async () => {
    const dataDir = await temporaryFolder()
    const server = await start({ dataDir })
    await server.createQueue('orders', { VisibilityTimeout: '3600' })
    for (let order = 0; order < 23; order += 1) await server.send('orders', `order ${order}`)
    for (let receipt = 0; receipt < 3; receipt += 1) await server.receive('orders')
    expect(server.messageCounts('orders').inFlight).toBe(23)
    await server.releaseInFlight()
    await vi.waitFor(() => expect(server.messageCounts('orders')).toEqual({ ready: 23, delayed: 0, inFlight: 0 }))
  })
})
