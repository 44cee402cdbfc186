import { GetObjectCommand, type GetObjectCommandInput, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { startServer } from './start-server.ts'
import { uploadParts } from './upload-parts.ts'

const target = { Bucket: 'images', Key: 'a' }

async function startWith(Body: string) {
  const { s3 } = await startServer()
  const { ETag } = await s3.send(new PutObjectCommand({ ...target, Body }))
  const get = async (input: Partial<GetObjectCommandInput>) => {
    const { Body: body, ContentRange, $metadata } = await s3.send(new GetObjectCommand({ ...target, ...input }))
    return [$metadata.httpStatusCode, await body?.transformToString(), ContentRange]
  }
  return { s3, get, ETag }
}

it('sends the one range that is asked for', async () => {
  const { s3, get } = await startWith('0123456789')
  expect(await get({ Range: 'bytes=0-0' })).toEqual([206, '0', 'bytes 0-0/10'])
  expect(await get({ Range: 'bytes=4-' })).toEqual([206, '456789', 'bytes 4-9/10'])
  expect(await get({ Range: 'bytes=8-99' })).toEqual([206, '89', 'bytes 8-9/10'])
  expect(await get({ Range: 'bytes=-3' })).toEqual([206, '789', 'bytes 7-9/10'])
  expect(await get({ Range: 'bytes=-99' })).toEqual([206, '0123456789', 'bytes 0-9/10'])
  const head = await s3.send(new HeadObjectCommand({ ...target, Range: 'bytes=2-4' }))
  expect(head).toMatchObject({ ContentLength: 3, ContentRange: 'bytes 2-4/10', AcceptRanges: 'bytes' })
})

it('sends the whole object for a range it cannot read, or several', async () => {
  const { get } = await startWith('0123456789')
  for (const Range of ['bytes=5-2', 'bytes=-', 'lines=0-1', 'bytes=0-1,4-5']) {
    expect(await get({ Range })).toEqual([200, '0123456789', undefined])
  }
})

it('answers 416 when nothing lies in the range', async () => {
  const { s3, get } = await startWith('0123456789')
  const unsatisfiable = { name: 'InvalidRange', $metadata: { httpStatusCode: 416 } }
  await expect(get({ Range: 'bytes=10-' })).rejects.toMatchObject(unsatisfiable)
  await expect(get({ Range: 'bytes=-0' })).rejects.toMatchObject(unsatisfiable)
  await s3.send(new PutObjectCommand({ ...target, Body: '', ContentLength: 0 }))
  await expect(get({ Range: 'bytes=0-0' })).rejects.toMatchObject(unsatisfiable)
})

it('reads ranges across the parts of a multipart object, and single parts by number', async () => {
  const { s3 } = await startServer()
  const bodies = [Buffer.alloc(5 * 1024 ** 2, 'a'), Buffer.alloc(5 * 1024 ** 2, 'b'), Buffer.from('cde')]
  await uploadParts(s3, target, bodies)
  const whole = Buffer.concat(bodies).toString()
  const border = 5 * 1024 ** 2
  const edges = [
    [0, 0],
    [border - 2, border + 1],
    [border - 1, 2 * border],
    [2 * border - 1, whole.length - 1],
  ] as const
  for (const [first, last] of edges) {
    const { Body } = await s3.send(new GetObjectCommand({ ...target, Range: `bytes=${first}-${last}` }))
    expect(await Body?.transformToString()).toBe(whole.slice(first, last + 1))
  }
  const third = await s3.send(new GetObjectCommand({ ...target, PartNumber: 3 }))
  expect(third).toMatchObject({ PartsCount: 3, ContentLength: 3 })
  expect(await third.Body?.transformToString()).toBe('cde')
  const fourth = s3.send(new GetObjectCommand({ ...target, PartNumber: 4 }))
  await expect(fourth).rejects.toMatchObject({ $metadata: { httpStatusCode: 416 } })
})
