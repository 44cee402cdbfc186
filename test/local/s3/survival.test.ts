import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { expect, it, onTestFinished, vi } from 'vitest'
import { startS3 } from '../../../infra/local/s3-server/server.ts'
import { connect, countBlobs, credentials, makeFolder, region, startInChild, startServer } from './start-server.ts'
import { uploadParts } from './upload-parts.ts'

const target = { Bucket: 'images', Key: 'a' }

it('finds everything again after a restart with the same folder', async () => {
  const dataDir = await makeFolder()
  const first = await startS3({ dataDir, credentials, region })
  const before = connect(first)
  await first.createBucket('images')
  const put = { ...target, Body: 'kept', Metadata: { a: 'b' }, Tagging: 'c=d', ChecksumAlgorithm: 'SHA256' } as const
  const { ETag } = await before.send(new PutObjectCommand(put))
  const parts = [Buffer.alloc(5 * 1024 ** 2, 'a'), Buffer.from('b')]
  await uploadParts(before, { Bucket: 'images', Key: 'parts' }, parts)
  const { UploadId } = await before.send(new CreateMultipartUploadCommand(target))
  await before.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' }))
  await first.stop()

  const { s3 } = await startServer({ dataDir })
  const got = await s3.send(new GetObjectCommand({ ...target, ChecksumMode: 'ENABLED' }))
  expect(await got.Body?.transformToString()).toBe('kept')
  expect(got).toMatchObject({ ETag, Metadata: { a: 'b' }, ChecksumSHA256: expect.any(String) })
  const { TagSet } = await s3.send(new GetObjectTaggingCommand(target))
  expect(TagSet).toEqual([{ Key: 'c', Value: 'd' }])
  const joined = await s3.send(new GetObjectCommand({ Bucket: 'images', Key: 'parts' }))
  expect(await joined.Body?.transformToString()).toBe(Buffer.concat(parts).toString())
  await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 2, Body: 'y' }))
})

it('refuses to share its folder with another server', async () => {
  const { dataDir, s3 } = await startServer()
  await expect(startS3({ dataDir, credentials })).rejects.toThrow('is another server using it?')
  await expect(s3.send(new ListObjectsV2Command({ Bucket: 'images' }))).resolves.toBeDefined()
})

/** Sends the head of a PUT and half of its body, and leaves the connection open. */
async function startPut(s3: ReturnType<typeof connect>) {
  const url = new URL(await getSignedUrl(s3, new PutObjectCommand(target)))
  const socket = connectSocket(Number(url.port), '127.0.0.1')
  socket.on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  socket.write(`PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 2000000\r\n\r\n`)
  socket.write(Buffer.alloc(1_000_000, 'x'))
  return socket
}

it('leaves the old object as it was when a PUT is cut off half-way, and no file behind', async () => {
  const { s3, dataDir } = await startServer()
  await s3.send(new PutObjectCommand({ ...target, Body: 'old' }))
  const socket = await startPut(s3)
  await vi.waitFor(async () => expect(await countBlobs(dataDir)).toBe(2))
  socket.destroy()
  await vi.waitFor(async () => expect(await countBlobs(dataDir)).toBe(1))
  const got = await s3.send(new GetObjectCommand(target))
  expect(await got.Body?.transformToString()).toBe('old')
})

it('gives a reader one version whole while others overwrite and delete the object', async () => {
  const { s3, dataDir } = await startServer()
  const parts = [Buffer.alloc(6 * 1024 ** 2, 'a'), Buffer.alloc(6 * 1024 ** 2, 'b')]
  await uploadParts(s3, target, parts)
  const reading = await s3.send(new GetObjectCommand(target))
  await s3.send(new PutObjectCommand({ ...target, Body: 'new' }))
  expect(await countBlobs(dataDir)).toBe(3)
  expect(await reading.Body?.transformToString()).toBe(Buffer.concat(parts).toString())
  await vi.waitFor(async () => expect(await countBlobs(dataDir)).toBe(1))
})

it('lets go of the files of a reader that went away', async () => {
  const { s3, dataDir } = await startServer()
  await uploadParts(s3, target, [Buffer.alloc(6 * 1024 ** 2, 'a'), Buffer.alloc(6 * 1024 ** 2, 'b')])
  const aborting = new AbortController()
  const reading = await s3.send(new GetObjectCommand(target), { abortSignal: aborting.signal })
  await s3.send(new PutObjectCommand({ ...target, Body: 'new' }))
  if (reading.Body === undefined || !('destroy' in reading.Body)) throw new TypeError('no stream')
  reading.Body.on('error', () => undefined).destroy()
  await vi.waitFor(async () => expect(await countBlobs(dataDir)).toBe(1))
})

it('gives its folder back when its port is taken', async () => {
  const { server } = await startServer()
  const dataDir = await makeFolder()
  await expect(startS3({ dataDir, credentials, port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  const { s3 } = await startServer({ dataDir })
  await expect(s3.send(new ListObjectsV2Command({ Bucket: 'images' }))).resolves.toBeDefined()
})

it('stops at once although clients keep connections, requests and bodies open', async () => {
  const { server, s3, dataDir } = await startServer()
  await startPut(s3)
  await vi.waitFor(async () => expect(await countBlobs(dataDir)).toBe(1))
  const started = performance.now()
  await server.stop()
  expect(performance.now() - started).toBeLessThan(1000)
  expect(await countBlobs(dataDir)).toBe(0)
})

it('loses no object and no event when its process is killed, and clears away what was half-done', async () => {
  const dataDir = await makeFolder()
  const { child, port } = await startInChild(dataDir)
  const s3 = connect({ url: `http://127.0.0.1:${port}` })
  const keys = Array.from({ length: 40 }, (_none, index) => `key-${String(index).padStart(2, '0')}`)
  await Promise.all(keys.map((Key) => s3.send(new PutObjectCommand({ Bucket: 'images', Key, Body: Key }))))
  await startPut(s3)
  await vi.waitFor(async () => expect(await countBlobs(dataDir)).toBe(keys.length + 1))
  child.kill('SIGKILL')
  await once(child, 'exit')

  const after = await startServer({ dataDir })
  expect(await countBlobs(dataDir)).toBe(keys.length)
  const { Contents } = await after.s3.send(new ListObjectsV2Command({ Bucket: 'images' }))
  expect(Contents?.map((object) => object.Key)).toEqual(keys)
  // Between the restart and the next setNotifications, events gather for the target that was set before.
  await after.s3.send(new PutObjectCommand({ Bucket: 'images', Key: 'key-99', Body: 'x' }))
  const seen: string[] = []
  const deliver = async ({ Records }: { Records: { s3: { object: { key: string } } }[] }) => {
    await sleep(1)
    seen.push(...Records.map((record) => record.s3.object.key))
  }
  await after.server.setNotifications('images', [{ id: 'uploads', events: ['s3:ObjectCreated:*'], deliver }])
  await vi.waitFor(() => expect(seen.toSorted()).toEqual([...keys, 'key-99']))
})
