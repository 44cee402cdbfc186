import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { startServer } from './start-server.ts'

const Bucket = 'images'

it('gives back what was put, with its ETag, its headers and its metadata', async () => {
  const { s3 } = await startServer()
  const put = await s3.send(
    new PutObjectCommand({
      Bucket,
      Key: 'scan.dcm',
      Body: 'pixels',
      ContentType: 'application/dicom',
      CacheControl: 'no-store',
      ContentDisposition: 'attachment; filename="scan.dcm"',
      ContentEncoding: 'gzip',
      Metadata: { 'xsi-type': 'xnat:mrSessionData' },
    }),
  )
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'scan.dcm' }))
  expect(await got.Body?.transformToString()).toBe('pixels')
  expect(got).toMatchObject({
    ETag: '"d399848208da8b80a306af0fd62bb03f"',
    ContentLength: 6,
    ContentType: 'application/dicom',
    CacheControl: 'no-store',
    ContentDisposition: 'attachment; filename="scan.dcm"',
    ContentEncoding: 'gzip',
    Metadata: { 'xsi-type': 'xnat:mrSessionData' },
  })
  expect(put.ETag).toBe(got.ETag)
})

it('takes a stream, and keeps aws-chunked out of the stored encoding', async () => {
  const { s3 } = await startServer()
  const body = Readable.from([Buffer.alloc(70_000, 'a'), Buffer.alloc(30_000, 'b')])
  await s3.send(new PutObjectCommand({ Bucket, Key: 'stream', Body: body, ContentLength: 100_000 }))
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'stream' }))
  expect(got.ContentEncoding).toBeUndefined()
  expect(await got.Body?.transformToString()).toBe('a'.repeat(70_000) + 'b'.repeat(30_000))
})

it('answers HEAD like GET, and 404 for what is not there', async () => {
  const { s3 } = await startServer()
  await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: '12345' }))
  expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'a' }))).toMatchObject({ ContentLength: 5 })
  await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'b' }))).rejects.toMatchObject({ name: 'NotFound' })
  await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'b' }))).rejects.toMatchObject({ name: 'NoSuchKey' })
  await expect(s3.send(new GetObjectCommand({ Bucket: 'other', Key: 'b' }))).rejects.toMatchObject({
    name: 'NoSuchBucket',
  })
})

it('deletes one object or many, and succeeds for what is not there', async () => {
  const { s3 } = await startServer()
  for (const Key of ['a', 'b & <c>', ' d\r\n', 'e']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
  const Objects = [{ Key: 'b & <c>' }, { Key: ' d\r\n' }, { Key: 'absent' }]
  const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
  expect(Deleted).toEqual(Objects)
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket }))
  expect(Contents?.map((object) => object.Key)).toEqual(['e'])
})
