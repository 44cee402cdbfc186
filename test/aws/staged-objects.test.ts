import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { GetObjectTaggingCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'

let aws: LocalAws
let store: ObjectStore
beforeAll(async () => {
  aws = await startLocalAws()
  store = await aws.bucket('images')
})
afterAll(() => aws.stop())

const mebibyte = 1024 ** 2
const content = async (key: string) => buffer((await store.open(key)).body)

describe('a staged object', () => {
  it('is seen by nobody until it is published, and then whole, in the place of what was there', async () => {
    await store.writeText('a', 'old')
    const parts = [randomBytes(5 * mebibyte), randomBytes(5 * mebibyte), randomBytes(3)]
    const staged = await store.stage('a', { tag: { name: 'kind', value: 'a tree' } })
    await Promise.all(parts.map((part) => staged.add(part)))
    expect((await content('a')).toString()).toBe('old')

    await staged.publish()
    expect((await content('a')).equals(Buffer.concat(parts))).toBe(true)
    const { TagSet } = await aws.s3.send(new GetObjectTaggingCommand({ Bucket: 'images', Key: 'a' }))
    expect(TagSet).toEqual([{ Key: 'kind', Value: 'a tree' }])
  })

  it('may be empty', async () => {
    const staged = await store.stage('empty')
    await staged.add(Buffer.alloc(0))
    await staged.publish()
    expect(await store.find('empty')).toMatchObject({ sizeBytes: 0 })
  })

  it('leaves nothing when it is given up, and cannot be published twice: that is for whoever begins anew', async () => {
    const staged = await store.stage('gone')
    await staged.add(Buffer.from('x'))
    await staged.discard()
    await expect(staged.publish()).rejects.toMatchObject({ code: 'STORAGE_BUSY', retry: 'later' })
    expect(await store.find('gone')).toBeUndefined()

    const published = await store.stage('there')
    await published.add(Buffer.from('x'))
    await published.publish()
    await expect(published.publish()).rejects.toMatchObject({ code: 'STORAGE_BUSY' })
  })
})
