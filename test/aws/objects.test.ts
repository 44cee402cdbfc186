import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createObjectStore, type ObjectStore } from '../../lib/aws/objects.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'
import { s3Error, watchedHandler } from '../support/watched-handler.ts'

let aws: LocalAws
let store: ObjectStore
beforeAll(async () => {
  aws = await startLocalAws()
  store = await aws.bucket('objects-test')
})
afterAll(() => aws.stop())

const put = async (key: string, body: Buffer | string, metadata: Record<string, string> = {}) => {
  const { ETag } = await aws.s3.send(
    new PutObjectCommand({ Bucket: 'objects-test', Key: key, Body: body, Metadata: metadata }),
  )
  return ETag ?? ''
}

describe('a bucket', () => {
  it('opens an object as a stream with its size, ETag and metadata', async () => {
    const content = randomBytes(3_000_000)
    const etag = await put('big object/ü+1.bin', content, { 'xsi-type': 'xnat:mrSessionData' })

    const opened = await store.open('big object/ü+1.bin', { ifMatch: etag })

    expect(opened).toMatchObject({ sizeBytes: 3_000_000, etag, metadata: { 'xsi-type': 'xnat:mrSessionData' } })
    expect((await buffer(opened.body)).equals(content)).toBe(true)
  })

  it('tells an object that changed from one that is gone', async () => {
    const etag = await put('changing', 'one')
    await put('changing', 'two')

    await expect(store.open('changing', { ifMatch: etag })).rejects.toMatchObject({
      code: 'OBJECT_CHANGED',
      retry: 'never',
    })
    await expect(store.open('never-put')).rejects.toMatchObject({ code: 'OBJECT_MISSING', retry: 'never' })
  })

  it('finds what is known of an object, or nothing', async () => {
    const etag = await put('known', 'abc', { a: 'b' })

    expect(await store.find('known')).toEqual({ sizeBytes: 3, etag, metadata: { a: 'b' } })
    expect(await store.find('unknown')).toBeUndefined()
  })

  it('keeps the first of two writers who each want to be first', async () => {
    const outcomes = await Promise.all([
      store.writeText('first', 'one', { ifAbsent: true }),
      store.writeText('first', 'two', { ifAbsent: true }),
    ])

    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['conflict', 'written'])
  })

  it('writes over the version it read and over no other', async () => {
    await store.writeText('ledger', 'v1')
    const read = await store.readText('ledger')

    expect(await store.writeText('ledger', 'v2', { ifMatch: read!.etag })).toMatchObject({ kind: 'written' })
    expect(await store.writeText('ledger', 'v3', { ifMatch: read!.etag })).toEqual({ kind: 'conflict' })
    expect((await store.readText('ledger'))?.text).toBe('v2')
    expect(await store.readText('no-ledger')).toBeUndefined()
  })

  it('stops reading when it is told to', async () => {
    await put('slow', randomBytes(1_000_000))

    await expect(store.open('slow', { signal: AbortSignal.abort() })).rejects.toThrow()
  })

  it.each([
    ['a throttled request', 503, 'SlowDown', 'STORAGE_BUSY', 'later'],
    ['a refusal of rights', 403, 'AccessDenied', 'STORAGE_REFUSED', 'never'],
    ['a fault of S3', 500, 'InternalError', 'STORAGE_BUSY', 'later'],
  ])('says of %s whether to try again', async (_, status, name, code, retry) => {
    const handler = watchedHandler()
    handler.answers = [s3Error(status, name), s3Error(status, name)]
    const { region, credentials } = aws.s3.config
    const failing = new S3Client({ region, credentials, requestHandler: handler, maxAttempts: 1 })

    await expect(createObjectStore(failing, 'any').open('key')).rejects.toMatchObject({ code, retry })
  })

  it('keeps the key out of its error messages', async () => {
    const error = await store.open('SMITH^JOHN/1234567').catch((cause: Error) => cause)

    expect(String(error)).not.toContain('SMITH')
  })
})
