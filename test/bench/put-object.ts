// Puts one generated object, in a process of its own: what an upload buffers would otherwise count as the bench's memory.
import { Readable } from 'node:stream'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { credentials } from './servers.ts'

const mebibyte = 1024 ** 2
const [endpoint = '', key = '', size = '', count = '1'] = process.argv.slice(2)

const client = new S3Client({ endpoint, region: 'eu-central-1', credentials })
for (const bucket of ['incoming', 'state']) {
  await client.send(new CreateBucketCommand({ Bucket: bucket })).catch((error: Error) => {
    if (error.name !== 'BucketAlreadyOwnedByYou') throw error
  })
}
const put = async (Key: string) => {
  const params = { Bucket: 'incoming', Key, Body: Readable.from(generated(Number(size))) }
  const { ETag } = await new Upload({ client, params, partSize: 64 * mebibyte, queueSize: 1 }).done()
  return ETag?.replaceAll('"', '')
}
const etags = []
for (let index = 0; index < Number(count); index += 1) etags.push(await put(index === 0 ? key : `${key}.${index}`))
process.send?.({ etags }, () => process.disconnect())

function* generated(sizeBytes: number): Generator<Buffer> {
  for (let sent = 0; sent < sizeBytes; sent += mebibyte) {
    const chunk = Buffer.alloc(Math.min(mebibyte, sizeBytes - sent))
    chunk.writeUIntLE(sent / mebibyte, 0, Math.min(4, chunk.length))
    yield chunk
  }
}
