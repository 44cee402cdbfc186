import { connect as connectSocket } from 'node:net'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { expect, it, vi } from 'vitest'
import { startServer } from './start-server.ts'

const target = { Bucket: 'images', Key: 'a' }

async function startWithObject() {
  const started = await startServer()
  const { s3 } = started
  const put = (input: Partial<PutObjectCommandInput>) =>
    s3.send(new PutObjectCommand({ ...target, Body: 'x', ...input }))
  const { ETag = '' } = await put({ Body: 'first' })
  return { ...started, put, ETag }
}

const failed = { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } }

it('creates with If-None-Match: * only what is not there', async () => {
  const { s3, put } = await startWithObject()
  await expect(put({ IfNoneMatch: '*' })).rejects.toMatchObject(failed)
  await expect(put({ Key: 'new', IfNoneMatch: '*' })).resolves.toBeDefined()
  expect(await (await s3.send(new GetObjectCommand(target))).Body?.transformToString()).toBe('first')
})

it('replaces with If-Match only the version that is meant', async () => {
  const { put, ETag } = await startWithObject()
  await expect(put({ IfMatch: '"0123456789abcdef0123456789abcdef"' })).rejects.toMatchObject(failed)
  await expect(put({ Key: 'absent', IfMatch: ETag })).rejects.toMatchObject({ name: 'NoSuchKey' })
  const second = await put({ Body: 'second', IfMatch: ETag })
  await expect(put({ Body: 'third', IfMatch: ETag })).rejects.toMatchObject(failed)
  await expect(put({ Body: 'third', IfMatch: second.ETag })).resolves.toBeDefined()
})

it('lets one of many writers win when all create the same object at once', async () => {
  const { s3, put } = await startWithObject()
  const bodies = Array.from({ length: 20 }, (_none, index) => `${index}`.repeat(50_000))
  const results = await Promise.allSettled(bodies.map((Body) => put({ Key: 'race', Body, IfNoneMatch: '*' })))
  const winners = results.flatMap((result, index) => (result.status === 'fulfilled' ? [bodies[index]] : []))
  expect(winners).toHaveLength(1)
  const got = await s3.send(new GetObjectCommand({ ...target, Key: 'race' }))
  expect(await got.Body?.transformToString()).toBe(winners[0])
})

it('checks the condition again when the body has come: the object appeared meanwhile', async () => {
  const { server, s3, put } = await startWithObject()
  const command = new PutObjectCommand({ ...target, Key: 'late', IfNoneMatch: '*' })
  const url = new URL(await getSignedUrl(s3, command, { unhoistableHeaders: new Set(['if-none-match']) }))
  const socket = connectSocket(server.port, '127.0.0.1').setEncoding('latin1')
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  socket.write(`PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nIf-None-Match: *\r\n`)
  socket.write('Content-Length: 8\r\nConnection: close\r\n\r\nhalf')
  await put({ Key: 'late', Body: 'quick' })
  socket.write('half')
  await vi.waitFor(() => expect(answer).toMatch(/^HTTP\/1.1 412 /))
  const got = await s3.send(new GetObjectCommand({ ...target, Key: 'late' }))
  expect(await got.Body?.transformToString()).toBe('quick')
})

it('holds back GET and HEAD by ETag and by date, as RFC 9110 orders them', async () => {
  const { s3, ETag } = await startWithObject()
  const get = (input: object) => s3.send(new GetObjectCommand({ ...target, ...input }))
  const { LastModified } = await get({})
  const before = new Date((LastModified?.getTime() ?? 0) - 1000)
  const unchanged = { $metadata: { httpStatusCode: 304 } }
  await expect(get({ IfMatch: ETag })).resolves.toBeDefined()
  await expect(get({ IfMatch: '"other"' })).rejects.toMatchObject(failed)
  await expect(get({ IfNoneMatch: ETag })).rejects.toMatchObject(unchanged)
  await expect(get({ IfNoneMatch: '"other"' })).resolves.toBeDefined()
  await expect(get({ IfModifiedSince: LastModified })).rejects.toMatchObject(unchanged)
  await expect(get({ IfModifiedSince: before })).resolves.toBeDefined()
  await expect(get({ IfUnmodifiedSince: before })).rejects.toMatchObject(failed)
  await expect(get({ IfUnmodifiedSince: before, IfMatch: ETag })).resolves.toBeDefined()
  await expect(get({ IfModifiedSince: LastModified, IfNoneMatch: '"other"' })).resolves.toBeDefined()
  const head = s3.send(new HeadObjectCommand({ ...target, IfNoneMatch: ETag }))
  await expect(head).rejects.toMatchObject(unchanged)
})

it('deletes with If-Match only the version that is meant', async () => {
  const { s3, ETag } = await startWithObject()
  const remove = (IfMatch: string) => s3.send(new DeleteObjectCommand({ ...target, IfMatch }))
  await expect(remove('"other"')).rejects.toMatchObject(failed)
  const many = { Bucket: 'images', Delete: { Objects: [{ Key: 'a', ETag: '"other"' }] } }
  const { Errors } = await s3.send(new DeleteObjectsCommand(many))
  expect(Errors).toMatchObject([{ Key: 'a', Code: 'PreconditionFailed' }])
  await expect(remove(ETag)).resolves.toBeDefined()
  await expect(remove('*')).rejects.toMatchObject(failed)
})

it('completes a multipart upload with If-None-Match: * only where nothing is', async () => {
  const { s3 } = await startWithObject()
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target))
  const { ETag } = await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'part' }))
  const complete = new CompleteMultipartUploadCommand({
    ...target,
    UploadId,
    IfNoneMatch: '*',
    MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
  })
  await expect(s3.send(complete)).rejects.toMatchObject(failed)
  await s3.send(new DeleteObjectCommand(target))
  await expect(s3.send(complete)).resolves.toBeDefined()
})

it('copies only from the version that is meant', async () => {
  const { s3, ETag } = await startWithObject()
  const copy = (input: object) =>
    s3.send(new CopyObjectCommand({ Bucket: 'images', Key: 'copy', CopySource: 'images/a', ...input }))
  await expect(copy({ CopySourceIfMatch: '"other"' })).rejects.toMatchObject(failed)
  await expect(copy({ CopySourceIfNoneMatch: ETag })).rejects.toMatchObject(failed)
  await expect(copy({ CopySourceIfMatch: ETag })).resolves.toBeDefined()
  await expect(copy({ IfNoneMatch: '*' })).rejects.toMatchObject(failed)
})
