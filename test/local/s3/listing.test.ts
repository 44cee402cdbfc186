import {
  ListObjectsCommand,
  type ListObjectsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { startServer } from './start-server.ts'

const Bucket = 'images'

async function startWith(keys: string[]) {
  const started = await startServer()
  await Promise.all(keys.map((Key) => started.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))))
  return started
}

const tree = ['a.txt', 'b/1', 'b/2', 'b/c/3', 'b/c/4', 'd/5', 'e', 'é/6']

it('rolls keys up to the delimiter, below a prefix too', async () => {
  const { s3 } = await startWith(tree)
  const top = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/' }))
  expect(top.Contents?.map((object) => object.Key)).toEqual(['a.txt', 'e'])
  expect(top.CommonPrefixes?.map((common) => common.Prefix)).toEqual(['b/', 'd/', 'é/'])
  expect(top).toMatchObject({ KeyCount: 5, IsTruncated: false, Name: Bucket, MaxKeys: 1000 })
  const below = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/', Prefix: 'b/' }))
  expect(below.Contents?.map((object) => object.Key)).toEqual(['b/1', 'b/2'])
  expect(below.CommonPrefixes).toEqual([{ Prefix: 'b/c/' }])
})

it('starts after a key, reports sizes, ETags and times, and owners when asked', async () => {
  const { s3 } = await startWith(tree)
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, StartAfter: 'd/5', FetchOwner: true }))
  expect(Contents?.map((object) => object.Key)).toEqual(['e', 'é/6'])
  expect(Contents?.[0]).toMatchObject({
    Size: 1,
    ETag: '"e1671797c52e15f763380b45e841ec32"',
    StorageClass: 'STANDARD',
    Owner: { DisplayName: 'local' },
    LastModified: expect.any(Date),
  })
})

async function listAll(s3: S3Client, input: Partial<ListObjectsV2CommandInput>): Promise<string[]> {
  const names: string[] = []
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket, ...input })) {
    const found = [
      ...(page.Contents ?? []).map(({ Key = '' }) => Key),
      ...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix),
    ]
    expect(found.length).toBeLessThanOrEqual(input.MaxKeys ?? 1000)
    names.push(...found)
  }
  return names
}

async function listAllV1(s3: S3Client, input: { Delimiter?: string; MaxKeys: number }, Marker = ''): Promise<string[]> {
  const page = summary(await s3.send(new ListObjectsCommand({ Bucket, Marker, ...input })))
  return page.isMore ? [...page.names, ...(await listAllV1(s3, input, page.next))] : page.names
}

const summary = (page: ListObjectsCommandOutput) => {
  const keys = (page.Contents ?? []).map(({ Key = '' }) => Key)
  const prefixes = (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix)
  return { names: [...keys, ...prefixes], next: page.NextMarker ?? keys.at(-1), isMore: page.IsTruncated === true }
}

it('pages through everything exactly once, whatever the page size', async () => {
  const { s3 } = await startWith(tree)
  for (const MaxKeys of [1, 2, 3, 1000]) {
    expect(await listAll(s3, { MaxKeys })).toEqual(tree)
    const rolledUp = await listAll(s3, { MaxKeys, Delimiter: '/' })
    expect(rolledUp.sort()).toEqual(['a.txt', 'b/', 'd/', 'e', 'é/'])
    expect(await listAllV1(s3, { MaxKeys })).toEqual(tree)
    expect((await listAllV1(s3, { MaxKeys, Delimiter: '/' })).sort()).toEqual(rolledUp)
  }
  const none = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }))
  expect(none).toMatchObject({ KeyCount: 0, IsTruncated: false })
})

it('lists as a plain filter over sorted keys would, for any keys, prefix and delimiter', async () => {
  const { s3 } = await startServer()
  const name = fc.stringMatching(/^[ab/]{1,5}$/)
  const present = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(name, { maxLength: 5 }),
      fc.stringMatching(/^[ab/]{0,3}$/),
      fc.integer({ min: 1, max: 4 }),
      async (more, Prefix, MaxKeys) => {
        for (const Key of more) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
        for (const key of more) present.add(key)
        const expected = new Set(
          [...present]
            .filter((key) => key.startsWith(Prefix))
            .map((key) => /^[^/]*\/?/.exec(key.slice(Prefix.length))?.[0] ?? '')
            .map((rest) => Prefix + rest),
        )
        const found = await listAll(s3, { Prefix, Delimiter: '/', MaxKeys })
        expect(found.sort()).toEqual([...expected].sort())
      },
    ),
    { numRuns: 40 },
  )
})

it('refuses a continuation token it did not give, and a page size that is none', async () => {
  const { s3 } = await startWith([])
  const list = (input: object) => s3.send(new ListObjectsV2Command({ Bucket, ...input }))
  await expect(list({ ContinuationToken: 'not ours!' })).rejects.toMatchObject({ name: 'InvalidArgument' })
  await expect(list({ MaxKeys: -1 })).rejects.toMatchObject({ name: 'InvalidArgument' })
})
