import { buffer } from 'node:stream/consumers'
import { DeleteObjectsCommand, GetObjectTaggingCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { mockClient } from 'aws-sdk-client-mock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createObjectStore, type ObjectStore } from '../../lib/aws/objects.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'

let aws: LocalAws
let store: ObjectStore
beforeAll(async () => {
  aws = await startLocalAws()
  store = await aws.bucket('sets-test')
})
afterAll(() => aws.stop())

async function put(key: string, body: string, tagging?: string) {
  const command = new PutObjectCommand({ Bucket: 'sets-test', Key: key, Body: body, Tagging: tagging })
  const { ETag = '' } = await aws.s3.send(command)
  return { key, etag: ETag.replaceAll('"', '') }
}
const keysBelow = async (prefix: string) => (await store.list(prefix)).objects.map(({ key }) => key)
const tagsOf = async (key: string) =>
  (await aws.s3.send(new GetObjectTaggingCommand({ Bucket: 'sets-test', Key: key }))).TagSet
const tag = { name: 'state', value: 'done' }

describe('objects', () => {
  it('are listed page by page, odd keys as they are', async () => {
    const keys = ['list/a b+c', 'list/ü', 'list/z'].sort()
    const versions = await Promise.all(keys.map((key) => put(key, 'content')))

    const first = await store.list('list/', { limit: 2 })
    const rest = await store.list('list/', { startAfter: first.objects[1]?.key ?? '' })

    expect([first.isComplete, rest.isComplete]).toEqual([false, true])
    const listed = [...first.objects, ...rest.objects]
    expect(listed.map(({ key, etag }) => ({ key, etag })).sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual(versions)
    expect(listed.map(({ sizeBytes }) => sizeBytes)).toEqual([7, 7, 7])
  })

  it('give some of their bytes when asked', async () => {
    await put('range', '0123456789')

    expect((await buffer((await store.open('range', { range: { first: 3, last: 5 } })).body)).toString()).toBe('345')
  })

  it('are removed only as the versions that were named; what is gone already is fine', async () => {
    const same = await put('remove/same', 'one')
    const changed = await put('remove/changed', 'one')
    await put('remove/changed', 'two')

    await store.removeUnchanged([same, changed, { key: 'remove/gone', etag: same.etag }])

    expect(await keysBelow('remove/')).toEqual(['remove/changed'])
  })

  it('that could not be removed make a failure', async () => {
    const s3 = mockClient(S3Client)
    s3.on(DeleteObjectsCommand).resolves({ Errors: [{ Key: 'a', Code: 'AccessDenied' }] })
    const mocked = createObjectStore(new S3Client({ region: 'eu-central-1' }), 'b')

    await expect(mocked.removeUnchanged([{ key: 'a', etag: 'e' }])).rejects.toMatchObject({ code: 'STORAGE_REFUSED' })
    s3.restore()
  })

  it('are tagged beside the tags they have, once, and only as the version that was named', async () => {
    const same = await put('tag/same', 'one', 'owner=radiology')
    const changed = await put('tag/changed', 'one')
    await put('tag/changed', 'two')

    for (const version of [same, same, changed, { key: 'tag/gone', etag: 'e' }]) await store.tagUnchanged(version, tag)

    expect(await tagsOf('tag/same')).toEqual([
      { Key: 'owner', Value: 'radiology' },
      { Key: 'state', Value: 'done' },
    ])
    expect(await tagsOf('tag/changed')).toEqual([])
  })

  it('lose the tag again when they were overwritten while they got it', async () => {
    const version = await put('tag/racing', 'one')
    const send = aws.s3.send.bind(aws.s3)
    // Overwrites the object between the first look and the tagging.
    const racing = Object.create(aws.s3, {
      send: {
        value: async (command: { constructor: { name: string } }, ...rest: []) => {
          if (command.constructor === GetObjectTaggingCommand && !hasRaced) {
            hasRaced = true
            await put('tag/racing', 'two')
          }
          return send(command as never, ...rest)
        },
      },
    }) as S3Client
    let hasRaced = false

    await createObjectStore(racing, 'sets-test').tagUnchanged(version, tag)

    expect([hasRaced, await tagsOf('tag/racing')]).toEqual([true, []])
  })
})
