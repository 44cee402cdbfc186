import { ListPartsCommand } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type MultipartUploads, multipartUploads } from '../../lib/aws/multipart.ts'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'

let aws: LocalAws
let objects: ObjectStore
let uploads: MultipartUploads
beforeAll(async () => {
  aws = await startLocalAws()
  objects = await aws.bucket('parts')
  uploads = multipartUploads({ client: aws.s3, bucket: 'parts' })
})
afterAll(() => aws.stop())

const large = Buffer.alloc(5 * 1024 * 1024, 'a')
const small = Buffer.from('the end')

describe('an upload in parts', () => {
  it('is gone on with by its ID, and its parts may come in any order', async () => {
    const { id } = await uploads.begin('k', { metadata: { 'xsi-type': 'xnat:mrSessionData' } })
    await uploads.put({ key: 'k', id }, 2, small)
    expect(await objects.find('k')).toBeUndefined()

    const [second] = (await uploads.findParts({ key: 'k', id }))!
    const first = await uploads.put({ key: 'k', id }, 1, large)
    await uploads.complete({ key: 'k', id }, [second!, first])

    expect(second).toMatchObject({ number: 2, etag: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(await objects.find('k')).toMatchObject({
      sizeBytes: large.length + small.length,
      metadata: { 'xsi-type': 'xnat:mrSessionData' },
    })
  })

  it('names the checksum that its parts come with, when it is begun', async () => {
    const upload = await uploads.begin('k')
    const { crc32 } = await uploads.put(upload, 1, small)

    const listed = await aws.s3.send(new ListPartsCommand({ Bucket: 'parts', Key: 'k', UploadId: upload.id }))
    expect(listed).toMatchObject({ ChecksumAlgorithm: 'CRC32', Parts: [{ ChecksumCRC32: crc32 }] })
    expect(crc32).toMatch(/\S/)
  })

  it('takes a part anew, over the earlier one', async () => {
    const upload = await uploads.begin('k')
    await uploads.put(upload, 1, large)
    const again = await uploads.put(upload, 1, small)

    expect(await uploads.findParts(upload)).toEqual([again])
  })

  it('tells all of its parts, however many', async () => {
    const upload = await uploads.begin('many')
    const numbers = Array.from({ length: 1_001 }, (_, index) => index + 1)
    const limit = pLimit(32)
    await Promise.all(numbers.map((number) => limit(() => uploads.put(upload, number, small))))

    expect((await uploads.findParts(upload))?.map(({ number }) => number)).toEqual(numbers)
  })

  it('has no parts any more once it has ended', async () => {
    const given = await uploads.begin('given-up')
    await uploads.abort(given)
    expect(await uploads.findParts(given)).toBeUndefined()

    const completed = await uploads.begin('completed')
    await uploads.complete(completed, [await uploads.put(completed, 1, small)])
    expect(await uploads.findParts(completed)).toBeUndefined()
  })

  it('cannot be begun in a bucket that is not there', async () => {
    const nowhere = multipartUploads({ client: aws.s3, bucket: 'nowhere' })

    await expect(nowhere.begin('k')).rejects.toMatchObject({ code: 'STORAGE_REFUSED' })
    await expect(nowhere.findParts({ key: 'k', id: 'i' })).rejects.toMatchObject({ code: 'STORAGE_REFUSED' })
  })
})
