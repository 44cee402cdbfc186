import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureExperiment, ensureScan } from '../../lib/xnat/archive.ts'
import { putArchive } from '../../lib/xnat/resources.ts'
import { tar } from '../support/archive-bytes.ts'
import { hubProjectId, type ImagesRig, sealed, startImagesRig } from '../support/images-rig.ts'

let rig: ImagesRig
beforeEach(async () => {
  rig = await startImagesRig()
  for (const label of ['E1', 'E2', 'E3']) {
    const wanted = { projectId: 'P1', subjectLabel: 'S1', label, xsiType: 'xnat:mrSessionData' }
    const { experimentId } = await ensureExperiment(rig.xnat, wanted)
    await ensureScan(rig.xnat, { experimentId, scanId: '1', xsiType: 'xnat:mrScanData' })
    if (label === 'E3') continue
    const bytes = await tar({ 'a.nii': `a of ${label}`, 'b c.nii': 'b' })
    const source = { format: 'tar', openBody: () => Readable.from([bytes]), sizeBytes: bytes.length } as const
    await putArchive(rig.xnat, { parent: { level: 'scan', experimentId, scanId: '1' }, resourceLabel: 'NIFTI' }, source)
  }
})
afterEach(() => rig.stop())

const ask = (accession_ids: string[], change: object = {}) =>
  rig.post('/exports', {
    encrypted_central_hub_project_id: sealed(hubProjectId),
    net_id: 'net-1',
    accession_ids,
    ...change,
  })
interface Answer {
  exportId: string
  state: string
  studies: object[]
}
const standing = async (id: string) => (await rig.get('/exports/value', { export_id: id })).body as Answer
const files = (id: string, query: Record<string, string>) => rig.get('/exports/value/files', { export_id: id }, query)
const zipRequests = () => rig.standIn.requests.list().filter(({ path }) => path.includes('format=zip')).length

describe('an export of many studies', () => {
  it('is answered at once, tells how each study stands, and ends with all that could be done', async () => {
    const reply = await ask(['E1', 'E2', 'E3', 'E9', 'E1'])

    const { exportId } = reply.body as Answer
    expect(reply).toMatchObject({
      status: 202,
      headers: { location: `/exports/${exportId}` },
      body: { state: 'queued' },
    })
    expect((reply.body as Answer).studies).toHaveLength(4)
    await rig.work()
    expect(await standing(exportId)).toMatchObject({
      state: 'failed',
      studies: [
        { accession_id: 'E1', state: 'done', files: 2, filesDone: 2, path: '/app/data/images/net-1/hub-1/E1' },
        { accession_id: 'E2', state: 'done' },
        { accession_id: 'E3', state: 'failed', code: 'IMAGES_NOT_FOUND' },
        { accession_id: 'E9', state: 'failed', code: 'EXPERIMENT_NOT_FOUND' },
      ],
    })
  })

  it('asked for again is the same export, and downloads nothing that is there or under way', async () => {
    const [first, second] = [await ask(['E1', 'E2']), await ask(['E1', 'E2'])]
    expect((second.body as Answer).exportId).toBe((first.body as Answer).exportId)
    await rig.work()
    expect(zipRequests()).toBe(2)

    await ask(['E1', 'E2'])
    await rig.work()
    expect(zipRequests()).toBe(2)
    expect(await standing((first.body as Answer).exportId)).toMatchObject({ state: 'done' })

    await ask(['E1', 'E2'], { force_refresh: true })
    await rig.work()
    expect(zipRequests()).toBe(4)
  })

  it('is joined by who asks for one of its studies', async () => {
    await ask(['E1', 'E2'])
    expect((await rig.download({ headers: { prefer: 'respond-async' } })).status).toBe(202)
    await rig.work()
    expect(zipRequests()).toBe(2)
  })

  it('lets files be read without a mount, page by page, by who has the address', async () => {
    const { exportId } = (await ask(['E1', 'E2'])).body as Answer
    expect(await files(exportId, { accession_id: 'E2' })).toMatchObject({ status: 409 })
    await rig.work()

    const found: { path: string; sizeBytes: number; url: string }[] = []
    let cursor: string | undefined
    do {
      const { body } = await files(exportId, { accession_id: 'E2', limit: '1', ...(cursor && { cursor }) })
      const page = body as { files: typeof found; cursor?: string }
      found.push(...page.files)
      cursor = page.cursor
    } while (cursor !== undefined)

    expect(found.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ['scans/1/resources/NIFTI/files/a.nii', 7],
      ['scans/1/resources/NIFTI/files/b c.nii', 1],
    ])
    const bodies = await Promise.all(found.map(async ({ url }) => (await fetch(url)).text()))
    expect(bodies).toEqual(['a of E2', 'b'])
    expect((await fetch(found[0]!.url.replace('a.nii', 'b%20c.nii'))).status).toBe(403)
  })

  it.each([
    ['of an export that was never asked for', '0'.repeat(32), 'E1', 404],
    ['of a study that is not in it', undefined, 'E3', 409],
  ])('lists no files %s', async (_, id, accession, status) => {
    const { exportId } = (await ask(['E1'])).body as Answer
    await rig.work()
    expect((await files(id ?? exportId, { accession_id: accession })).status).toBe(status)
  })

  it.each<[object, number]>([
    [{ accession_ids: [] }, 422],
    [{ accession_ids: ['../E1'] }, 422],
    [{ accession_ids: Array.from({ length: 1001 }, (_, n) => `E${n}`) }, 422],
    [{ net_id: '..' }, 400],
    [{ encrypted_central_hub_project_id: sealed('upload') }, 400],
    [{ encrypted_central_hub_project_id: 'x' }, 400],
    [{ assessor_type: 'both' }, 500],
  ])('is refused for %j', async (change, status) => {
    expect((await ask(['E1'], change)).status).toBe(status)
    expect(rig.exports.sent).toEqual([])
  })
})
