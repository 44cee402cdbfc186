import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { expect, it, vi } from 'vitest'
import {
  type NotificationTarget,
  type S3Event,
  type S3EventRecord,
  type S3TestEvent,
  startS3,
} from '../../../infra/local/s3-server/server.ts'
import { connect, credentials, makeFolder, startServer } from './start-server.ts'
import { uploadParts } from './upload-parts.ts'

const Bucket = 'images'
const everything = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*']

const put = (s3: S3Client, Key: string, Body = Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body }))

/** A target that keeps what it was given. */
function collect(filter: { id?: string; events?: string[]; prefix?: string; suffix?: string } = {}) {
  const records: S3EventRecord[] = []
  const deliver = async (event: S3Event) => void records.push(...event.Records)
  const target: NotificationTarget = { id: 'all', events: everything, ...filter, deliver }
  return { target, records, keys: () => records.map((record) => record.s3.object.key) }
}

it('tells of a new object in the record AWS sends', async () => {
  const { server, s3 } = await startServer()
  const { target, records } = collect({ id: 'uploads' })
  await server.setNotifications(Bucket, [target])
  const { ETag, $metadata } = await put(s3, 'in box/stüdy+1 (a).zip', '123')
  await vi.waitFor(() => expect(records).toHaveLength(1))
  expect(records[0]).toEqual({
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'eu-central-1',
    eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    eventName: 'ObjectCreated:Put',
    userIdentity: { principalId: 'AWS:LOCAL' },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': $metadata.requestId, 'x-amz-id-2': $metadata.extendedRequestId },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'uploads',
      bucket: { name: Bucket, ownerIdentity: { principalId: 'LOCAL' }, arn: 'arn:aws:s3:::images' },
      object: {
        key: 'in+box/st%C3%BCdy%2B1+%28a%29.zip',
        size: 3,
        eTag: ETag?.replaceAll('"', ''),
        sequencer: expect.stringMatching(/^[\dA-F]{18}$/),
      },
    },
  })
})

it('names what happened, and orders it by a sequencer that grows', async () => {
  const { server, s3 } = await startServer()
  const { target, records } = collect()
  await server.setNotifications(Bucket, [target])
  await put(s3, 'a')
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: 'images/a' }))
  await uploadParts(s3, { Bucket, Key: 'c' }, [Buffer.from('part')])
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'never there' }))
  await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'b' }, { Key: 'never there' }] } }))
  await vi.waitFor(() => expect(records).toHaveLength(5))
  const bySequence = records.toSorted((x, y) => (x.s3.object.sequencer < y.s3.object.sequencer ? -1 : 1))
  expect(bySequence.map((record) => `${record.eventName} ${record.s3.object.key}`)).toEqual([
    'ObjectCreated:Put a',
    'ObjectCreated:Copy b',
    'ObjectCreated:CompleteMultipartUpload c',
    'ObjectRemoved:Delete a',
    'ObjectRemoved:Delete b',
  ])
  expect(bySequence.at(-1)?.s3.object).toEqual({ key: 'b', sequencer: expect.any(String) })
})

it('tells each target only of the events, prefix and suffix it asked for', async () => {
  const { server, s3 } = await startServer()
  const puts = collect({ id: 'puts', events: ['s3:ObjectCreated:Put'], prefix: 'in/', suffix: '.dcm' })
  const removals = collect({ id: 'removals', events: ['s3:ObjectRemoved:*'] })
  await server.setNotifications(Bucket, [puts.target, removals.target])
  for (const key of ['in/a.dcm', 'in/a.txt', 'out/a.dcm']) await put(s3, key)
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'in/b.dcm', CopySource: 'images/in/a.dcm' }))
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'in/a.dcm' }))
  await vi.waitFor(() => expect(removals.keys()).toEqual(['in/a.dcm']))
  expect(puts.keys()).toEqual(['in/a.dcm'])
})

it('offers an event again, later each time, until the target takes it; others do not wait for it', async () => {
  const { server, s3 } = await startServer()
  const attempts: number[] = []
  const taken: string[] = []
  const deliver = async ({ Records: [record] }: S3Event) => {
    const key = record?.s3.object.key ?? ''
    if (key === 'stubborn' && attempts.push(performance.now()) < 4) throw new Error('not now')
    taken.push(key)
  }
  await server.setNotifications(Bucket, [{ id: 'all', events: everything, deliver }])
  await put(s3, 'stubborn')
  await put(s3, 'easy')
  await vi.waitFor(() => expect(taken).toEqual(['easy', 'stubborn']), { timeout: 5000 })
  const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0))
  expect(waits.map((ms, index) => ms >= 99 * 2 ** index)).toEqual([true, true, true])
})

it('delivers to new targets at once, and drops what waits for targets that are gone', async () => {
  const { server, s3 } = await startServer()
  const deliver = async () => Promise.reject(new Error('down'))
  const refusing = (id: string): NotificationTarget => ({ id, events: everything, deliver })
  await server.setNotifications(Bucket, [refusing('kept'), refusing('dropped')])
  await put(s3, 'a')
  const kept = collect({ id: 'kept' })
  const added = collect({ id: 'added' })
  await server.setNotifications(Bucket, [kept.target, added.target])
  await vi.waitFor(() => expect(kept.keys()).toEqual(['a']))
  await put(s3, 'b')
  await vi.waitFor(() => expect(added.keys()).toEqual(['b']))
  const dropped = collect({ id: 'dropped' })
  await server.setNotifications(Bucket, [dropped.target])
  await put(s3, 'c')
  await vi.waitFor(() => expect(dropped.keys()).toEqual(['c']))
})

it('keeps what was not delivered over a restart, and delivers nothing twice that was', async () => {
  const dataDir = await makeFolder()
  const first = await startS3({ dataDir, credentials })
  const s3 = connect(first)
  await first.createBucket(Bucket)
  const early = collect()
  await first.setNotifications(Bucket, [early.target])
  await put(s3, 'delivered')
  await vi.waitFor(() => expect(early.keys()).toEqual(['delivered']))
  const deliver = async () => Promise.reject(new Error('down'))
  await first.setNotifications(Bucket, [{ id: 'all', events: everything, deliver }])
  await put(s3, 'waiting')
  await first.stop()
  const { server } = await startServer({ dataDir })
  const late = collect()
  await server.setNotifications(Bucket, [late.target])
  await vi.waitFor(() => expect(late.keys()).toEqual(['waiting']))
})

it('delivers many events at a time without losing or doubling one', async () => {
  const { server, s3 } = await startServer()
  const { target, keys } = collect()
  await server.setNotifications(Bucket, [target])
  const wanted = Array.from({ length: 300 }, (_none, index) => `key-${index}`)
  await Promise.all(wanted.map((key) => put(s3, key)))
  await vi.waitFor(() => expect(keys()).toHaveLength(wanted.length))
  expect(new Set(keys())).toEqual(new Set(wanted))
})

it('announces itself with a test event when asked to', async () => {
  const { server } = await startServer()
  const events: (S3Event | S3TestEvent)[] = []
  const deliver = async (event: S3Event | S3TestEvent) => void events.push(event)
  await server.setNotifications(Bucket, [{ id: 'all', events: everything, testEvent: true, deliver }])
  expect(events).toMatchObject([{ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket }])
})
