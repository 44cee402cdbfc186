import { createHash, randomBytes } from 'node:crypto'
import { appendFile, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Content, digestFile, partBytes, readContent } from '../../functions/cli/deliver/content.ts'
import type { PlannedFile } from '../../functions/cli/deliver/plan.ts'
import { sendFiles } from '../../functions/cli/deliver/send.ts'
import { uploadJournal } from '../../functions/cli/deliver/upload-journal.ts'
import { type OpenBucket, openBucket } from '../../lib/aws/open-bucket.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'

let aws: LocalAws
let proxy: FaultProxy
let bucket: OpenBucket
let folder: string
beforeAll(async () => {
  aws = await startLocalAws()
  await aws.bucket('incoming')
  proxy = await startFaultProxy(aws.s3Server.url)
  const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret-key' }
  bucket = openBucket({ bucket: 'incoming', region: 'eu-central-1', endpoint: proxy.url, credentials })
})
afterAll(async () => {
  bucket.close()
  await proxy.stop()
  await aws.stop()
})
beforeEach(async () => {
  proxy.judge = () => undefined
  folder = await mkdtemp(join(tmpdir(), 'sending-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function fileOf(content: Buffer): Promise<PlannedFile> {
  const location = join(folder, 'file')
  await writeFile(location, content)
  const key = `projects/P1/resources/R/files/${randomBytes(4).toString('hex')}`
  return {
    name: 'file',
    location,
    sizeBytes: content.length,
    key,
    target: { projectId: 'P1', resourceLabel: 'R' },
    path: 'file',
  }
}

async function send(file: PlannedFile, metadata: Record<string, string> = {}) {
  const contents: Content[] = []
  let bytes = 0
  const from = proxy.seen.length
  const deps = { bucket, metadata, journal: uploadJournal(folder, 'incoming'), signal: new AbortController().signal }
  await sendFiles(deps, [file], {
    onBytes: (some) => {
      bytes += some
    },
    onFile: (_, content) => contents.push(content),
  })
  const puts = proxy.seen.slice(from).filter(({ method }) => method === 'PUT')
  return {
    content: contents[0],
    bytes,
    parts: puts.flatMap(({ path }) => /partNumber=(\d+)/.exec(path)?.[1] ?? []).toSorted(),
  }
}

const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex')
const isCompletion = ({ method, path }: { method: string; path: string }) =>
  method === 'POST' && path.includes('uploadId=')

/** Sends all parts, and breaks off before they are an object. */
async function breakOff(file: PlannedFile, metadata: Record<string, string> = {}): Promise<void> {
  proxy.judge = (request) => (isCompletion(request) ? { kind: 'answer', status: 403 } : undefined)
  await expect(send(file, metadata)).rejects.toMatchObject({ code: 'STORAGE_REFUSED' })
  proxy.judge = () => undefined
}

const listJournal = async () => (await readdir(join(folder, 'uploads'))).map((name) => join(folder, 'uploads', name))

describe('a sent file', () => {
  it.each([
    ['empty', 0],
    ['of one byte', 1],
    ['of one part', partBytes],
    ['of two parts', partBytes + 1],
  ])('%s is known by the digests that S3 gives it', async (_, size) => {
    const bytes = Buffer.alloc(size, 'x')
    const file = await fileOf(bytes)

    const { content, bytes: told } = await send(file, { 'xsi-type': 'xnat:ctSessionData' })

    const stored = await bucket.objects.find(file.key)
    expect(stored).toMatchObject({ sizeBytes: size, metadata: { 'xsi-type': 'xnat:ctSessionData' } })
    expect(content).toEqual({ sizeBytes: size, md5: md5(bytes), etag: stored?.etag.replaceAll('"', '') })
    expect(await digestFile(file)).toEqual(content)
    expect(told).toBe(size)
  })

  it('that was broken off is gone on with, and a part that has changed since is sent again', async () => {
    const bytes = Buffer.concat([randomBytes(partBytes), randomBytes(10)])
    const file = await fileOf(bytes)
    await breakOff(file)
    await writeFile(file.location, Buffer.concat([bytes.subarray(0, partBytes), randomBytes(10)]))

    expect(await send(file)).toMatchObject({ parts: ['2'], bytes: partBytes + 10 })
    expect((await bucket.objects.find(file.key))?.etag).toBe(`"${(await digestFile(file)).etag}"`)
  })

  it.each<[string, Record<string, string>, (file: PlannedFile) => Promise<void>]>([
    ['with another type', { 'xsi-type': 'xnat:mrSessionData' }, async () => undefined],
    [
      'and given up by S3',
      {},
      async (file) => {
        const { id } = (await uploadJournal(folder, 'incoming').find(file.key))!
        await bucket.uploads.abort({ key: file.key, id })
      },
    ],
    [
      'and noted in part',
      {},
      async () => {
        const [noted] = await listJournal()
        await truncate(noted!, 5)
      },
    ],
  ])('that was broken off %s is sent from its beginning', async (_, metadata, meanwhile) => {
    const file = await fileOf(Buffer.concat([randomBytes(partBytes), randomBytes(10)]))
    await breakOff(file)
    await meanwhile(file)

    expect((await send(file, metadata)).parts).toEqual(['1', '2'])
    expect((await bucket.objects.find(file.key))?.metadata).toEqual(metadata)
  })

  it('is nobody else’s to read about in the journal, and gone from it when it is there', async () => {
    const file = await fileOf(Buffer.alloc(partBytes + 1))
    await breakOff(file)

    const [noted] = await listJournal()
    expect((await stat(noted!)).mode & 0o077).toBe(0)
    await send(file)
    expect(await listJournal()).toEqual([])
  })

  it.each([
    ['grown', (file: PlannedFile) => appendFile(file.location, 'more')],
    ['shrunk', (file: PlannedFile) => truncate(file.location, 1)],
  ])('that has %s since it was listed is not put', async (_, change) => {
    const file = await fileOf(randomBytes(100))
    await change(file)

    await expect(send(file)).rejects.toThrow(/was changed while it was read/)
    expect(await bucket.objects.find(file.key)).toBeUndefined()
  })

  it('that cannot be read is named', async () => {
    const file = await fileOf(randomBytes(100))
    await rm(file.location)

    await expect(send(file)).rejects.toThrow('file cannot be read: ENOENT')
  })
})

describe('content', () => {
  it('is read in parts of one size, and none is read before it is asked for', async () => {
    const file = await fileOf(Buffer.alloc(partBytes + 5))
    const { parts } = readContent(file)

    const first = await parts.next()
    await truncate(file.location, partBytes)

    expect(first.value).toMatchObject({ number: 1, bytes: { length: partBytes } })
    await expect(parts.next()).rejects.toThrow(/was changed/)
  })
})
