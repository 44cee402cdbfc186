// Objects are opened past the SDK's middleware. That must change neither where a request goes nor what it asks, nor what
// happens when the first answer is not the object.
import { buffer } from 'node:stream/consumers'
import { PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createObjectStore } from '../../lib/aws/objects.ts'
import { connect, startServer } from '../local/s3/start-server.ts'
import { awkwardKeys } from '../support/awkward-keys.ts'
import { s3Error, type WatchedRequest, watchedHandler } from '../support/watched-handler.ts'

const busy = s3Error(503, 'SlowDown')

describe('a request for an object', () => {
  const optionSets = [{}, { ifMatch: '"e"' }, { ifMatch: '"e"', range: { first: 5, last: 9 } }]

  it.each<[string, S3ClientConfig, string]>([
    ['a bucket of AWS', {}, 'incoming'],
    ['a bucket with dots', {}, 'incoming.example.org'],
    ['a bucket in China', { region: 'cn-north-1' }, 'incoming'],
    ['a bucket reached by IPv6', { useDualstackEndpoint: true }, 'incoming'],
    ['a bucket reached by FIPS', { region: 'us-gov-west-1', useFipsEndpoint: true }, 'incoming'],
    ['a bucket reached by its path', { forcePathStyle: true }, 'incoming'],
    ['a bucket of another S3', { endpoint: 'http://127.0.0.1:9000' }, 'incoming'],
    ['a bucket of another S3 below a path', { endpoint: 'https://storage.example.org/s3', forcePathStyle: true }, 'b1'],
    ['an access point', {}, 'arn:aws:s3:eu-central-1:123456789012:accesspoint/incoming'],
  ])('of %s is the one that the SDK makes', async (_, config, bucket) => {
    const { handler, store } = openUnheard(bucket, config)

    for (const key of awkwardKeys) {
      for (const options of optionSets) {
        handler.requests.length = 0
        // As the first answer is not the object, the SDK asks next.
        handler.answers = [busy, busy]
        await expect(store.open(key, options)).rejects.toMatchObject({ code: 'STORAGE_BUSY' })

        const [plain, bySdk] = handler.requests.map(asked)
        expect(handler.requests).toHaveLength(2)
        expect(plain).toEqual(bySdk)
      }
    }
  })

  it('is the SDK’s alone for a bucket that is signed for otherwise', async () => {
    const { handler, store } = openUnheard('incoming--euc1-az1--x-s3')
    handler.answers = [busy]

    await expect(store.open('key')).rejects.toMatchObject({ code: 'STORAGE_BUSY' })

    // S3: a directory bucket is signed for with the credentials of a session, which is asked for first.
    expect(handler.requests.map(({ query = {} }) => Object.keys(query))).toEqual([['session']])
  })

  it('is signed for with the newest credentials', async () => {
    let sessionToken = 'first'
    const { handler, store } = openUnheard('incoming', {
      credentials: async () => ({ ...credentials, sessionToken, expiration: new Date(Date.now() + 1000) }),
    })
    handler.answers = [busy, busy, busy, busy]

    await store.open('key').catch(() => undefined)
    sessionToken = 'second'
    await store.open('key').catch(() => undefined)

    const tokens = handler.requests.map(({ headers }) => headers['x-amz-security-token'])
    expect(tokens).toEqual(['first', 'first', 'second', 'second'])
  })
})

describe('an object', () => {
  it('is opened by one request, whatever its key', async () => {
    const { handler, store, put } = await startBucket()
    for (const key of awkwardKeys) await put(key, `content of ${key}`)
    handler.requests.length = 0

    for (const key of awkwardKeys) {
      const { body } = await store.open(key)
      expect(String(await buffer(body))).toBe(`content of ${key}`)
    }

    expect(handler.requests).toHaveLength(awkwardKeys.length)
  })

  it('is the same by the second request, when the first is not answered with it', async () => {
    const { handler, store, put } = await startBucket()
    const etag = await put('key', 'content', { 'xsi-type': 'xnat:mrSessionData' })
    handler.requests.length = 0

    const first = await store.open('key', { ifMatch: etag })
    handler.answers = [busy]
    const second = await store.open('key', { ifMatch: etag })

    expect(handler.requests).toHaveLength(3)
    for (const { body, ...known } of [first, second]) {
      expect(String(await buffer(body))).toBe('content')
      const md5 = etag.replaceAll('"', '')
      expect(known).toEqual({ sizeBytes: 7, etag, md5, metadata: { 'xsi-type': 'xnat:mrSessionData' } })
    }
  })

  it('is opened by one request each when the SDK has learnt that this machine’s clock is an hour off', async () => {
    const { handler, store, put } = await startBucket({ now: () => new Date(Date.now() + 3_600_000) })
    await put('key', 'content')
    handler.requests.length = 0

    for (const _ of [1, 2, 3]) {
      const { body } = await store.open('key')
      expect(String(await buffer(body))).toBe('content')
    }

    expect(handler.requests).toHaveLength(3)
  })

  it.each([
    ['nothing that is told', {}, true],
    ['S3’s own keys', { 'x-amz-server-side-encryption': 'AES256' }, true],
    ['a key of KMS', { 'x-amz-server-side-encryption': 'aws:kms' }, false],
    ['a key of the customer’s', { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' }, false],
  ])('that is encrypted with %s: its ETag is its MD5 or not', async (_, encryption, isMd5) => {
    const { handler, store } = openUnheard('incoming')
    const md5 = '9a0364b9e99bb480dd25e1f0284c8555'
    const found = {
      statusCode: 200,
      headers: { etag: `"${md5}"`, 'content-length': '7', ...encryption },
      body: 'content',
    }
    handler.answers = [found, busy, found]

    for (const _ of ['plainly', 'by the SDK']) {
      expect((await store.open('key')).md5).toBe(isMd5 ? md5 : undefined)
    }
  })
})

const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret-key' }

/** A bucket of a server that no request of the test is to reach. */
function openUnheard(bucket: string, config: S3ClientConfig = {}) {
  const handler = watchedHandler()
  const client = new S3Client({
    region: 'eu-central-1',
    credentials,
    maxAttempts: 1,
    ...config,
    requestHandler: handler,
  })
  onTestFinished(() => client.destroy())
  return { handler, store: createObjectStore(client, bucket) }
}

async function startBucket(options: { now?: () => Date } = {}) {
  const { server } = await startServer(options)
  const handler = watchedHandler()
  // With tries: the SDK sets its clock between two of them.
  const s3 = connect(server, { requestHandler: handler, responseChecksumValidation: 'WHEN_REQUIRED', maxAttempts: 2 })
  const put = async (Key: string, Body: string, Metadata: Record<string, string> = {}) => {
    const { ETag = '' } = await s3.send(new PutObjectCommand({ Bucket: 'images', Key, Body, Metadata }))
    return ETag
  }
  return { handler, store: createObjectStore(s3, 'images'), put }
}

/** What of a request decides about its answer; the SDK adds what only S3's statistics read. */
function asked({ method, protocol, hostname, port, path, query = {}, headers }: WatchedRequest) {
  const { authorization = '', host, range, 'if-match': ifMatch, 'x-amz-content-sha256': sha256 } = headers
  const scope = /Credential=([^,]+)/.exec(authorization)?.[1]
  const { 'x-id': _, ...asks } = query
  return { method, protocol, hostname, port, path, query: asks, host, range, ifMatch, sha256, scope }
}
