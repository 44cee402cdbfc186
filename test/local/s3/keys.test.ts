import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { awkwardKeys } from '../../support/awkward-keys.ts'
import { makeFolder, startServer } from './start-server.ts'

const Bucket = 'images'

it('keeps every key apart and gives each back, in listings of both versions too', async () => {
  const { s3 } = await startServer()
  for (const Key of awkwardKeys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
  for (const Key of awkwardKeys) {
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }))
    expect(await got.Body?.transformToString()).toBe(Key)
  }
  const byBytes = awkwardKeys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  for (const command of [
    new ListObjectsV2Command({ Bucket, EncodingType: 'url' }),
    new ListObjectsCommand({ Bucket, EncodingType: 'url' }),
  ]) {
    const { Contents } = await s3.send(command)
    expect(Contents?.map(({ Key = '' }) => decodeURIComponent(Key))).toEqual(byBytes)
  }
})

it('keeps whatever a key says inside its own folder', async () => {
  const outer = await makeFolder()
  const dataDir = `${outer}/inner/data`
  const { s3 } = await startServer({ dataDir })
  for (const Key of ['../escape', '../../escape', '/escape', '..']) {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
  }
  expect(await readdir(outer)).toEqual(['inner'])
  expect(await readdir(dirname(dataDir))).toEqual(['data'])
  expect((await readdir(dataDir)).filter((name) => !name.startsWith('index.sqlite'))).toEqual(['blobs'])
})

it('takes any key at all, and copies and removes by it', async () => {
  const { s3 } = await startServer()
  const anyKey = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(anyKey, async (Key) => {
      const copy = { Bucket, Key: `copy of ${Key}` }
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
      await s3.send(new CopyObjectCommand({ ...copy, CopySource: encodeURIComponent(`${Bucket}/${Key}`) }))
      const got = await s3.send(new GetObjectCommand(copy))
      expect(await got.Body?.transformToString()).toBe(Key)
      const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key, EncodingType: 'url' }))
      expect(Contents?.map((object) => decodeURIComponent(object.Key ?? ''))).toContain(Key)
      await s3.send(new DeleteObjectCommand({ Bucket, Key }))
      await expect(s3.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: 'NotFound' })
    }),
    { numRuns: 60 },
  )
})

it('refuses a key of more than 1,024 bytes', async () => {
  const { s3 } = await startServer()
  const put = s3.send(new PutObjectCommand({ Bucket, Key: 'ü'.repeat(513), Body: 'x' }))
  await expect(put).rejects.toMatchObject({ name: 'KeyTooLongError' })
})
