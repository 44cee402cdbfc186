import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureScan, findExperiment, findScan } from '../../lib/xnat/archive.ts'
import { listFiles, putFile, type ResourceRef } from '../../lib/xnat/resources.ts'
import { type DeliveryRig, md5, scanPrefix, startDeliveryRig } from '../support/delivery-rig.ts'

let rig: DeliveryRig
beforeEach(async () => {
  rig = await startDeliveryRig()
})
afterEach(() => rig.stop())

const scanRef = (): ResourceRef => ({
  parent: { level: 'scan', experimentId: rig.experimentId, scanId: '1' },
  resourceLabel: 'DICOM',
})
const uploads = () =>
  rig.standIn.requests.list().filter(({ method, path }) => method === 'PUT' && path.includes('/files/'))

describe('a delivery', () => {
  it('puts one file into a scan that it creates, of the type of its session, and says so in a receipt', async () => {
    const content = randomBytes(200_000)
    const order = rig.orderFor([await rig.put(`${scanPrefix}sub/1.dcm`, content)])

    expect(await rig.deliver(order)).toEqual({
      files: 1,
      bytes: 200_000,
      unchanged: 0,
      superseded: 0,
      verified: 1,
      healed: 0,
    })

    expect((await rig.contents(scanRef())).get('sub/1.dcm')?.equals(content)).toBe(true)
    expect(await findScan(rig.xnat, { experimentId: rig.experimentId, scanId: '1' })).toMatchObject({
      xsiType: 'xnat:mrScanData',
    })
    expect(await rig.receipt(order)).toMatchObject({
      outcome: 'verified',
      experimentId: rig.experimentId,
      files: [{ path: 'sub/1.dcm', sizeBytes: 200_000, md5: md5(content), outcome: 'stored', verifiedBy: 'md5' }],
    })
  })

  it('puts many files, an empty one and oddly named ones in one upload', async () => {
    const files = new Map<string, Buffer>([
      ['empty', Buffer.alloc(0)],
      ['größe/磁共振 + 100%.dcm', randomBytes(5)],
      [`${'long/'.repeat(40)}name.dcm`, randomBytes(70_000)],
      ['a#b?c&d.dcm', randomBytes(513)],
      ...Array.from({ length: 40 }, (_, index) => [`${index}.dcm`, randomBytes(index * 100)] as const),
    ])
    const objects = await Promise.all([...files].map(([path, content]) => rig.put(scanPrefix + path, content)))

    await rig.deliver(rig.orderFor(objects))

    expect(uploads()).toHaveLength(1)
    expect(await rig.digests(scanRef())).toEqual(new Map([...files].map(([path, content]) => [path, md5(content)])))
  })

  it.each(['a#b.dcm', 'ü.dcm', '100%.dcm', 'x;y.dcm', 'empty'])('keeps the name of a single file: %s', async (name) => {
    const content = name === 'empty' ? '' : 'content'
    await rig.deliver(rig.orderFor([await rig.put(scanPrefix + name, content)]))

    expect(await rig.digests(scanRef())).toEqual(new Map([[name, md5(content)]]))
  })

  it('leaves alone what is there and equal, and sends nothing', async () => {
    const objects = [await rig.put(`${scanPrefix}1.dcm`, 'one'), await rig.put(`${scanPrefix}2.dcm`, 'two')]
    await rig.deliver(rig.orderFor(objects))
    rig.standIn.requests.clear()

    expect(await rig.deliver(rig.orderFor(objects))).toMatchObject({ files: 2, bytes: 0, unchanged: 2, verified: 2 })
    expect(uploads()).toHaveLength(0)
  })

  it('keeps its proof of an object that was removed after it, by a run that died before it could say so', async () => {
    const content = randomBytes(1_000)
    await rig.put(`${scanPrefix}1.dcm`, content)
    const etag = await putInParts(`${scanPrefix}1.dcm`, content)
    const order = rig.orderFor([{ key: `${scanPrefix}1.dcm`, sizeBytes: 1_000, etag }])
    await rig.deliver(order)
    await rig.incoming.remove(`${scanPrefix}1.dcm`)

    await rig.deliver(order)

    expect((await rig.receipt(order))?.files).toMatchObject([{ outcome: 'stored', md5: md5(content) }])
  })

  it('writes the newer content over the older', async () => {
    await rig.deliver(rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'older')]))
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'newer')])

    await rig.deliver(order)

    expect((await rig.contents(scanRef())).get('1.dcm')?.toString()).toBe('newer')
  })

  it('never puts an old version over a newer one: what has changed or gone since its event is left out', async () => {
    const late = await rig.put(`${scanPrefix}1.dcm`, 'old')
    const newer = await rig.put(`${scanPrefix}1.dcm`, 'new')
    const other = await rig.put(`${scanPrefix}2.dcm`, 'two')
    const gone = { key: `${scanPrefix}gone.dcm`, sizeBytes: 3, etag: md5('???') }
    await rig.deliver(rig.orderFor([newer]))
    const order = rig.orderFor([late, other, gone])

    expect(await rig.deliver(order)).toMatchObject({ files: 3, superseded: 2 })

    const stored = await rig.contents(scanRef())
    expect([...stored].map(([path, content]) => [path, content.toString()]).sort()).toEqual([
      ['1.dcm', 'new'],
      ['2.dcm', 'two'],
    ])
    expect((await rig.receipt(order))?.files.map(({ outcome }) => outcome)).toEqual([
      'superseded',
      'stored',
      'superseded',
    ])
  })

  it('takes an existing scan of another type as it is', async () => {
    await ensureScan(rig.xnat, { experimentId: rig.experimentId, scanId: '1', xsiType: 'xnat:otherDicomScanData' })

    await rig.deliver(rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'x')]))

    expect((await rig.contents(scanRef())).size).toBe(1)
  })

  it.each([
    [
      'projects/P1/resources/NOTES/files/a.txt',
      { parent: { level: 'project', projectId: 'P1' }, resourceLabel: 'NOTES' },
    ],
    [
      'projects/P1/subjects/S1/resources/NOTES/files/a.txt',
      { parent: { level: 'subject', projectId: 'P1', subject: 'S1' }, resourceLabel: 'NOTES' },
    ],
  ] satisfies [string, ResourceRef][])('goes to the level that the key names: %s', async (key, ref) => {
    await rig.deliver(rig.orderFor([await rig.put(key, 'text')]))

    expect((await rig.contents(ref)).get('a.txt')?.toString()).toBe('text')
  })

  it('goes to the session itself, not to a scan, and may leave the subject out', async () => {
    await rig.deliver(rig.orderFor([await rig.put('projects/P1/experiments/E1/resources/NOTES/files/a.txt', 'text')]))

    const ref: ResourceRef = { parent: { level: 'experiment', experimentId: rig.experimentId }, resourceLabel: 'NOTES' }
    expect((await rig.contents(ref)).size).toBe(1)
  })
})

describe('a missing experiment', () => {
  const key = 'projects/P1/subjects/S2/experiments/E2/scans/3/resources/DICOM/files/1.dcm'

  it('is created with its subject when the object says its type', async () => {
    await rig.deliver(rig.orderFor([await rig.put(key, 'x', { 'xsi-type': 'xnat:ctSessionData' })]))

    const experiment = await findExperiment(rig.xnat, { projectId: 'P1', experiment: 'E2' })
    expect(experiment).toMatchObject({ xsiType: 'xnat:ctSessionData' })
    expect(await findScan(rig.xnat, { experimentId: experiment!.experimentId, scanId: '3' })).toMatchObject({
      xsiType: 'xnat:ctScanData',
    })
  })

  it('is created once when its first scans arrive together', async () => {
    const keys = [1, 2, 3, 4].map((scan) => key.replace('scans/3', `scans/${scan}`))
    const objects = await Promise.all(keys.map((each) => rig.put(each, 'x', { 'xsi-type': 'xnat:ctSessionData' })))

    const outcomes = await Promise.all(objects.map((object) => rig.deliver(rig.orderFor([object]))))

    expect(outcomes.map(({ files }) => files)).toEqual([1, 1, 1, 1])
  })

  it.each([
    ['without a type', key, {}, 'EXPERIMENT_NOT_FOUND'],
    ['with a type that is none', key, { 'xsi-type': '<script>' }, 'EXPERIMENT_NOT_FOUND'],
    [
      'without a subject in the key',
      key.replace('subjects/S2/', ''),
      { 'xsi-type': 'xnat:ctSessionData' },
      'EXPERIMENT_NOT_FOUND',
    ],
    ['in a project that is not there', key.replace('P1', 'P9'), {}, 'PROJECT_NOT_FOUND'],
    [
      'under another subject than its own',
      key.replace('E2', 'E1'),
      { 'xsi-type': 'xnat:ctSessionData' },
      'EXPERIMENT_NOT_FOUND',
    ],
    ['a subject without a type', 'projects/P1/subjects/S9/resources/NOTES/files/a.txt', {}, 'SUBJECT_NOT_FOUND'],
  ])('%s: is a failure for good', async (_, objectKey, metadata, code) => {
    const order = rig.orderFor([await rig.put(objectKey, 'x', metadata)])

    await expect(rig.deliver(order)).rejects.toMatchObject({ code, retry: 'never' })
  })
})

describe('the type of a missing experiment', () => {
  it('may be named by any of the first objects, also when the first is gone', async () => {
    const prefix = 'projects/P1/subjects/S2/experiments/E2/scans/3/resources/DICOM/files/'
    const gone = { key: `${prefix}a.dcm`, sizeBytes: 1, etag: md5('x') }
    const order = rig.orderFor([gone, await rig.put(`${prefix}b.dcm`, 'x', { 'xsi-type': 'xnat:ctSessionData' })])

    expect(await rig.deliver(order)).toMatchObject({ files: 2, superseded: 1 })
  })
})

describe('what XNAT says and what it did', () => {
  it('is not believed when it answers 500 after writing: the file is sent again and proved', async () => {
    rig.standIn.faults.next({ when: { method: 'PUT', path: /\/files\// }, kind: '500-after-write' })
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'content')])

    await rig.deliver(order)

    expect((await rig.contents(scanRef())).get('1.dcm')?.toString()).toBe('content')
    expect((await rig.receipt(order))?.outcome).toBe('verified')
  })

  it('is healed by sending again what it stored wrong, and the tally says so', async () => {
    rig.standIn.faults.next({ when: { method: 'PUT', path: /\/files\// }, kind: 'truncate-store' })
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, randomBytes(10_000))])

    expect(await rig.deliver(order)).toMatchObject({ files: 1, verified: 1, healed: 1 })
    expect((await rig.receipt(order))?.outcome).toBe('verified')
  })

  it('is not believed when it stored fewer bytes than it was sent', async () => {
    rig.standIn.faults.next({ when: { method: 'PUT', path: /\/files\// }, kind: 'truncate-store', times: 10 })
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, randomBytes(10_000))])

    await expect(rig.deliver(order)).rejects.toMatchObject({ code: 'NOT_VERIFIED', retry: 'later' })
    expect(await rig.receipt(order)).toBeUndefined()

    rig.standIn.faults.clear()
    await rig.deliver(order)
    expect((await rig.receipt(order))?.outcome).toBe('verified')
  })

  it.each([
    'cut-during-request',
    'cut-before',
    'cut-during-reply',
    'unauthorized',
    'redirect-to-login',
    'login-page',
  ] as const)('ends delivered after %s', async (fault) => {
    rig.standIn.faults.next({ when: { method: 'PUT', path: /\/files\// }, kind: fault })
    const contents = [randomBytes(300_000), randomBytes(10)]
    const order = rig.orderFor([
      await rig.put(`${scanPrefix}1.dcm`, contents[0]!),
      await rig.put(`${scanPrefix}2.dcm`, contents[1]!),
    ])

    await rig.deliver(order)

    const stored = await rig.contents(scanRef())
    expect([stored.get('1.dcm')?.equals(contents[0]!), stored.get('2.dcm')?.equals(contents[1]!)]).toEqual([true, true])
  })

  it.each([
    ['the scan', /\/scans\/1\?/, false],
    ['the resource', /\/resources\/DICOM(\?|$)/, true],
  ])('is a failure for good when the account may not create %s', async (_, path, hasScan) => {
    if (hasScan) await ensureScan(rig.xnat, { experimentId: rig.experimentId, scanId: '1', xsiType: 'xnat:mrScanData' })
    rig.standIn.faults.next({ when: { method: 'PUT', path }, kind: 'status', status: 403 })
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'x')])

    await expect(rig.deliver(order)).rejects.toMatchObject({ code: 'NO_EDIT_RIGHT', retry: 'never' })
  })

  it.each([
    ['into a new scan', false, 5],
    ['into a scan that is there', true, 5],
  ])('takes five requests %s, and as many the next time', async (_, hasScan, expected) => {
    if (hasScan) await ensureScan(rig.xnat, { experimentId: rig.experimentId, scanId: '1', xsiType: 'xnat:mrScanData' })
    for (const name of ['1.dcm', '2.dcm']) {
      const order = rig.orderFor([await rig.put(scanPrefix + name, name)])
      rig.standIn.requests.clear()
      await rig.deliver(order)
      expect(rig.standIn.requests.count()).toBeLessThanOrEqual(expected)
    }
  })

  it('heals a file that lies on disk but not in the catalog, where a plain retry would be told "duplicate"', async () => {
    await rig.deliver(rig.orderFor([await rig.put(`${scanPrefix}0.dcm`, 'zero')]))
    const { body, finish } = bodyInTwoParts('con', 'tent')
    const slow = putFile(rig.xnat, scanRef(), '1.dcm', { openBody: () => body, sizeBytes: 7 })
    await rig.deliver(rig.orderFor([await rig.put(`${scanPrefix}2.dcm`, 'two')]))
    finish()
    await expect(slow).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE', status: 500 })
    expect((await listFiles(rig.xnat, scanRef())).map(({ path }) => path).sort()).toEqual(['0.dcm', '2.dcm'])

    await rig.deliver(rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'content')]))

    expect((await rig.contents(scanRef())).get('1.dcm')?.toString()).toBe('content')
  })

  it('is not believed when a failed overwrite leaves an entry that was the same before', async () => {
    const content = randomBytes(10_000)
    const object = await rig.put(`${scanPrefix}1.dcm`, content)
    await rig.deliver(rig.orderFor([object]))
    // A multipart upload's ETag is no digest: the same content is sent again.
    const again = { ...object, etag: await putInParts(`${scanPrefix}1.dcm`, content) }
    rig.standIn.faults.next({ when: { method: 'PUT', path: /\/files\// }, kind: 'cut-during-request', times: 20 })
    const order = rig.orderFor([again])

    await expect(rig.deliver(order)).rejects.toMatchObject({ retry: 'later' })
    expect(await rig.receipt(order)).toBeUndefined()

    rig.standIn.faults.clear()
    await rig.deliver(order)
    expect((await rig.contents(scanRef())).get('1.dcm')?.equals(content)).toBe(true)
  })

  it('is looked at between two tries of a sending: the client does not repeat it by itself', async () => {
    rig.standIn.faults.next({ when: { method: 'PUT', path: /\/files\// }, kind: '500-after-write' })
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'content')])

    await rig.deliver(order)

    expect(uploads()).toHaveLength(1)
  })

  it('stops in time when the signal says so, and is done by the next run', async () => {
    rig.standIn.faults.next({ when: { method: 'PUT', path: /\/files\// }, kind: 'hang' })
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'content')])

    await expect(rig.deliver(order, AbortSignal.timeout(500))).rejects.toThrow()
    expect(await rig.receipt(order)).toBeUndefined()

    await rig.deliver(order)
    expect((await rig.receipt(order))?.outcome).toBe('verified')
  })
})

/** Puts the content as one part of a multipart upload, whose ETag is not the content's MD5. */
async function putInParts(key: string, content: Buffer): Promise<string> {
  const target = { Bucket: 'incoming', Key: key }
  const { UploadId } = await rig.aws.s3.send(new CreateMultipartUploadCommand(target))
  const { ETag } = await rig.aws.s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: content }))
  const parts = { MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }
  const done = await rig.aws.s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, ...parts }))
  return (done.ETag ?? '').replaceAll('"', '')
}

/** A body whose second part comes when told: meanwhile the upload is under way, and another writer can be first. */
function bodyInTwoParts(first: string, second: string): { body: Readable; finish: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const parts = async function* () {
    yield Buffer.from(first)
    await promise
    yield Buffer.from(second)
  }
  return { body: Readable.from(parts()), finish: resolve }
}
