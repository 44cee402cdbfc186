import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectTaggingCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureScan } from '../../lib/xnat/archive.ts'
import { ensureAssessor } from '../../lib/xnat/assessors.ts'
import { deleteFile } from '../../lib/xnat/delete-files.ts'
import { setFields } from '../../lib/xnat/records.ts'
import { putArchive, type ResourceParent } from '../../lib/xnat/resources.ts'
import { tar, zipEnd, zipMember } from '../support/archive-bytes.ts'
import { type ImagesRig, sealed, startImagesRig } from '../support/images-rig.ts'

let rig: ImagesRig
beforeEach(async () => {
  rig = await startImagesRig({ environment: { ANSWER_WITHIN_SECONDS: '20' } })
  await ensureScan(rig.xnat, { experimentId: rig.experimentId, scanId: '1', xsiType: 'xnat:mrScanData' })
  await ensureScan(rig.xnat, { experimentId: rig.experimentId, scanId: '2', xsiType: 'xnat:mrScanData' })
  await setFields(rig.xnat, { kind: 'scan', experimentId: rig.experimentId, scanId: '1' }, { type: 'T1 fast' })
  await store(scan('1'), 'NIFTI', nifti)
  await store(scan('2'), 'NIFTI', { 'two.nii': 'two' })
  await store(scan('1'), 'DICOM', { '1.dcm': 'dicom' })
})
afterEach(() => rig.stop())

const nifti = { 'a.nii': 'content of a', 'sub/1/größe b.nii': 'b', empty: '' }
const scan = (scanId: string): ResourceParent => ({ level: 'scan', experimentId: rig.experimentId, scanId })

async function store(parent: ResourceParent, resourceLabel: string, files: Record<string, string>): Promise<void> {
  const bytes = await tar(files)
  const source = { format: 'tar', openBody: () => Readable.from([bytes]), sizeBytes: bytes.length } as const
  await putArchive(rig.xnat, { parent, resourceLabel }, source, { overwrite: true })
}

const home = 'net-1/hub-1/E1/'
const path = '/app/data/images/net-1/hub-1/E1'
const niftiTree = {
  'scans/1-T1_fast/resources/NIFTI/files/a.nii': 'content of a',
  // XNAT puts the type behind every folder that is called like the scan.
  'scans/1-T1_fast/resources/NIFTI/files/sub/1-T1_fast/größe b.nii': 'b',
  'scans/1-T1_fast/resources/NIFTI/files/empty': '',
  'scans/2/resources/NIFTI/files/two.nii': 'two',
}
const marker = '.flip_complete-scan-NIFTI'

/** The tree without its markers, of which the names are given apart. */
async function tree(net = 'net-1') {
  const all = Object.entries(Object.fromEntries(await rig.tree(`${net}/hub-1/E1/`)))
  const isMarker = ([name]: [string, string]) => name.startsWith('.flip_complete')
  return {
    files: Object.fromEntries(all.filter((entry) => !isMarker(entry))),
    markers: all.filter(isMarker).map(([name]) => name),
  }
}

const zipRequests = () => rig.standIn.requests.list().filter(({ path }) => path.includes('format=zip'))
const hasZip = (it: { path: string }) => it.path.includes('format=zip')
const later = { prefer: 'respond-async' }
const exportIdOf = (body: unknown) => (body as { exportId: string }).exportId
const standing = async (exportId: string) => (await rig.get('/exports/value', { export_id: exportId })).body
const unfinished = async () =>
  (await rig.aws.s3.send(new ListMultipartUploadsCommand({ Bucket: 'images' }))).Uploads ?? []

describe('a download by a training client', () => {
  it("is answered with the folder in which the files lie in the layout of XNAT's zips, and a marker", async () => {
    rig.workAtOnce()

    expect(await rig.download()).toMatchObject({ status: 200, body: { path } })

    expect(await tree()).toEqual({ files: niftiTree, markers: [marker] })
    expect(await unfinished()).toEqual([])
  })

  it('tags what it puts for the lifecycle rule that ends it', async () => {
    rig.workAtOnce()
    await rig.download()

    for (const key of [...(await rig.tree(home)).keys()]) {
      const { TagSet } = await rig.aws.s3.send(new GetObjectTaggingCommand({ Bucket: 'images', Key: home + key }))
      expect(TagSet).toEqual([{ Key: 'xnat-conduit', Value: 'image-tree' }])
    }
  })

  it('is answered from the tree the next time, without asking XNAT', async () => {
    rig.workAtOnce()
    await rig.download()
    rig.standIn.requests.clear()

    expect(await rig.download()).toMatchObject({ status: 200, body: { path } })
    expect(rig.standIn.requests.count()).toBe(0)
  })

  it.each<[string, Record<string, string>, string[]]>([
    ['DICOM', { resource_type: 'DICOM' }, ['scans/1-T1_fast/resources/DICOM/files/1.dcm']],
    [
      'all',
      { resource_type: 'ALL', assessor_type: 'SCAN' },
      ['scans/1-T1_fast/resources/DICOM/files/1.dcm', ...Object.keys(niftiTree)],
    ],
    [
      'SEG of assessors',
      { resource_type: 'SEG', assessor_type: 'assessor' },
      ['assessors/A1/out/resources/SEG/files/mask.nii', 'assessors/A2/out/resources/SEG/files/mask.nii'],
    ],
    [
      'all of assessors',
      { resource_type: 'ALL', assessor_type: 'Assessor' },
      [
        'assessors/A1/out/resources/NOTES/files/n.txt',
        'assessors/A1/out/resources/SEG/files/mask.nii',
        'assessors/A2/out/resources/SEG/files/mask.nii',
      ],
    ],
  ])('brings what was asked for: %s', async (_, query, expected) => {
    for (const label of ['A1', 'A2', 'A3']) {
      const wanted = { experimentId: rig.experimentId, label, xsiType: 'xnat:qcManualAssessorData' }
      const { assessorId } = await ensureAssessor(rig.xnat, wanted)
      const parent = { level: 'assessor', experimentId: rig.experimentId, assessorId, direction: 'out' } as const
      if (label !== 'A3') await store(parent, 'SEG', { 'mask.nii': `mask of ${label}` })
      if (label === 'A1') await store(parent, 'NOTES', { 'n.txt': 'note' })
    }
    rig.workAtOnce()

    expect(await rig.download({ query })).toMatchObject({ status: 200, body: { path } })
    expect(Object.keys((await tree()).files).toSorted()).toEqual(expected.toSorted())
  })

  it('has a marker of its own for each pair of types: one does not stand for another', async () => {
    rig.workAtOnce()
    await rig.download({ query: { resource_type: 'ALL' } })
    expect(zipRequests()).toHaveLength(1)

    await rig.download()
    expect(zipRequests()).toHaveLength(2)
    expect((await tree()).markers).toEqual(['.flip_complete-scan-ALL', marker])
  })

  it('brings the new state on request, and takes away what XNAT no longer has', async () => {
    rig.workAtOnce()
    await rig.download({ query: { resource_type: 'DICOM' } })
    await rig.download()
    await deleteFile(rig.xnat, { parent: scan('1'), resourceLabel: 'NIFTI' }, 'empty')
    await store(scan('2'), 'NIFTI', { 'two.nii': 'two, rewritten' })

    await rig.download()
    expect((await tree()).files).toMatchObject(niftiTree)
    await rig.download({ query: { force_refresh: 'true' } })

    const { 'scans/1-T1_fast/resources/NIFTI/files/empty': _, ...others } = niftiTree
    expect((await tree()).files).toEqual({
      ...others,
      'scans/2/resources/NIFTI/files/two.nii': 'two, rewritten',
      'scans/1-T1_fast/resources/DICOM/files/1.dcm': 'dicom',
    })
  })

  it.each<[string, () => Promise<void>]>([
    [
      'an upload',
      async () => {
        await rig.putImage('net-1/upload/new.nii', 'new')
        await rig.upload({ scan_id: '2', resource_id: 'NIFTI', files: ['new.nii'] })
      },
    ],
    [
      'a delivery from S3',
      async () => {
        const key = 'projects/P1/subjects/S1/experiments/E1/scans/2/resources/NIFTI/files/new.nii'
        const order = rig.orderFor([await rig.put(key, 'new')])
        await rig.deliveries.send([{ body: JSON.stringify(order) }])
      },
    ],
  ])('is done anew after %s into the session, for every net', async (_, change) => {
    rig.workAtOnce()
    for (const net of ['net-1', 'net-2']) await rig.download({ net })
    await change()
    const { deliveries } = await poll(
      async () => (await rig.get('/deliveries', {})).body as { deliveries: unknown[] },
      (it) => it.deliveries.length > 0,
    )
    expect(deliveries).toHaveLength(1)
    await sleep(100)

    for (const net of ['net-1', 'net-2']) {
      expect((await rig.download({ net })).status).toBe(200)
      expect((await tree(net)).files).toMatchObject({ 'scans/2/resources/NIFTI/files/new.nii': 'new' })
    }
  })

  it('is done anew when it is older than the settings allow', async () => {
    await rig.stop()
    rig = await startImagesRig({
      environment: { ANSWER_WITHIN_SECONDS: '20', IMAGE_CACHE_RETENTION_HOURS: '0.000001' },
    })
    await ensureScan(rig.xnat, { experimentId: rig.experimentId, scanId: '1', xsiType: 'xnat:mrScanData' })
    await store(scan('1'), 'NIFTI', nifti)
    rig.workAtOnce()
    await rig.download()
    await sleep(10)
    await rig.download()
    expect(zipRequests()).toHaveLength(2)
  })

  it('needs no checksums of the site, where sizes and those of the zip have to do', async () => {
    rig.standIn.state.configure({ checksums: false })
    await store(scan('2'), 'NIFTI', { 'three.nii': 'three' })
    rig.workAtOnce()

    expect((await rig.download()).status).toBe(200)
    expect((await tree()).files).toMatchObject({ 'scans/2/resources/NIFTI/files/three.nii': 'three' })
  })
})

async function poll<T>(read: () => Promise<T>, isEnough: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read()
    if (isEnough(value)) return value
    await sleep(20)
  }
}

describe('a download that takes longer', () => {
  it('is answered 202 with the address that tells how it stands, and no path of a folder that is not whole', async () => {
    const reply = await rig.download({ headers: later })

    const id = exportIdOf(reply.body)
    expect(reply).toMatchObject({ status: 202, headers: { location: `/exports/${id}` } })
    expect(reply.body).toEqual({
      exportId: id,
      state: 'queued',
      studies: [expect.objectContaining({ accession_id: 'E1', state: 'queued' })],
    })
    expect(JSON.stringify(reply.body)).not.toContain('path')
    await rig.work()
    expect(await standing(id)).toMatchObject({
      state: 'done',
      studies: [{ accession_id: 'E1', state: 'done', files: 4, filesDone: 4, bytes: 16, bytesDone: 16, path }],
    })
    expect(await rig.download({ headers: later })).toMatchObject({ status: 200, body: { path } })
  })

  it('is joined by whoever asks for the same: XNAT packs it once', async () => {
    rig.workAtOnce()
    const replies = await Promise.all([rig.download(), rig.download(), rig.download()])

    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(zipRequests()).toHaveLength(1)
  })

  it('gives way to one that is forced, which others who force it join', async () => {
    const [first, forced] = [
      await rig.download({ headers: later }),
      await rig.download({ headers: later, query: { force_refresh: 'true' } }),
    ]
    const joined = await rig.download({ headers: later, query: { force_refresh: 'true' } })

    expect(exportIdOf(forced.body)).toBe(exportIdOf(first.body))
    expect(joined.status).toBe(202)
    await rig.work()
    expect(zipRequests()).toHaveLength(1)
    expect(await standing(exportIdOf(first.body))).toMatchObject({ state: 'done' })
  })
})

describe('a download that is refused', () => {
  it.each<[string, object, Record<string, string>, number, RegExp]>([
    [
      'another key',
      { encrypted_central_hub_project_id: sealed('hub-1', '') },
      {},
      400,
      /^Central Hub project id failed authentication$/,
    ],
    [
      'no envelope',
      { encrypted_central_hub_project_id: 'e30=' },
      {},
      400,
      /^Central Hub project id is not a valid envelope: Payload is not a FLIP encryption envelope$/,
    ],
    [
      'a hub id that leads elsewhere',
      { encrypted_central_hub_project_id: sealed('..') },
      {},
      400,
      /^Invalid download request: Path traversal detected in central hub project ID$/,
    ],
    [
      'a project that is not there',
      { encrypted_central_hub_project_id: sealed('hub-9') },
      {},
      404,
      /^Resource not found: 404: Project with this central hub ID not found/,
    ],
    ['a study that is not there', { accession_id: 'E9' }, {}, 404, /^Resource not found: 404: Experiment/],
    ['files that are not there', {}, { resource_type: 'SEG' }, 404, /^Resource not found: 404: No DICOM data in XNAT$/],
    ['assessors that are not there', {}, { resource_type: 'SEG', assessor_type: 'assessor' }, 404, /No DICOM data/],
    [
      'a type that is none',
      {},
      { assessor_type: 'both' },
      500,
      /^Failed to download and unzip images: Type must be 'scan' or 'assessor'$/,
    ],
  ])('%s', async (_, body, query, status, detail) => {
    rig.workAtOnce()
    const reply = await rig.download({ body, query })
    expect([reply.status, (reply.body as { detail: string }).detail]).toEqual([status, expect.stringMatching(detail)])
    expect(await rig.tree('')).toEqual(new Map())
  })

  it.each(['..', '.', '', 'a b', 'a/b'])('a net that is no folder: "%s"', async (net) => {
    const reply = await rig.download({ net })
    expect(reply).toMatchObject({
      status: 400,
      body: { detail: 'Invalid download request: Path traversal detected in net ID' },
    })
  })

  it.each<[object, Record<string, string>]>([
    [{ accession_id: '../E1' }, {}],
    [{ accession_id: 'E1?x' }, {}],
    [{ accession_id: '..' }, {}],
    [{}, { resource_type: 'nifti' }],
    [{}, { force_refresh: 'perhaps' }],
  ])('422 for %j %j', async (body, query) => {
    expect((await rig.download({ body, query })).status).toBe(422)
  })

  it('leaves accession numbers and names of files out of the log', async () => {
    await rig.download({ body: { accession_id: 'SMITH' }, headers: later })
    await rig.work()
    await store(scan('1'), 'NIFTI', { 'SMITH.nii': 'x' })
    await rig.download({ headers: later })
    await rig.work()
    expect(rig.wired.lines.filter(({ message }) => message === 'download ended')).toHaveLength(2)
    expect(JSON.stringify(rig.wired.lines)).not.toMatch(/SMITH|E1/)
  })
})

describe('a download in trouble', () => {
  /** A tree that is whole, and in XNAT a newer state. */
  async function outdated(): Promise<void> {
    await rig.download({ headers: later })
    await rig.work()
    await store(scan('1'), 'NIFTI', { 'a.nii': 'rewritten' })
  }
  const refresh = () => rig.download({ query: { force_refresh: 'true' }, headers: later })
  const rewritten = { ...niftiTree, 'scans/1-T1_fast/resources/NIFTI/files/a.nii': 'rewritten' }

  it('leaves no marker and the old tree whole when XNAT dies in the middle of the zip; the next try brings all', async () => {
    await outdated()
    const { body } = await refresh()
    rig.standIn.faults.next({ when: { path: /format=zip/ }, kind: 'cut-during-reply' })
    await rig.work()

    expect(await standing(exportIdOf(body))).toMatchObject({
      state: 'queued',
      studies: [{ state: 'queued', code: 'XNAT_UNREACHABLE' }],
    })
    expect(await tree()).toEqual({ files: niftiTree, markers: [] })
    expect(await unfinished()).toEqual([])
    await rig.work()
    expect(await tree()).toEqual({ files: rewritten, markers: [marker] })
  })

  it.each<[string, (zip: Buffer) => Buffer, string]>([
    [
      'cut off although the answer ends well',
      (zip) => zip.subarray(0, zip.indexOf('PK\u0001\u0002') - 5),
      'ZIP_CUT_OFF',
    ],
    ['of another content than listed', (zip) => replaced(zip, 'rewritten', 'rEwritten'), 'ZIP_NOT_READABLE'],
    ['no zip', () => Buffer.from('<html>busy</html>'), 'ZIP_NOT_READABLE'],
  ])('leaves no marker and the old tree whole when the zip is %s', async (_, change, code) => {
    await outdated()
    const response = await fetch(
      `${rig.standIn.url}/data/experiments/${rig.experimentId}/scans/ALL/resources/NIFTI/files?format=zip`,
      {
        headers: {
          authorization: `Basic ${Buffer.from(`${rig.standIn.user}:${rig.standIn.password}`).toString('base64')}`,
        },
      },
    )
    const zip = change(Buffer.from(await response.arrayBuffer()))
    answerZips(zip)
    const { body } = await refresh()
    await rig.work()

    expect(await standing(exportIdOf(body))).toMatchObject({ studies: [{ code }] })
    expect(await tree()).toEqual({ files: niftiTree, markers: [] })
  })

  it.each<[string, () => Promise<Buffer>, string]>([
    ['names that lead out of the folder', () => zipOf([['../../evil', 'x']]), 'IMAGES_UNSAFE'],
    ['absolute names', () => zipOf([['/etc/passwd', 'x']]), 'IMAGES_UNSAFE'],
    [
      'names that no list has',
      () => zipOf([['E1/scans/1-T1_fast/resources/NIFTI/files/link', '/etc/passwd']]),
      'ZIP_TOO_LARGE',
    ],
    ['a file twice', () => zipOf(Array(2).fill(['E1/scans/2/resources/NIFTI/files/two.nii', 'two'])), 'IMAGES_DIFFER'],
    [
      'a file that is too long',
      () => zipOf([['E1/scans/2/resources/NIFTI/files/two.nii', 'longer than two']]),
      'ZIP_TOO_LARGE',
    ],
    ['100,000 folders', async () => folders(100_000), 'ZIP_TOO_LARGE'],
    ['nothing', () => zipOf([]), 'IMAGES_DIFFER'],
  ])(
    'puts nothing into the tree of a zip with %s',
    async (_, make, code) => {
      answerZips(await make())
      const { body } = await rig.download({ headers: later })
      await rig.work()

      expect(await standing(exportIdOf(body))).toMatchObject({ studies: [{ code }] })
      expect(await rig.tree('')).toEqual(new Map())
      expect(await unfinished()).toEqual([])
    },
    60_000,
  )

  it('answers 400 to whoever waits for names that lead out of the folder', async () => {
    answerZips(await zipOf([['../../evil', 'x']]))
    rig.workAtOnce()
    expect(await rig.download()).toMatchObject({
      status: 400,
      body: { detail: 'Invalid download request: Attempted path traversal in ZIP entry' },
    })
  })

  it('believes no list either that names a file out of the folder', async () => {
    const row = { Name: 'x', Size: '1', collection: 'NIFTI', cat_ID: '1', digest: '' }
    for (const [scanId, file] of [
      ['1', '../../../../../../net-2/upload/evil'],
      ['..', 'x'],
      ['1', 'a\\..\\b'],
      ['1', 'x'.repeat(1025)],
    ]) {
      const URI = `/data/experiments/X/scans/${scanId}/resources/1/files/${file}`
      const body = JSON.stringify({ ResultSet: { Result: [{ ...row, URI }] } })
      rig.xnatProxy.judge = ({ path }) =>
        path.includes('/files?format=json')
          ? { kind: 'answer', status: 200, headers: { 'content-type': 'application/json' }, body }
          : undefined
      const { body: answer } = await rig.download({ headers: later, query: { force_refresh: 'true' } })
      await rig.work()
      expect(await standing(exportIdOf(answer))).toMatchObject({
        studies: [{ state: 'failed', code: 'IMAGES_UNSAFE' }],
      })
    }
    expect(await rig.tree('')).toEqual(new Map())
  })

  it('is too large to begin with when the list says so', async () => {
    const row = {
      Name: 'x',
      collection: 'NIFTI',
      cat_ID: '1',
      digest: '',
      URI: '/data/experiments/X/scans/1/resources/1/files/x',
    }
    const body = JSON.stringify({ ResultSet: { Result: [{ ...row, Size: String(1024 ** 4) }] } })
    rig.xnatProxy.judge = ({ path }) =>
      path.includes('/files?format=json')
        ? { kind: 'answer', status: 200, headers: { 'content-type': 'application/json' }, body }
        : undefined
    rig.workAtOnce()
    expect(await rig.download()).toMatchObject({
      status: 500,
      body: { detail: 'Failed to download and unzip images: IMAGES_TOO_LARGE' },
    })
    expect(zipRequests()).toEqual([])
  })

  it('reads again what changed between the list and the zip', async () => {
    let isChanged = false
    rig.xnatProxy.judge = (request) => {
      if (isChanged || !hasZip(request)) return undefined
      isChanged = true
      void store(scan('1'), 'NIFTI', { 'a.nii': 'rewritten', 'new.nii': 'new' })
      return { kind: 'delay', ms: 500 }
    }
    rig.workAtOnce()

    expect((await rig.download()).status).toBe(200)
    expect((await tree()).files).toEqual({ ...rewritten, 'scans/1-T1_fast/resources/NIFTI/files/new.nii': 'new' })
  })

  it('is not valid for longer than an upload that came in its midst', async () => {
    await rig.putImage('net-1/upload/new.nii', 'new')
    let isUploaded = false
    rig.s3Proxy.judge = ({ method, path }) => {
      if (isUploaded || method !== 'POST' || !path.includes('uploadId=')) return undefined
      isUploaded = true
      // The zip is read, and the upload is done before the marker is written.
      void rig.upload({ scan_id: '2', resource_id: 'NIFTI', files: ['new.nii'] })
      return { kind: 'delay', ms: 1_500 }
    }
    rig.workAtOnce()

    expect((await rig.download()).status).toBe(200)
    expect((await tree()).files).toEqual(niftiTree)
    expect((await rig.get('/deliveries', {})).body).toMatchObject({ deliveries: [{ outcome: 'verified' }] })
    expect((await rig.download()).status).toBe(200)
    expect((await tree()).files).toEqual({ ...niftiTree, 'scans/2/resources/NIFTI/files/new.nii': 'new' })
  })

  it('that dies while the new files take the places of the old ones leaves no marker, and is done by the next try', async () => {
    await outdated()
    await store(scan('2'), 'NIFTI', { 'two.nii': 'rewritten too' })
    const { body } = await refresh()
    let completed = 0
    rig.s3Proxy.judge = ({ method, path }) => {
      if (method !== 'POST' || !path.includes('uploadId=')) return undefined
      completed += 1
      return completed > 2 ? { kind: 'answer', status: 503 } : undefined
    }
    await rig.work()
    expect((await tree()).markers).toEqual([])
    expect(await standing(exportIdOf(body))).toMatchObject({ studies: [{ state: 'queued', code: 'STORAGE_BUSY' }] })

    rig.s3Proxy.judge = () => undefined
    await rig.work()
    expect(await tree()).toEqual({
      files: { ...rewritten, 'scans/2/resources/NIFTI/files/two.nii': 'rewritten too' },
      markers: [marker],
    })
  })

  it('ends with its reason when its tries are spent, and begins anew when it is asked for again', async () => {
    const { body } = await rig.download({ headers: later })
    rig.standIn.faults.next({ when: { path: /format=zip/ }, kind: 'cut-during-reply', times: 5 })
    for (let attempt = 1; attempt <= 5; attempt += 1) await rig.work()
    expect(await standing(exportIdOf(body))).toMatchObject({ state: 'failed', studies: [{ code: 'XNAT_UNREACHABLE' }] })

    rig.workAtOnce()
    expect((await rig.download()).status).toBe(200)
  })
})

/** XNAT's answer to whoever asks for a zip. */
function answerZips(body: Buffer): void {
  const headers = { 'content-type': 'application/zip' }
  rig.xnatProxy.judge = (request) => (hasZip(request) ? { kind: 'answer', status: 200, headers, body } : undefined)
}

const zipOf = async (entries: readonly (readonly [string, string])[]) =>
  Buffer.concat([...entries.map(([name, body]) => zipMember(name, Buffer.from(body))), zipEnd])

const folders = (count: number) =>
  Buffer.concat([...Array.from({ length: count }, (_, n) => zipMember(`E1/${n}/`, Buffer.alloc(0))), zipEnd])

/** The first occurrence of a text, which stays as long as it was. */
function replaced(bytes: Buffer, text: string, by: string): Buffer {
  const at = bytes.indexOf(text)
  bytes.write(by, at)
  return bytes
}
