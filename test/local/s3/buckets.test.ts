import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { countBlobs, startServer } from './start-server.ts'

it('makes, lists and removes buckets', async () => {
  const { s3 } = await startServer()
  await s3.send(new CreateBucketCommand({ Bucket: 'state.records' }))
  const again = s3.send(new CreateBucketCommand({ Bucket: 'state.records' }))
  await expect(again).rejects.toMatchObject({ name: 'BucketAlreadyOwnedByYou' })
  const { Buckets } = await s3.send(new ListBucketsCommand({}))
  expect(Buckets?.map((bucket) => bucket.Name)).toEqual(['images', 'state.records'])
  await s3.send(new DeleteBucketCommand({ Bucket: 'state.records' }))
  const head = (Bucket: string) => s3.send(new HeadBucketCommand({ Bucket }))
  await expect(head('state.records')).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } })
  expect(await head('images')).toMatchObject({ BucketRegion: 'eu-central-1' })
})

it('keeps a bucket with objects, and removes one with nothing but uploads under way', async () => {
  const { s3, dataDir } = await startServer()
  const target = { Bucket: 'images', Key: 'a' }
  await s3.send(new PutObjectCommand({ ...target, Body: 'x' }))
  const remove = () => s3.send(new DeleteBucketCommand({ Bucket: 'images' }))
  await expect(remove()).rejects.toMatchObject({ name: 'BucketNotEmpty' })
  await s3.send(new DeleteObjectCommand(target))
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target))
  await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' }))
  await remove()
  expect(await countBlobs(dataDir)).toBe(0)
})

it('tells its region, and takes no other', async () => {
  const { s3 } = await startServer()
  const location = await s3.send(new GetBucketLocationCommand({ Bucket: 'images' }))
  expect(location.LocationConstraint).toBe('eu-central-1')
  const create = (LocationConstraint: 'eu-central-1' | 'us-west-2') =>
    s3.send(new CreateBucketCommand({ Bucket: 'new', CreateBucketConfiguration: { LocationConstraint } }))
  await expect(create('us-west-2')).rejects.toMatchObject({ name: 'IllegalLocationConstraintException' })
  await expect(create('eu-central-1')).resolves.toBeDefined()
})

it('refuses names no bucket may have, by its own method too', async () => {
  const { server, s3 } = await startServer()
  for (const Bucket of ['ab', 'Upper', 'under_score', 'two..dots', '-dash', '192.168.0.1', 'x'.repeat(64)]) {
    await expect(s3.send(new CreateBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'InvalidBucketName' })
    await expect(server.createBucket(Bucket)).rejects.toMatchObject({ code: 'InvalidBucketName' })
  }
  await expect(server.createBucket('images')).resolves.toBeUndefined()
})
