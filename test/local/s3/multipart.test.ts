import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { startServer } from './start-server.ts'

it('joins parts in order and gives them back as one object', async () => {
  const { s3 } = await startServer()
  const target = { Bucket: 'images', Key: 'big' }
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target))
  const bodies = [Buffer.alloc(5 * 1024 ** 2, 'a'), Buffer.alloc(5 * 1024 ** 2, 'b'), Buffer.from('c')]
  const Parts = []
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1
    const { ETag } = await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body }))
    Parts.push({ PartNumber, ETag })
  }
  const done = await s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }))
  expect(done.ETag).toMatch(/^"[\da-f]{32}-3"$/)
  const got = await s3.send(new GetObjectCommand(target))
  expect(Buffer.concat(bodies).equals((await got.Body?.transformToByteArray()) ?? Buffer.of())).toBe(true)
})
