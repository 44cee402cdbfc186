// The things that surprise clients of XNAT, and what this client makes of them. Most are shown where they belong; the
// list below says where. Those that belong nowhere else are shown here.
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import * as z from 'zod'
import {
  ensureExperiment,
  ensureScan,
  ensureSubject,
  findExperiment,
  listExperiments,
  listScans,
} from '../../lib/xnat/archive.ts'
import { ensureAssessor } from '../../lib/xnat/assessors.ts'
import { setDqrEnabled } from '../../lib/xnat/dqr.ts'
import { listExecutedRequests, listQueuedRequests, requestImport } from '../../lib/xnat/dqr-import.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import { listPrearchive } from '../../lib/xnat/prearchive.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { ensureResource } from '../../lib/xnat/resources.ts'
import { minuteMs } from '../xnat-server/studies.ts'
import { startStandIn, startWithSession } from './stand-in.ts'

/** By number, for each of the documents: the file of the test and a part of its title. */
const shownIn: Record<string, readonly (readonly [file: string, title: string])[]> = {
  'data-api': [
    ['surprises', 'tells created from already there at every level'],
    ['resources', 'tells of a file that was there and leaves it'],
    ['resources', 'says clearly who may not edit, which an upload does not'],
    ['resources', 'heals when two uploads to one resource collide'],
    ['resources', 'stores a file of no bytes'],
    ['surprises', 'reads single records, which XNAT refuses to those who take only JSON'],
    ['surprises', 'does not pass a session for its scans, where XNAT answers with what stands above'],
    ['resources', 'says which parent is missing when asked for its files'],
    ['resources', 'deletes one file and none that begins the same'],
    ['projects', 'shows a private project to its members only'],
  ],
  'auth-users-import': [
    ['sessions', 'is not fooled by a site that answers strangers as guests'],
    ['sessions', 'opens one session in XNAT for fifty simultaneous first calls'],
    ['sign-in', 'Mozilla/5.0'],
    ['answers', "keeps XNAT's own words apart from the message"],
    ['result-set', 'reads numbers sent as text, nothing sent as ""'],
    ['prearchive', 'tells of a conflict and where it is explained'],
    ['import', 'tells that XNAT put a session elsewhere'],
    ['import', 'tells that a session clashes with archived data'],
    ['prearchive', 'rebuilds, moves and deletes a session'],
    ['import', 'finds a session that could not go straight into the archive in the prearchive'],
  ],
  'dqr-containers-events': [
    ['dqr', 'takes one request out of the queue'],
    ['surprises', 'leaves it to the caller to miss the rows of studies that the PACS does not have'],
    ['surprises', 'does not pass a study of which the first file came for one that is archived'],
    ['surprises', 'ties queue and history together by the request, not by the ID of a row'],
    ['surprises', 'shows requests that wait for ever for a PACS without hours'],
    ['surprises', 'shows that a study asked for by two projects goes to the first'],
    ['dqr', 'tells that the PACS is down, which is not the same as no study'],
    ['surprises', 'tells a project that was never asked from one that was forbidden to import'],
    ['dqr', 'shows only what the account itself has asked for, or everything to who may see it'],
    ['automation', 'says that the Event Service is off, which XNAT answers with 500'],
  ],
}

it.each(Object.keys(shownIn))('shows each of the ten surprises of %s', async (document) => {
  const places = shownIn[document] ?? []
  expect(places).toHaveLength(10)
  for (const [file, title] of places) {
    const source = await readFile(new URL(`${file}.test.ts`, import.meta.url), 'utf8')
    // Here the list itself holds the title once.
    expect(source.split(title).length, title).toBeGreaterThan(file === 'surprises' ? 2 : 1)
  }
})

it('tells created from already there at every level', async () => {
  const { client } = await startStandIn()
  const session = { projectId: 'P', subjectLabel: 'S1', label: 'MR1', xsiType: 'xnat:mrSessionData' }
  const kinds: string[] = []
  for (let time = 0; time < 2; time += 1) {
    kinds.push((await createProject(client, { projectId: 'P' })).kind)
    kinds.push((await ensureSubject(client, { projectId: 'P', subjectLabel: 'S1' })).kind)
    const { kind, experimentId } = await ensureExperiment(client, session)
    kinds.push(kind, (await ensureScan(client, { experimentId, scanId: '1', xsiType: 'xnat:mrScanData' })).kind)
    kinds.push((await ensureAssessor(client, { experimentId, label: 'QC', xsiType: 'xnat:qcManualAssessorData' })).kind)
    const parent = { level: 'scan', experimentId, scanId: '1' } as const
    kinds.push((await ensureResource(client, { parent, resourceLabel: 'DICOM' })).kind)
  }
  expect(kinds).toEqual([...Array(6).fill('created'), ...Array(6).fill('already-there')])
})

it('reads single records, which XNAT refuses to those who take only JSON', async () => {
  const { client } = await startWithSession()
  const path = xnatPath`/data/projects/${'P'}/experiments/${'MR1'}`
  const headers = { accept: 'application/json' }
  await expect(client.get(path, { headers, query: { format: 'json' } })).rejects.toMatchObject({ status: 406 })
  expect(await findExperiment(client, { projectId: 'P', experiment: 'MR1' })).toMatchObject({ label: 'MR1' })
})

it('does not pass a session for its scans, where XNAT answers with what stands above', async () => {
  const { client, experimentId } = await startWithSession()
  const path = xnatPath`/data/projects/${'P'}/experiments/${'MR1'}/scans`
  const asTable = z.object({ ResultSet: z.object({}) })
  const listing = client.json(asTable, { method: 'GET', path, query: { format: 'json' } })
  await expect(listing).rejects.toMatchObject({ code: 'XNAT_UNEXPECTED_REPLY', status: 200 })
  expect(await listScans(client, { experimentId })).toMatchObject([{ scanId: '1' }])
})

/** Two projects that may import from a PACS with these studies. */
async function startWithPacs(...accessionNumbers: string[]) {
  const { xnat, client } = await startStandIn()
  // Longer than any test moves the clock.
  xnat.state.configure({ sessionTimeoutMs: 1000 * minuteMs })
  for (const projectId of ['P', 'Q']) await createProject(client, { projectId })
  xnat.pacs.register({ projects: ['P', 'Q'] })
  const uids = xnat.pacs
    .add(...accessionNumbers.map((accessionNumber) => ({ accessionNumber, series: [{ instances: 3 }] })))
    .map(({ studyInstanceUid }) => studyInstanceUid)
  const request = (projectId: string, ...studyInstanceUids: string[]) =>
    requestImport(client, {
      pacsId: 1,
      receiver: { aeTitle: 'XNAT', port: 8104 },
      projectId,
      requestId: `for ${projectId}`,
      studies: studyInstanceUids.map((studyInstanceUid) => ({ studyInstanceUid })),
    })
  return { xnat, client, request, uids }
}

it('leaves it to the caller to miss the rows of studies that the PACS does not have', async () => {
  const { request, uids } = await startWithPacs('ACC1')
  const rows = await request('P', uids[0] ?? '', '1.2.3')
  expect(rows.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual(uids)
})

it('does not pass a study of which the first file came for one that is archived', async () => {
  const { xnat, client, request, uids } = await startWithPacs('ACC1')
  xnat.state.arrange({ retrieveStepMs: 10_000 })
  await request('P', ...uids)
  await xnat.clock.advance(minuteMs + 10_000)
  expect(await listExecutedRequests(client)).toMatchObject([{ status: 'RECEIVED' }])
  expect(await listQueuedRequests(client)).toMatchObject([{ status: 'PROCESSING' }])
  expect(await listExperiments(client, { projectId: 'P' })).toEqual([])
})

it('ties queue and history together by the request, not by the ID of a row', async () => {
  const { xnat, client, request, uids } = await startWithPacs('ACC1', 'ACC2')
  const [first] = await request('P', uids[0] ?? '')
  await xnat.clock.advance(minuteMs)
  const [second] = await request('Q', uids[1] ?? '')
  await xnat.clock.advance(minuteMs)
  const executed = await listExecutedRequests(client)
  for (const queued of [first, second]) {
    const attempts = executed.filter(({ requestId }) => requestId === queued?.requestId)
    expect(attempts).toMatchObject([{ studyInstanceUid: queued?.studyInstanceUid, projectId: queued?.projectId }])
  }
})

it('shows requests that wait for ever for a PACS without hours', async () => {
  const { xnat, client, request, uids } = await startWithPacs('ACC1')
  for (let id = 1; id <= 7; id += 1) await client.delete(xnatPath`/xapi/pacs/1/availability/${id}`)
  await request('P', ...uids)
  await xnat.clock.advance(60 * minuteMs)
  expect(await listQueuedRequests(client)).toMatchObject([{ status: 'QUEUED' }])
})

it('shows that a study asked for by two projects goes to the first', async () => {
  const { xnat, client, request, uids } = await startWithPacs('ACC1')
  xnat.state.arrange({ prearchiveHangsIn: 'RECEIVING' })
  for (const projectId of ['P', 'Q']) {
    await request(projectId, ...uids)
    await xnat.clock.advance(minuteMs)
  }
  expect(await listExecutedRequests(client)).toMatchObject([{ status: 'RECEIVED' }, { status: 'RECEIVED' }])
  expect(await listPrearchive(client, { projectId: 'P' })).toHaveLength(1)
  expect(await listPrearchive(client, { projectId: 'Q' })).toEqual([])
})

it('tells a project that was never asked from one that was forbidden to import', async () => {
  const { client, request, uids } = await startWithPacs('ACC1')
  await createProject(client, { projectId: 'R' })
  await expect(request('R', ...uids)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
  await setDqrEnabled(client, { projectId: 'R', enabled: false })
  await expect(request('R', ...uids)).rejects.toMatchObject({ code: 'XNAT_FORBIDDEN' })
})
