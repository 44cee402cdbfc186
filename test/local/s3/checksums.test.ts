import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import {
  type ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { expect, it } from 'vitest'
import { changeBody, startServer } from './start-server.ts'

const target = { Bucket: 'images', Key: 'a' }

// Check values for "123456789" from the CRC catalogue (reveng) and FIPS 180, in base64.
const known = {
  ChecksumCRC32: Buffer.from('cbf43926', 'hex').toString('base64'),
  ChecksumCRC32C: Buffer.from('e3069283', 'hex').toString('base64'),
  ChecksumCRC64NVME: Buffer.from('ae8b14860a799888', 'hex').toString('base64'),
  ChecksumSHA1: createHash('sha1').update('123456789').digest('base64'),
  ChecksumSHA256: createHash('sha256').update('123456789').digest('base64'),
}

for (const [field, value] of Object.entries(known)) {
  it(`stores a body whose ${field} is right, gives it back on request, and refuses a wrong one`, async () => {
    const { s3 } = await startServer()
    const put = (input: Partial<PutObjectCommandInput>) =>
      s3.send(new PutObjectCommand({ ...target, Body: '123456789', ...input }))
    await expect(put({ [field]: value })).resolves.toMatchObject({ [field]: value, ChecksumType: 'FULL_OBJECT' })
    const head = await s3.send(new HeadObjectCommand({ ...target, ChecksumMode: 'ENABLED' }))
    expect(head).toMatchObject({ [field]: value, ChecksumType: 'FULL_OBJECT' })
    const ranged = await s3.send(new GetObjectCommand({ ...target, ChecksumMode: 'ENABLED', Range: 'bytes=0-3' }))
    expect(ranged).not.toHaveProperty(field)
    const wrong = put({ Key: 'wrong', Body: '123456780', [field]: value })
    await expect(wrong).rejects.toMatchObject({ name: 'BadDigest' })
    await expect(put({ Key: 'wrong', [field]: 'bm8=' })).rejects.toMatchObject({ name: 'InvalidRequest' })
    await expect(s3.send(new HeadObjectCommand({ ...target, Key: 'wrong' }))).rejects.toMatchObject({
      name: 'NotFound',
    })
  })
}

it('checks the checksum a stream brings in its trailer', async () => {
  const { s3 } = await startServer()
  const body = () => Readable.from([Buffer.from('1234'), Buffer.from('56789')])
  const put = new PutObjectCommand({ ...target, Body: body(), ContentLength: 9, ChecksumAlgorithm: 'CRC32' })
  await expect(s3.send(put)).resolves.toMatchObject({ ChecksumCRC32: known.ChecksumCRC32 })
  const spoiled = new PutObjectCommand({ ...target, Body: body(), ContentLength: 9, ChecksumAlgorithm: 'CRC32' })
  changeBody(spoiled, (body) => Readable.from(replaced(body)))
  await expect(s3.send(spoiled)).rejects.toMatchObject({ name: 'BadDigest' })
})

async function* replaced(body: unknown) {
  if (!(body instanceof Readable)) throw new TypeError('the body is not a stream')
  for await (const chunk of body) yield Buffer.from(chunk.toString('latin1').replace('1234', '1235'), 'latin1')
}

it('checks Content-MD5', async () => {
  const { s3 } = await startServer()
  const ContentMD5 = createHash('md5').update('abc').digest('base64')
  const url = await getSignedUrl(s3, new PutObjectCommand(target))
  const put = (body: string, md5: string) => fetch(url, { method: 'PUT', body, headers: { 'content-md5': md5 } })
  expect((await put('abc', ContentMD5)).status).toBe(200)
  expect(await (await put('abd', ContentMD5)).text()).toContain('<Code>BadDigest</Code>')
  expect(await (await put('abc', 'x')).text()).toContain('<Code>InvalidDigest</Code>')
})

async function uploadInParts(s3: S3Client, bodies: Buffer[], algorithm: ChecksumAlgorithm, type?: 'FULL_OBJECT') {
  const create = { ...target, ChecksumAlgorithm: algorithm, ...(type && { ChecksumType: type }) }
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(create))
  const Parts: CompletedPart[] = []
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1
    const part = { ...target, UploadId, PartNumber, Body, ChecksumAlgorithm: algorithm }
    const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA256 } = await s3.send(
      new UploadPartCommand(part),
    )
    Parts.push({ PartNumber, ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA256 })
  }
  return s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }))
}

const bodies = [Buffer.alloc(5 * 1024 ** 2 + 3, 'ab'), Buffer.alloc(5 * 1024 ** 2, 'c'), Buffer.from('123456789')]

for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
  it(`sums the parts to the ${algorithm} of the whole, which is that of a single PUT`, async () => {
    const { s3 } = await startServer()
    const done = await uploadInParts(s3, bodies, algorithm, 'FULL_OBJECT')
    const Body = Buffer.concat(bodies)
    const single = await s3.send(new PutObjectCommand({ ...target, Key: 'b', Body, ChecksumAlgorithm: algorithm }))
    const field = `Checksum${algorithm}` as const
    expect(done[field]).toBeDefined()
    expect(done[field]).toBe(single[field])
    expect(done.ChecksumType).toBe('FULL_OBJECT')
  })
}

it('gives composite checksums as the checksum of checksums and the number of parts', async () => {
  const { s3 } = await startServer()
  const sha256 = (data: Buffer) => createHash('sha256').update(data).digest()
  const done = await uploadInParts(s3, bodies, 'SHA256')
  expect(done).toMatchObject({
    ChecksumSHA256: `${sha256(Buffer.concat(bodies.map(sha256))).toString('base64')}-3`,
    ChecksumType: 'COMPOSITE',
  })
  const got = await s3.send(new GetObjectCommand({ ...target, ChecksumMode: 'ENABLED' }))
  expect(crc32((await got.Body?.transformToByteArray()) ?? '')).toBe(crc32(Buffer.concat(bodies)))
  expect(got.ChecksumSHA256).toBe(done.ChecksumSHA256)
})
