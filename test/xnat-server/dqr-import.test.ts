import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sampleStudies } from '../../infra/local/sample-studies.ts'
import { history, labels, minuteMs, prepare, queue, request, rows, type Study } from './retrieving.ts'
import { addArchive, startSite, test } from './site.ts'

describe('retrieving studies from a PACS', () => {
  test('dqr A7: a study is queued, retrieved, received and archived under the relabelled names', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [
      { accessionNumber: 'ACC1', series: [{ instances: 2 }, { instances: 3 }] },
    ])
    const relabelMap = { Subject: 'SUBJ', Session: 'SESS' }
    expect(rows(await request(site, [{ studyInstanceUid, relabelMap }]))).toMatchObject([
      { status: 'QUEUED', requestId: 'R1', xnatProject: 'P1', destinationAeTitle: 'XNAT:8104', priority: 1 },
    ])
    expect(await queue(site)).toMatchObject([{ status: 'QUEUED', accessionNumber: 'ACC1' }])
    await site.server.clock.advance(minuteMs)
    expect(await queue(site)).toEqual([])
    expect(await history(site)).toMatchObject([{ status: 'RECEIVED', requestId: 'R1', studyInstanceUid }])
    const session = '/data/projects/P1/subjects/SUBJ/experiments/SESS'
    const scans = (await site.send(`GET ${session}/scans?format=json`)).rows()
    expect(scans.map(({ ID, xsiType }) => [ID, xsiType])).toEqual([
      ['1', 'xnat:mrScanData'],
      ['2', 'xnat:mrScanData'],
    ])
    expect((await site.send(`GET ${session}/scans/2/resources/DICOM/files?format=json`)).rows()).toHaveLength(3)
    const dump = await site.send(
      'GET /data/experiments?project=P1&columns=label,xnat:imageSessionData/dcmAccessionNumber&format=json',
    )
    expect(dump.text).toContain('SESS')
  })

  test('dqr A7: without a relabel map subject and session are the patient’s name and the study’s ID', async ({
    site,
  }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1', patientName: 'Doe^Jo', studyId: 'ST7' }])
    await request(site, [{ studyInstanceUid }])
    await site.server.clock.advance(minuteMs)
    expect((await site.send('GET /data/projects/P1/subjects/Doe_Jo/experiments/ST7?format=json')).status).toBe(200)
  })

  test('dqr A7: RECEIVED is the first object; the queue row is gone with the last', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1' }])
    site.server.state.arrange({ ...site.server.state.switches, retrieveStepMs: 10_000 })
    await request(site, [{ studyInstanceUid }])
    await site.server.clock.advance(minuteMs)
    expect(await queue(site)).toMatchObject([{ status: 'PROCESSING' }])
    expect(await history(site)).toMatchObject([{ status: 'ISSUED' }])
    await site.server.clock.advance(10_000)
    expect(await queue(site)).toMatchObject([{ status: 'PROCESSING' }])
    expect(await history(site)).toMatchObject([{ status: 'RECEIVED' }])
    await site.server.clock.advance(10_000)
    expect(await queue(site)).toEqual([])
  })

  test('dqr A7: a receiver without custom processing leaves ISSUED, and relabels nothing', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1', studyId: 'ST7' }])
    await site.send('PUT /xapi/dicomscp/1', { body: '{"customProcessing":false}' })
    await request(site, [{ studyInstanceUid, relabelMap: { Session: 'SESS' } }], { forceImport: true })
    await site.server.clock.advance(minuteMs)
    expect(await history(site)).toMatchObject([{ status: 'ISSUED' }])
    expect(await labels(site)).toEqual(['ST7'])
  })

  test('dqr A5: unknown studies and unmatched series are left out without a word', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [
      { accessionNumber: 'ACC1', series: [{ seriesDescription: 'T1' }, { seriesDescription: 'T2' }] },
    ])
    expect((await request(site, [{ studyInstanceUid: '1.2.3' }])).json()).toEqual([])
    expect((await request(site, [{ studyInstanceUid, seriesDescriptions: ['FLAIR'] }])).json()).toEqual([])
    const [row] = rows(await request(site, [{ studyInstanceUid, seriesDescriptions: ['T2'] }]))
    expect(row?.['seriesIds']).toHaveLength(1)
    await site.server.clock.advance(minuteMs)
    const [label = ''] = await labels(site)
    expect((await site.send(`GET /data/projects/P1/subjects/Doe_ACC1/experiments/${label}/scans`)).rows()).toHaveLength(
      1,
    )
  })

  test('dqr A5: a study is queued again and again; a PACS that is down queues nothing', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1' }])
    await request(site, [{ studyInstanceUid }])
    await request(site, [{ studyInstanceUid }])
    expect(await queue(site)).toHaveLength(2)
    await site.send('POST /__stand-in/settings', { body: '{"pacsDown":true}' })
    const answer = await request(site, [{ studyInstanceUid }])
    expect([answer.status, answer.text]).toEqual([200, '[]'])
  })

  test('dqr A7: a PACS that is down leaves requests queued and counts no attempt', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1' }])
    await request(site, [{ studyInstanceUid }])
    await site.send('POST /__stand-in/settings', { body: '{"pacsDown":true}' })
    await site.server.clock.advance(10 * minuteMs)
    expect(await queue(site)).toMatchObject([{ status: 'QUEUED' }])
    expect((await queue(site))[0]).not.toHaveProperty('retries')
    expect(await history(site)).toEqual([])
    await site.send('POST /__stand-in/settings', { body: '{"pacsDown":false}' })
    await site.server.clock.advance(minuteMs)
    expect(await queue(site)).toEqual([])
  })

  test('dqr A7: without an interval that covers now nothing is retrieved', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1' }])
    for (let id = 1; id <= 7; id += 1) await site.send(`DELETE /xapi/pacs/1/availability/${id}`)
    await request(site, [{ studyInstanceUid }])
    await site.server.clock.advance(60 * minuteMs)
    expect(await queue(site)).toMatchObject([{ status: 'QUEUED' }])
  })

  test('dqr A7: a failed move is tried again after five minutes, each attempt with a history row of its own', async ({
    site,
  }) => {
    const fate = { kind: 'move-fails', attempts: 2, afterInstances: 1, message: 'A702' } as const
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1', fate }])
    await request(site, [{ studyInstanceUid }])
    await site.server.clock.advance(minuteMs)
    expect(await queue(site)).toMatchObject([{ status: 'QUEUED', retries: 1 }])
    expect(await history(site)).toMatchObject([{ status: 'FAILED', errorMessage: 'A702' }])
    expect((await site.send('GET /data/prearchive/projects/P1?format=json')).rows()).toEqual([])
    await site.server.clock.advance(4 * minuteMs)
    expect(await history(site)).toHaveLength(1)
    await site.server.clock.advance(12 * minuteMs)
    expect((await history(site)).map(({ status }) => status)).toEqual(['RECEIVED', 'FAILED', 'FAILED'])
    expect(await queue(site)).toEqual([])
    expect(await labels(site)).toEqual(['ACC1'])
  })

  test('dqr A7: after the last attempt the request leaves the queue', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1', fate: { kind: 'move-fails' } }])
    await site.send('POST /xapi/dqr/settings', { body: '{"dqrMaxPacsRequestAttempts":"2"}' })
    await request(site, [{ studyInstanceUid }])
    await site.server.clock.advance(30 * minuteMs)
    expect(await queue(site)).toEqual([])
    expect((await history(site)).map(({ status }) => status)).toEqual(['FAILED', 'FAILED'])
  })

  test('dqr A7: a retrieve that brings nothing is FAILED and not tried again, or in some versions ISSUED', async ({
    site,
  }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1', fate: { kind: 'sends-nothing' } }])
    await request(site, [{ studyInstanceUid }])
    await site.server.clock.advance(10 * minuteMs)
    const errorMessage = `Received zero files for study ${studyInstanceUid} in project P1`
    expect(await history(site)).toMatchObject([{ status: 'FAILED', errorMessage }])
    await site.send('POST /__stand-in/settings', { body: '{"zeroFiles":"ISSUED"}' })
    await request(site, [{ studyInstanceUid }])
    await site.server.clock.advance(120 * minuteMs)
    expect((await history(site)).map(({ status }) => status)).toEqual(['ISSUED', 'FAILED'])
    expect(await queue(site)).toEqual([])
  })

  test('dqr A7: a PACS that goes silent holds its request, and with one thread all others', async ({ site }) => {
    const [hung = '', waiting = ''] = prepare(site, [
      { accessionNumber: 'ACC1', fate: { kind: 'move-hangs', afterInstances: 1 } },
      { accessionNumber: 'ACC2' },
    ])
    await request(site, [{ studyInstanceUid: hung }])
    await request(site, [{ studyInstanceUid: waiting }])
    await site.server.clock.advance(60 * minuteMs)
    expect((await queue(site)).map(({ status }) => status)).toEqual(['QUEUED', 'PROCESSING'])
    expect(await history(site)).toMatchObject([{ status: 'RECEIVED' }])
  })

  test('dqr A7: one thread takes one request after the other, those for a single study first', async ({ site }) => {
    const uids = prepare(site, [{ accessionNumber: 'A1' }, { accessionNumber: 'A2' }, { accessionNumber: 'A3' }])
    site.server.state.arrange({ ...site.server.state.switches, retrieveStepMs: minuteMs })
    const [first = '', second = '', single = ''] = uids
    await request(site, [{ studyInstanceUid: first }, { studyInstanceUid: second }])
    await request(site, [{ studyInstanceUid: single }])
    await site.server.clock.advance(minuteMs)
    expect(await history(site)).toMatchObject([{ studyInstanceUid: single }])
    await site.server.clock.advance(2 * minuteMs)
    expect((await history(site)).map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([first, single])
  })

  test('dqr A7: a study on its way to one project takes a second request’s data there too', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1' }], { projects: ['P1', 'P2'] })
    await site.send('PUT /data/projects/P2')
    await site.send('POST /__stand-in/settings', { body: '{"prearchiveHangsIn":"RECEIVING"}' })
    await request(site, [{ studyInstanceUid }])
    await site.server.clock.advance(minuteMs)
    await request(site, [{ studyInstanceUid }], { projectId: 'P2' })
    await site.server.clock.advance(minuteMs)
    expect(await history(site)).toMatchObject([{ xnatProject: 'P2' }, { xnatProject: 'P1' }])
    expect((await site.send('GET /data/prearchive/projects/P2?format=json')).rows()).toEqual([])
    expect((await site.send('GET /data/prearchive/projects/P1?format=json')).rows()).toHaveLength(1)
  })

  test('dqr A7: once archived, the study may go to another project', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1' }], { projects: ['P1', 'P2'] })
    await site.send('PUT /data/projects/P2')
    for (const projectId of ['P1', 'P2']) {
      await request(site, [{ studyInstanceUid }], { projectId })
      await site.server.clock.advance(minuteMs)
      const answer = await site.send(`GET /data/projects/${projectId}/subjects/Doe_ACC1/experiments/ACC1?format=json`)
      expect(answer.status, projectId).toBe(200)
    }
  })

  test('dqr A7: a session of the same label that is archived already is a conflict in the prearchive', async ({
    site,
  }) => {
    const [one = '', other = ''] = prepare(site, [{ accessionNumber: 'ACC1' }, { accessionNumber: 'ACC2' }])
    for (const studyInstanceUid of [one, other]) {
      await request(site, [{ studyInstanceUid, relabelMap: { Subject: 'S', Session: 'SESS' } }])
      await site.server.clock.advance(minuteMs)
    }
    expect(await history(site)).toMatchObject([{ status: 'RECEIVED' }, { status: 'RECEIVED' }])
    expect((await site.send('GET /data/prearchive/projects/P1?format=json')).rows()).toMatchObject([
      { status: 'CONFLICT', name: 'SESS' },
    ])
  })

  test('dqr A7: a direct-archive receiver needs five idle minutes, and then there is no prearchive entry', async ({
    site,
  }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1' }], { directArchive: true })
    await request(site, [{ studyInstanceUid, relabelMap: { Session: 'SESS' } }])
    await site.server.clock.advance(minuteMs)
    expect(await labels(site)).toEqual([])
    expect((await site.send('POST /xapi/direct-archive', { body: '{}' })).json()).toMatchObject([
      { project: 'P1', name: 'SESS', status: 'RECEIVING' },
    ])
    await site.server.clock.advance(6 * minuteMs)
    expect(await labels(site)).toEqual(['SESS'])
  })

  test('dqr A7: a quotation mark in a label breaks the script, and every object is refused', async ({ site }) => {
    const [studyInstanceUid = ''] = prepare(site, [{ accessionNumber: 'ACC1' }])
    await request(site, [{ studyInstanceUid, relabelMap: { Session: 'a"b' } }])
    await site.server.clock.advance(minuteMs)
    expect(await history(site)).toMatchObject([{ status: 'FAILED' }])
    expect(await labels(site)).toEqual([])
  })

  test('dqr A7: as many threads as the interval has retrieve side by side', async ({ site }) => {
    const uids = prepare(site, [{ accessionNumber: 'A1' }, { accessionNumber: 'A2' }, { accessionNumber: 'A3' }], {
      threads: 2,
    })
    site.server.state.arrange({ ...site.server.state.switches, retrieveStepMs: minuteMs })
    await request(
      site,
      uids.map((studyInstanceUid) => ({ studyInstanceUid })),
    )
    await site.server.clock.advance(minuteMs)
    expect((await queue(site)).map(({ status }) => status)).toEqual(['QUEUED', 'PROCESSING', 'PROCESSING'])
  })

  test('dqr A3: with half the utilisation a thread rests as long as it worked', async ({ site }) => {
    const uids = prepare(site, [{ accessionNumber: 'A1' }, { accessionNumber: 'A2' }])
    for (const interval of site.server.state.dqr.availability.all()) {
      site.server.state.dqr.availability.put({ ...interval, utilizationPercent: 50 })
    }
    site.server.state.arrange({ ...site.server.state.switches, retrieveStepMs: minuteMs })
    await request(
      site,
      uids.map((studyInstanceUid) => ({ studyInstanceUid })),
    )
    await site.server.clock.advance(4 * minuteMs)
    expect(await queue(site)).toMatchObject([{ status: 'QUEUED' }])
    await site.server.clock.advance(minuteMs)
    expect(await queue(site)).toMatchObject([{ status: 'PROCESSING' }])
  })

  it('dqr A7: a restart leaves what was PROCESSING so for ever', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'dqr-'))
    const first = await startSite({ dataDir })
    await addArchive(first)
    const [studyInstanceUid = ''] = prepare(first, [{ accessionNumber: 'ACC1' }])
    first.server.state.arrange({ ...first.server.state.switches, retrieveStepMs: minuteMs })
    await request(first, [{ studyInstanceUid }])
    await first.server.clock.advance(minuteMs)
    await first.stop()
    const second = await startSite({ dataDir })
    await second.server.clock.advance(60 * minuteMs)
    expect(await queue(second)).toMatchObject([{ status: 'PROCESSING' }])
    await second.stop()
    await rm(dataDir, { recursive: true })
  })

  test('a folder of DICOM files is a PACS too, and its files arrive relabelled', async ({ site }) => {
    const folder = await mkdtemp(join(tmpdir(), 'pacs-'))
    for (const { relativePath, bytes } of sampleStudies()) {
      await writeFile(join(folder, relativePath.replaceAll('/', '-')), bytes)
    }
    prepare(site, [])
    const body = JSON.stringify({ path: folder })
    const studies = (await site.send('POST /__stand-in/pacs/folder', { body })).json() as Study[]
    expect(studies).toHaveLength(3)
    const wanted = studies.map(({ studyInstanceUid }, index) => ({
      studyInstanceUid,
      relabelMap: { Subject: 'SUBJ', Session: `SESS${index}`, 'Relabel Study Date': '' },
    }))
    await request(site, wanted)
    await site.server.clock.advance(minuteMs)
    expect(await labels(site)).toEqual(['SESS0', 'SESS1', 'SESS2'])
    const dump = await site.send(
      'GET /data/services/dicomdump?src=/archive/projects/P1/subjects/SUBJ/experiments/SESS1&field=PatientName&field=StudyDate&format=json',
    )
    expect(dump.rows().map(({ value }) => value)).toEqual(['', 'SUBJ'])
    await rm(folder, { recursive: true })
  })
})
