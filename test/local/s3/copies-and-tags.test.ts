import {
  CopyObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { startServer } from './start-server.ts'
import { uploadParts } from './upload-parts.ts'

const Bucket = 'images'
const source = { Bucket, Key: 'from' }
const copy = { Bucket, Key: 'to', CopySource: `${Bucket}/from` }

async function startWithSource() {
  const started = await startServer()
  const attributes = { ContentType: 'application/dicom', Metadata: { a: 'b' }, Tagging: 'site=1&kind=ct%20head' }
  await started.s3.send(new PutObjectCommand({ ...source, Body: 'pixels', ...attributes }))
  const headCopy = () => started.s3.send(new HeadObjectCommand({ Bucket, Key: 'to' }))
  const tags = async (Key: string) => (await started.s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet
  return { ...started, headCopy, tags }
}

it('copies bytes, headers, metadata and tags', async () => {
  const { s3, server, headCopy, tags } = await startWithSource()
  const { CopyObjectResult } = await s3.send(new CopyObjectCommand(copy))
  expect(await headCopy()).toMatchObject({
    ETag: CopyObjectResult?.ETag,
    ContentType: 'application/dicom',
    Metadata: { a: 'b' },
    ContentLength: 6,
  })
  expect(await tags('to')).toEqual(await tags('from'))
  await server.createBucket('other-bucket')
  await s3.send(new CopyObjectCommand({ ...copy, Bucket: 'other-bucket' }))
  const got = await s3.send(new GetObjectCommand({ Bucket: 'other-bucket', Key: 'to' }))
  expect(await got.Body?.transformToString()).toBe('pixels')
})

it('replaces metadata and tags when told to, on the object itself too', async () => {
  const { s3, headCopy, tags } = await startWithSource()
  const replace = { MetadataDirective: 'REPLACE', TaggingDirective: 'REPLACE' } as const
  const given = { Metadata: { c: 'd' }, ContentType: 'text/plain', Tagging: 'e=f' }
  await s3.send(new CopyObjectCommand({ ...copy, ...replace, ...given }))
  expect(await headCopy()).toMatchObject({ Metadata: { c: 'd' }, ContentType: 'text/plain' })
  expect(await tags('to')).toEqual([{ Key: 'e', Value: 'f' }])
  const onItself = { ...copy, Key: 'from' }
  await expect(s3.send(new CopyObjectCommand(onItself))).rejects.toMatchObject({ name: 'InvalidRequest' })
  await s3.send(new CopyObjectCommand({ ...onItself, ...replace, ...given }))
  const got = await s3.send(new GetObjectCommand(source))
  expect(await got.Body?.transformToString()).toBe('pixels')
  expect(got.Metadata).toEqual({ c: 'd' })
})

it('makes one whole object of a multipart one, with the ETag of its bytes', async () => {
  const { s3, headCopy } = await startWithSource()
  const bodies = [Buffer.alloc(5 * 1024 ** 2, 'a'), Buffer.from('b')]
  await uploadParts(s3, source, bodies)
  await s3.send(new CopyObjectCommand(copy))
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'put', Body: Buffer.concat(bodies) }))
  expect((await headCopy()).ETag).toBe(ETag)
})

it('says what is wrong with a source', async () => {
  const { s3 } = await startWithSource()
  const from = (CopySource: string) => s3.send(new CopyObjectCommand({ ...copy, CopySource }))
  await expect(from('images/absent')).rejects.toMatchObject({ name: 'NoSuchKey' })
  await expect(from('absent/from')).rejects.toMatchObject({ name: 'NoSuchBucket' })
  await expect(from('images')).rejects.toMatchObject({ name: 'InvalidArgument' })
})

it('gives, replaces and removes tags without touching the object', async () => {
  const { s3, tags } = await startWithSource()
  expect(await tags('from')).toEqual([
    { Key: 'site', Value: '1' },
    { Key: 'kind', Value: 'ct head' },
  ])
  const before = await s3.send(new HeadObjectCommand(source))
  const TagSet = [{ Key: 'a & b', Value: '<c>' }]
  await s3.send(new PutObjectTaggingCommand({ ...source, Tagging: { TagSet } }))
  expect(await tags('from')).toEqual(TagSet)
  const { TagCount, LastModified, ETag } = await s3.send(new HeadObjectCommand(source))
  expect({ TagCount, LastModified, ETag }).toEqual({
    ...{ LastModified: before.LastModified, ETag: before.ETag },
    TagCount: 1,
  })
  await s3.send(new DeleteObjectTaggingCommand(source))
  expect(await tags('from')).toEqual([])
  await expect(tags('absent')).rejects.toMatchObject({ name: 'NoSuchKey' })
})

it('refuses more than ten tags, or one name twice', async () => {
  const { s3 } = await startWithSource()
  const tag = (TagSet: { Key: string; Value: string }[]) =>
    s3.send(new PutObjectTaggingCommand({ ...source, Tagging: { TagSet } }))
  const many = Array.from({ length: 11 }, (_none, index) => ({ Key: `${index}`, Value: '' }))
  await expect(tag(many)).rejects.toMatchObject({ name: 'InvalidTag' })
  await expect(tag([many[0]!, many[0]!])).rejects.toMatchObject({ name: 'InvalidTag' })
})
