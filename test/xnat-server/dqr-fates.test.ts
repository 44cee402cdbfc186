import { describe, expect } from 'vitest'
import type { PacsStudyOrder } from '../../infra/local/xnat-server/dqr/pacs-study.ts'
import { history, labels, minuteMs, prepare, queue, request } from './retrieving.ts'
import { type Site, test } from './site.ts'

type Fate = NonNullable<PacsStudyOrder['fate']>

/** One study with this fate, asked for. */
async function requestFated(site: Site, fate: Fate, options: { directArchive?: boolean } = {}): Promise<string> {
  const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1', fate }], options)
  await again(site, studyInstanceUid)
  return studyInstanceUid
}

async function again(site: Site, studyInstanceUid: string): Promise<void> {
  await request(site, [{ studyInstanceUid }])
  await site.server.clock.advance(minuteMs)
}

const prearchive = async (site: Site) => (await site.send('GET /data/prearchive/projects/P1?format=json')).rows()

async function directArchive(site: Site) {
  const answer = await site.send('POST /xapi/direct-archive', { body: '{}' })
  return answer.json() as { id: number; status: string }[]
}

/** What the archive lists of ACC1: scans, and files of them all. */
async function archived(site: Site) {
  const session = '/data/projects/P1/subjects/Doe_ACC1/experiments/ACC1'
  const scans = (await site.send(`GET ${session}/scans?format=json`)).rows().length
  const files = (await site.send(`GET ${session}/scans/ALL/files?format=json`)).rows().length
  return { scans, files }
}

describe('the fate of a study of the simulated PACS', () => {
  test('may be to get lost in ISSUED, although the site calls such retrieves FAILED', async ({ site }) => {
    await requestFated(site, { kind: 'sends-nothing', history: 'ISSUED', attempts: 1 })
    await site.server.clock.advance(120 * minuteMs)
    expect(await history(site)).toMatchObject([{ status: 'ISSUED' }])
    expect([await queue(site), await prearchive(site), await labels(site)]).toEqual([[], [], []])
  })

  test.for([['RECEIVING'], ['BUILDING'], ['ARCHIVING']] as const)(
    'may be to get stuck in the prearchive in %s, until its entry is deleted and it is retrieved again',
    async ([status], { site }) => {
      const studyInstanceUid = await requestFated(site, { kind: 'gets-stuck', in: status })
      await site.server.clock.advance(12 * 60 * minuteMs)
      expect(await history(site)).toMatchObject([{ status: 'RECEIVED' }])
      const [entry, ...others] = await prearchive(site)
      expect([entry?.['status'], others]).toEqual([status, []])
      expect((await site.send(`DELETE /data${entry?.['url']}`)).status).toBe(200)
      await again(site, studyInstanceUid)
      expect(await prearchive(site)).toEqual([])
      expect(await archived(site)).toEqual({ scans: 1, files: 2 })
    },
  )

  test('may be to get stuck for longer, until it is lifted: then it goes on from there, and at that time', async ({
    site,
  }) => {
    const studyInstanceUid = await requestFated(site, { kind: 'gets-stuck', in: 'RECEIVING', attempts: 9 })
    await again(site, studyInstanceUid)
    expect(await prearchive(site)).toMatchObject([{ status: 'RECEIVING' }])
    await site.server.clock.advance(60 * minuteMs)
    const liftedAt = site.server.clock.now()
    expect(site.server.pacs.decree({ kind: 'arrives' })).toBe(1)
    expect(await prearchive(site)).toEqual([])
    expect(await archived(site)).toEqual({ scans: 1, files: 2 })
    const [session] = site.server.state.experiments.group('P1').filter(({ label }) => label === 'ACC1')
    expect(Date.parse(session?.inserted.at ?? '')).toBeGreaterThanOrEqual(liftedAt.getTime())
  })

  test('may be to get stuck on its way straight into the archive', async ({ site }) => {
    const studyInstanceUid = await requestFated(site, { kind: 'gets-stuck', in: 'BUILDING' }, { directArchive: true })
    await site.server.clock.advance(60 * minuteMs)
    const [row] = await directArchive(site)
    expect(row?.status).toBe('BUILDING')
    expect((await site.send(`DELETE /xapi/direct-archive/${row?.id}`)).status).toBe(200)
    await again(site, studyInstanceUid)
    await site.server.clock.advance(6 * minuteMs)
    expect(await directArchive(site)).toEqual([])
    expect(await archived(site)).toEqual({ scans: 1, files: 2 })
  })

  test.for([
    ['files', { scans: 1, files: 0 }],
    ['scans', { scans: 0, files: 0 }],
  ] as const)(
    'may be to arrive without %s, until its shell is deleted and it is retrieved again',
    async ([without, found], { site }) => {
      const studyInstanceUid = await requestFated(site, { kind: 'empty-shell', without })
      expect(await archived(site)).toEqual(found)
      await site.send('DELETE /data/projects/P1/subjects/Doe_ACC1/experiments/ACC1?removeFiles=true')
      await again(site, studyInstanceUid)
      expect(await archived(site)).toEqual({ scans: 1, files: 2 })
    },
  )

  test('may be to be interrupted by the end of the server: PROCESSING for ever, in nobody’s way', async ({ site }) => {
    const studyInstanceUid = await requestFated(site, { kind: 'move-hangs', losesThread: true, attempts: 1 })
    await site.server.clock.advance(60 * minuteMs)
    const [row] = await queue(site)
    expect(row?.status).toBe('PROCESSING')
    await site.send(`DELETE /xapi/dqr/import/queue/${row?.id}`)
    await again(site, studyInstanceUid)
    expect(await archived(site)).toEqual({ scans: 1, files: 2 })
  })

  test('may be decided by chance, which falls alike each time', async ({ site }) => {
    const fate = { kind: 'move-fails-sometimes', probability: 0.3, seed: 'a' } as const
    const orders = Array.from({ length: 60 }, (_, index) => ({ accessionNumber: `A${index}`, fate }))
    const uids = prepare(site, orders, { threads: 4 })
    await site.send('POST /xapi/dqr/settings', { body: '{"dqrMaxPacsRequestAttempts":"1"}' })
    const failed = async () => {
      for (const study of site.server.state.dqr.pacsStudies.all()) {
        site.server.state.dqr.pacsStudies.put({ ...study, attempts: 0 })
      }
      const body = uids.map((studyInstanceUid) => ({ studyInstanceUid }))
      const [row] = (await request(site, body)).json() as { id: number }[]
      await site.server.clock.advance(30 * minuteMs)
      const rows = await history(site)
      return rows
        .filter(({ id, status }) => id >= (row?.id ?? 0) && status === 'FAILED')
        .map((each) => each['studyInstanceUid'])
    }
    const first = await failed()
    expect(first.length).toBeGreaterThan(5)
    expect(first.length).toBeLessThan(40)
    expect(await failed()).toEqual(first)
  })

  test('is changed for many at once, and counts from then on', async ({ site }) => {
    const orders = ['A1', 'A2', 'A3'].map((accessionNumber) => ({ accessionNumber }))
    const [first = ''] = prepare(site, orders)
    await again(site, first)
    const body = JSON.stringify({ fate: { kind: 'sends-nothing', attempts: 1 }, accessionNumbers: ['A1', 'A2', 'A9'] })
    const answer = await site.send('PATCH /__stand-in/pacs/studies', { body })
    expect([answer.status, answer.json()]).toEqual([200, { studies: 2 }])
    await again(site, first)
    expect(await history(site)).toMatchObject([{ status: 'FAILED' }, { status: 'RECEIVED' }])
    const misspelt = await site.send('PATCH /__stand-in/pacs/studies', { body: '{"fate":{"kind":"arive"}}' })
    expect(misspelt.status).toBe(400)
    const lifted = await site.send('PATCH /__stand-in/pacs/studies', { body: '{"fate":{"kind":"arrives"}}' })
    expect(lifted.json()).toEqual({ studies: 3 })
  })
})
