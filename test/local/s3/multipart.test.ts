import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { countBlobs, startServer } from './start-server.ts'
import { uploadParts } from './upload-parts.ts'

const Bucket = 'images'
const target = { Bucket, Key: 'big' }
const part = (letter: string) => Buffer.alloc(5 * 1024 ** 2, letter)
const md5 = (data: Buffer | string) => createHash('md5').update(data)

async function startUpload(input: object = {}) {
  const started = await startServer()
  const { s3 } = started
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...target, ...input }))
  const upload = async (PartNumber: number, Body: Buffer | string): Promise<CompletedPart> => {
    const { ETag } = await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body }))
    return { PartNumber, ETag }
  }
  const complete = (...Parts: CompletedPart[]) =>
    s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }))
  return { ...started, UploadId, upload, complete }
}

it('joins parts in order, under the MD5 of their MD5s, with what was said at the start', async () => {
  const { s3 } = await startUpload()
  const bodies = [part('a'), part('b'), Buffer.from('c')]
  const done = await uploadParts(s3, target, bodies)
  const etag = md5(Buffer.concat(bodies.map((body) => md5(body).digest()))).digest('hex')
  expect(done.ETag).toBe(`"${etag}-3"`)
  const got = await s3.send(new GetObjectCommand(target))
  expect(Buffer.concat(bodies).equals((await got.Body?.transformToByteArray()) ?? Buffer.of())).toBe(true)
})

it('gives the object the headers, metadata and tags of its beginning', async () => {
  const input = { ContentType: 'application/dicom', Metadata: { a: 'b' }, Tagging: 'x=y' }
  const { s3, upload, complete } = await startUpload(input)
  await complete(await upload(1, 'only'))
  const head = await s3.send(new HeadObjectCommand(target))
  expect(head).toMatchObject({ ContentType: 'application/dicom', Metadata: { a: 'b' }, TagCount: 1, ContentLength: 4 })
})

it('takes the last upload of a part, leaves out parts not named, and keeps no file of either', async () => {
  const { s3, upload, complete, dataDir } = await startUpload()
  await upload(1, part('x'))
  const first = await upload(1, part('a'))
  await upload(2, part('y'))
  const third = await upload(3, 'c')
  await complete(first, third)
  const got = await s3.send(new GetObjectCommand(target))
  expect(await got.Body?.transformToString()).toBe(`${part('a')}c`)
  expect(await countBlobs(dataDir)).toBe(2)
})

it('refuses parts that are too small, unknown, changed or out of order, and can still be completed', async () => {
  const { upload, complete } = await startUpload()
  const [first, small, last] = [await upload(1, part('a')), await upload(2, 'b'), await upload(3, 'c')]
  await expect(complete(first, small, last)).rejects.toMatchObject({ name: 'EntityTooSmall' })
  await expect(complete(last, first)).rejects.toMatchObject({ name: 'InvalidPartOrder' })
  await expect(complete(first, first)).rejects.toMatchObject({ name: 'InvalidPartOrder' })
  await expect(complete({ PartNumber: 9, ETag: '"x"' })).rejects.toMatchObject({ name: 'InvalidPart' })
  await expect(complete({ ...first, ETag: '"x"' })).rejects.toMatchObject({ name: 'InvalidPart' })
  await expect(complete()).rejects.toMatchObject({ name: 'MalformedXML' })
  await expect(upload(0, 'x')).rejects.toMatchObject({ name: 'InvalidArgument' })
  await expect(upload(10_001, 'x')).rejects.toMatchObject({ name: 'InvalidArgument' })
  await expect(complete(first, last)).resolves.toBeDefined()
})

it('ends an upload when it is completed or aborted, with its files', async () => {
  const { s3, UploadId, upload, complete, dataDir } = await startUpload()
  const first = await upload(1, 'a')
  await s3.send(new AbortMultipartUploadCommand({ ...target, UploadId }))
  await expect(upload(1, 'a')).rejects.toMatchObject({ name: 'NoSuchUpload' })
  await expect(complete(first)).rejects.toMatchObject({ name: 'NoSuchUpload' })
  const list = new ListPartsCommand({ ...target, UploadId })
  await expect(s3.send(list)).rejects.toMatchObject({ name: 'NoSuchUpload' })
  expect(await countBlobs(dataDir)).toBe(0)
})

it('lists the parts of an upload and the uploads of a bucket, by pages', async () => {
  const { s3, UploadId, upload } = await startUpload()
  for (const number of [1, 2, 5]) await upload(number, `${number}`)
  const parts = await s3.send(new ListPartsCommand({ ...target, UploadId, MaxParts: 2 }))
  expect(parts).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' })
  expect(parts.Parts).toMatchObject([{ PartNumber: 1, Size: 1 }, { PartNumber: 2 }])
  const rest = await s3.send(new ListPartsCommand({ ...target, UploadId, PartNumberMarker: '2' }))
  expect(rest).toMatchObject({ IsTruncated: false, Parts: [{ PartNumber: 5, ETag: `"${md5('5').digest('hex')}"` }] })

  for (const Key of ['big', 'other', 'a']) await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  const found: string[] = []
  let page = await s3.send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1 }))
  for (; page.IsTruncated; ) {
    found.push(...(page.Uploads ?? []).map(({ Key = '' }) => Key))
    const markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
    page = await s3.send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1, ...markers }))
  }
  found.push(...(page.Uploads ?? []).map(({ Key = '' }) => Key))
  expect(found).toEqual(['a', 'big', 'big', 'other'])
  const after = await s3.send(new ListMultipartUploadsCommand({ Bucket, KeyMarker: 'big' }))
  expect(after.Uploads?.map(({ Key }) => Key)).toEqual(['other'])
})

it('copies parts from other objects, whole or a range', async () => {
  const { s3, UploadId, complete } = await startUpload()
  const source = `${part('a')}${part('b')}tail`
  await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: source }))
  const copy = async (PartNumber: number, CopySourceRange?: string): Promise<CompletedPart> => {
    const input = { ...target, UploadId, PartNumber, CopySource: `${Bucket}/source`, CopySourceRange }
    const { CopyPartResult } = await s3.send(new UploadPartCopyCommand(input))
    return { PartNumber, ETag: CopyPartResult?.ETag }
  }
  await expect(copy(1, 'bytes=0-99999999')).rejects.toMatchObject({ name: 'InvalidArgument' })
  await expect(copy(1, 'bytes=5-')).rejects.toMatchObject({ name: 'InvalidArgument' })
  await complete(await copy(1, 'bytes=4-5242887'), await copy(2))
  const got = await s3.send(new GetObjectCommand(target))
  expect(await got.Body?.transformToString()).toBe(source.slice(4, 5242888) + source)
})
