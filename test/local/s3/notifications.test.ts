import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, it, vi } from 'vitest'
import type { S3EventRecord } from '../../../infra/local/s3-server/server.ts'
import { startServer } from './start-server.ts'

const Bucket = 'images'

it('tells a target of what was put and removed, in the shape AWS uses', async () => {
  const { server, s3 } = await startServer()
  const records: S3EventRecord[] = []
  const deliver = async (event: { Records: S3EventRecord[] }) => void records.push(...event.Records)
  const events = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*']
  await server.setNotifications(Bucket, [{ id: 'uploads', events, deliver }])
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'in box/stüdy+1.zip', Body: '123' }))
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'in box/stüdy+1.zip' }))
  await vi.waitFor(() => expect(records).toHaveLength(2))
  expect(records[0]).toMatchObject({
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'eu-central-1',
    eventName: 'ObjectCreated:Put',
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'uploads',
      bucket: { name: Bucket, arn: 'arn:aws:s3:::images' },
      object: { key: 'in+box/st%C3%BCdy%2B1.zip', size: 3, eTag: ETag?.replaceAll('"', '') },
    },
  })
  expect(records[1]).toMatchObject({ eventName: 'ObjectRemoved:Delete' })
  expect(records[1]!.s3.object.sequencer > records[0]!.s3.object.sequencer).toBe(true)
})
