import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureScan, findScan } from '../../lib/xnat/archive.ts'
import { listFiles, putFile, type ResourceRef } from '../../lib/xnat/resources.ts'
import { md5 } from '../support/delivery-rig.ts'
import { type ImagesRig, sealed, startImagesRig } from '../support/images-rig.ts'

let rig: ImagesRig
beforeEach(async () => {
  rig = await startImagesRig()
})
afterEach(() => rig.stop())

const scanRef = (): ResourceRef => ({
  parent: { level: 'scan', experimentId: rig.experimentId, scanId: '7' },
  resourceLabel: 'SEG',
})
const later = { prefer: 'respond-async' }
const standing = async (uploadId: string) =>
  (await rig.get('/uploads/value', { upload_id: uploadId })).body as Record<string, unknown>
const uploadIdOf = (body: unknown) => (body as { uploadId: string }).uploadId

describe('an upload by a training client', () => {
  it('is answered with the addresses of its files in XNAT, where they are, folders kept, in a scan made for them', async () => {
    await rig.stop()
    rig = await startImagesRig({ environment: { ANSWER_WITHIN_SECONDS: '20' } })
    rig.workAtOnce()
    const content = randomBytes(100_000)
    await rig.putImage('net-1/upload/run 1/mask.nii', content)
    await rig.putImage('net-1/upload/empty.txt', '')

    const reply = await rig.upload({ files: ['run 1/mask.nii', '/app/data/images/net-1/upload/empty.txt'] })

    const files = `${rig.standIn.url}/data/projects/P1/subjects/XNAT_S00001/experiments/E1/scans/7/resources/SEG/files`
    expect(reply).toMatchObject({
      status: 200,
      body: [`${files}/run%201/mask.nii?inbody=true`, `${files}/empty.txt?inbody=true`],
    })
    expect(await rig.digests(scanRef())).toEqual(
      new Map([
        ['run 1/mask.nii', md5(content)],
        ['empty.txt', md5('')],
      ]),
    )
    expect(await findScan(rig.xnat, { experimentId: rig.experimentId, scanId: '7' })).toMatchObject({
      xsiType: 'xnat:mrScanData',
    })
  })

  it('takes one request for its files, of which there may be many', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `${index}.nii`)
    for (const name of names) await rig.putImage(`net-1/upload/${name}`, name)
    await rig.upload({ files: names })
    await rig.work()

    const puts = rig.standIn.requests.list().filter(({ method, path }) => method === 'PUT' && path.includes('/files/'))
    expect(puts).toHaveLength(1)
    expect((await rig.contents(scanRef())).size).toBe(40)
  })

  it('that takes longer is answered 202 with the address that tells how it stands, and the same list at the end', async () => {
    await rig.putImage('net-1/upload/a.nii', 'abc')

    const reply = await rig.upload({}, later)

    expect(reply).toMatchObject({ status: 202, body: { state: 'queued', files: 1, filesDone: 0, bytes: 3, urls: [] } })
    const id = uploadIdOf(reply.body)
    expect(reply.headers['location']).toBe(`/uploads/${id}`)
    expect(reply.body).not.toHaveProperty('path')
    await rig.work()
    expect(await standing(id)).toMatchObject({
      state: 'done',
      filesDone: 1,
      bytesDone: 3,
      urls: [expect.stringMatching(/\/scans\/7\/resources\/SEG\/files\/a\.nii\?inbody=true$/)],
    })
  })

  it('asked for again while it is under way is the same upload; then it is a conflict', async () => {
    await rig.putImage('net-1/upload/a.nii', 'abc')
    const [first, second] = [await rig.upload(), await rig.upload()]

    expect(uploadIdOf(second.body)).toBe(uploadIdOf(first.body))
    await rig.work()
    expect(await standing(uploadIdOf(first.body))).toMatchObject({ state: 'done' })

    const third = await rig.upload()
    await rig.work()
    expect(await standing(uploadIdOf(third.body))).toMatchObject({ state: 'failed', code: 'FILES_EXIST' })
  })

  it('goes through the queue of all deliveries, in the group of its resource', async () => {
    await rig.putImage('net-1/upload/a.nii', 'abc')
    await rig.upload()
    const { deliveryGroup } = await import('../../lib/delivery/order.ts')

    const target = { projectId: 'P1', experiment: 'E1', scanId: '7', resourceLabel: 'SEG' }
    expect(rig.deliveries.sent[0]).toMatchObject({ group: deliveryGroup(target) })
    expect(JSON.stringify(rig.deliveries.sent)).not.toMatch(/a\.nii|E1/)
  })

  it('replaces what is there when it may', async () => {
    await putInto('a.nii', 'old')
    await rig.putImage('net-1/upload/a.nii', 'new')

    const { body } = await rig.upload({ exist_ok: true })
    await rig.work()

    expect(await standing(uploadIdOf(body))).toMatchObject({ state: 'done' })
    expect((await rig.contents(scanRef())).get('a.nii')?.toString()).toBe('new')
  })

  it('leaves a receipt, like every delivery', async () => {
    await rig.putImage('net-1/upload/a.nii', 'abc')
    await rig.upload()
    await rig.work()

    const { body } = await rig.get('/deliveries', {})
    expect(body).toMatchObject({ deliveries: [{ outcome: 'verified', projectId: 'P1', files: 1, bytes: 3 }] })
  })

  it('leaves the files where the client has put them', async () => {
    await rig.stop()
    rig = await startImagesRig({ environment: { SOURCE_AFTER_DELIVERY: 'delete' } })
    await rig.putImage('net-1/upload/a.nii', 'abc')
    await rig.upload()
    await rig.work()

    expect(await rig.tree('net-1/')).toEqual(new Map([['upload/a.nii', 'abc']]))
  })
})

async function putInto(path: string, content: string): Promise<void> {
  const scan = { experimentId: rig.experimentId, scanId: '7', xsiType: 'xnat:mrScanData' }
  await ensureScan(rig.xnat, scan)
  const { Readable } = await import('node:stream')
  const openBody = () => Readable.from([Buffer.from(content)])
  await putFile(rig.xnat, scanRef(), path, { openBody, sizeBytes: content.length })
}

describe('an upload that is refused', () => {
  const noWrites = () => rig.standIn.requests.list().filter(({ method }) => method !== 'GET' && method !== 'POST')

  it('409 with a file of the name in XNAT, whatever it holds, which stays', async () => {
    await rig.stop()
    rig = await startImagesRig({ environment: { ANSWER_WITHIN_SECONDS: '20' } })
    rig.workAtOnce()
    await putInto('a.nii', 'old')
    await rig.putImage('net-1/upload/a.nii', 'new')
    await rig.putImage('net-1/upload/b.nii', 'b')

    expect(await rig.upload({ files: ['b.nii', 'a.nii'] })).toMatchObject({
      status: 409,
      body: { detail: 'Failed to upload files: File already exists on XNAT' },
    })
    expect([...(await rig.contents(scanRef()))].map(String)).toEqual(['a.nii,old'])
  })

  it.each<[string, object, number, RegExp]>([
    [
      'another key',
      { encrypted_central_hub_project_id: sealed('hub-1', 'xnat_setup_path') },
      400,
      /^Central Hub project id failed authentication$/,
    ],
    ['no envelope', { encrypted_central_hub_project_id: 'hub-1' }, 400, /Payload is not a FLIP encryption envelope/],
    [
      'a project that is not there',
      { encrypted_central_hub_project_id: sealed('hub-9') },
      404,
      /^Resource not found: 404: Project with this central hub ID not found among XNAT projects\.$/,
    ],
    ['a study that is not there', { accession_id: 'E9' }, 404, /^Resource not found: 404: Experiment/],
    [
      'a file that is not there',
      { files: ['a.nii', 'none.nii'] },
      500,
      /^Failed to upload files: File not found: files\[1\]$/,
    ],
    [
      'a file above its folder',
      { files: ['../secret'] },
      400,
      /^Invalid upload request: Path traversal detected in file path: files\[0\]$/,
    ],
    ['a file by way of above', { files: ['a.nii', 'x/../../y'] }, 400, /files\[1\]/],
    ['an absolute path elsewhere', { files: ['/etc/passwd'] }, 400, /file path/],
    ["another net's folder", { files: ['/app/data/images/net-2/upload/a.nii'] }, 400, /file path/],
    ['the folder itself', { files: ['.'] }, 400, /file path/],
    ['a folder', { files: ['x/'] }, 400, /file path/],
    ['a path with a control character', { files: ['a\u0000.nii'] }, 400, /file path/],
    ['a backslash', { files: ['..\\a.nii'] }, 400, /file path/],
    [
      'a hub id that leads elsewhere',
      { encrypted_central_hub_project_id: sealed('../net-2') },
      400,
      /central hub project ID/,
    ],
    [
      "a hub id like the clients' folder",
      { encrypted_central_hub_project_id: sealed('upload') },
      400,
      /central hub project ID/,
    ],
    ['a label of digits', { resource_id: '123' }, 422, /resourceLabel may not consist of digits only/],
    ["a name of XNAT's own catalogs", { files: ['x_catalog.xml'] }, 422, /_catalog\.xml/],
  ])('%s', async (_, change, status, detail) => {
    for (const name of ['a.nii', 'x_catalog.xml']) await rig.putImage(`net-1/upload/${name}`, 'abc')
    rig.standIn.requests.clear()

    const reply = await rig.upload(change)

    expect([reply.status, (reply.body as { detail: string }).detail]).toEqual([status, expect.stringMatching(detail)])
    expect(noWrites()).toEqual([])
    expect(rig.deliveries.sent).toEqual([])
  })

  it.each<[string, object]>([
    ['accession_id', { accession_id: '../E1' }],
    ['accession_id', { accession_id: '' }],
    ['scan_id', { scan_id: '..' }],
    ['scan_id', { scan_id: 'ALL' }],
    ['scan_id', { scan_id: '1,2' }],
    ['resource_id', { resource_id: 'a/b' }],
    ['files', { files: [] }],
    ['files', { files: 'a.nii' }],
  ])('422 for %s', async (field, change) => {
    expect(await rig.upload(change)).toMatchObject({ status: 422, body: { detail: [{ loc: ['body', field] }] } })
  })

  it('before XNAT is asked anything, when a file is missing', async () => {
    rig.standIn.requests.clear()
    expect((await rig.upload()).status).toBe(500)
    expect(rig.standIn.requests.count()).toBe(0)
  })

  it('when a file changed after it was named', async () => {
    await rig.putImage('net-1/upload/a.nii', 'abc')
    const { body } = await rig.upload()
    await rig.putImage('net-1/upload/a.nii', 'abcd')
    await rig.work()

    expect(await standing(uploadIdOf(body))).toMatchObject({ state: 'failed', code: 'FILES_CHANGED', urls: [] })
  })

  it('404 for an upload that was never asked for', async () => {
    const reply = await rig.get('/uploads/value', { upload_id: '0'.repeat(32) })
    expect(reply).toMatchObject({ status: 404, body: { detail: 'There is no upload of this id.' } })
  })

  it('and its files, labels and ids are in no log line', async () => {
    await rig.putImage('net-1/upload/SMITH.nii', 'abc')
    await rig.upload({ files: ['SMITH.nii'] })
    await rig.work()
    await rig.upload({ files: ['SMITH.nii'], accession_id: 'SMITH-1' })
    expect(JSON.stringify(rig.wired.lines)).not.toMatch(/SMITH/)
  })
})

describe('folders of uploaded files', () => {
  it('are left out on request, as FLIP does', async () => {
    await rig.stop()
    rig = await startImagesRig({ environment: { UPLOAD_FOLDERS: 'flatten' } })
    const names = Array.from({ length: 20 }, (_, index) => `run-${index}/${index}.nii`)
    for (const name of names) await rig.putImage(`net-1/upload/${name}`, name)

    await rig.upload({ files: names })
    await rig.work()

    const stored = [...(await rig.contents(scanRef()))].map(([path, content]) => [path, content.toString()])
    expect(stored.toSorted()).toEqual(names.map((name) => [name.slice(name.indexOf('/') + 1), name]).toSorted())
  })

  it('must not make two names one', async () => {
    await rig.stop()
    rig = await startImagesRig({ environment: { UPLOAD_FOLDERS: 'flatten' } })
    for (const name of ['x/a.nii', 'y/a.nii']) await rig.putImage(`net-1/upload/${name}`, 'abc')

    expect(await rig.upload({ files: ['x/a.nii', 'y/a.nii'] })).toMatchObject({
      status: 409,
      body: { detail: 'Failed to upload files: Two files would have the same name' },
    })
    expect((await rig.upload({ files: ['x/a.nii', 'x/./a.nii'] })).status).toBe(202)
  })
})

describe('an upload in trouble', () => {
  it('is tried again by the queue, and what an earlier try left behind is no conflict', async () => {
    await rig.putImage('net-1/upload/a.nii', 'abc')
    await rig.putImage('net-1/upload/b.nii', 'b')
    const { body } = await rig.upload({ files: ['a.nii', 'b.nii'] })
    rig.standIn.faults.next({ when: { method: 'PUT', path: /\/files\// }, kind: 'truncate-store', times: 4 })
    await rig.work()

    expect(await standing(uploadIdOf(body))).toMatchObject({ state: 'queued', code: 'NOT_VERIFIED' })
    expect((await listFiles(rig.xnat, scanRef())).length).toBeGreaterThan(0)
    await rig.work()
    expect(await standing(uploadIdOf(body))).toMatchObject({ state: 'done' })
  })

  it('ends with its reason when XNAT refuses it for good, and is no dead letter', async () => {
    await rig.putImage('net-1/upload/a.nii', 'abc')
    const { body } = await rig.upload()
    rig.standIn.faults.next({ when: { path: /\/files/ }, kind: 'status', status: 400, times: 1 })
    await rig.work()

    expect(await standing(uploadIdOf(body))).toMatchObject({ state: 'failed', code: 'XNAT_REFUSED' })
    expect(await rig.wired.deadLetters.deliveries.count()).toBe(0)
  })
})
