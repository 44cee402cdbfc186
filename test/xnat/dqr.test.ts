import { expect, it } from 'vitest'
import type { PacsStudyOrder } from '../../infra/local/xnat-server/dqr/pacs-study.ts'
import { findExperiment, listScans } from '../../lib/xnat/archive.ts'
import { isDqrEnabled, listPacs, pingPacs, queryStudies, setDqrEnabled } from '../../lib/xnat/dqr.ts'
import {
  deleteQueuedRequest,
  type ImportRequest,
  listExecutedRequests,
  listQueuedRequests,
  requestImport,
  type StudyImport,
} from '../../lib/xnat/dqr-import.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { minuteMs } from '../xnat-server/studies.ts'
import { clientOf, startStandIn } from './stand-in.ts'

/** A PACS with these studies, and a project `P` that may import from it. */
async function startWithPacs(...studies: PacsStudyOrder[]) {
  const { xnat, client } = await startStandIn()
  // Longer than any test moves the clock.
  xnat.state.configure({ sessionTimeoutMs: 1000 * minuteMs })
  await createProject(client, { projectId: 'P' })
  xnat.pacs.register({ projects: ['P'] })
  const uids = xnat.pacs.add(...studies).map(({ studyInstanceUid }) => studyInstanceUid)
  return { xnat, client, uids }
}

const importOf = (...studies: StudyImport[]): ImportRequest => ({
  pacsId: 1,
  receiver: { aeTitle: 'XNAT', port: 8104 },
  projectId: 'P',
  requestId: 'r-1',
  studies,
})

it('lists the PACS and pings one', async () => {
  const { xnat, client } = await startWithPacs()
  expect(await listPacs(client)).toMatchObject([
    { pacsId: 1, aeTitle: 'PACS', label: 'PACS', isQueryable: true, isStorable: false, isDefault: true },
  ])
  expect(await pingPacs(client, 1)).toBe(true)
  xnat.state.arrange({ pacsDown: true })
  expect(await pingPacs(client, 1)).toBe(false)
  await expect(pingPacs(client, 2)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
})

it('asks for studies and leaves the patient behind', async () => {
  const { client, uids } = await startWithPacs(
    { accessionNumber: 'ACC1', modality: 'MR', studyDate: '20260214', patientName: 'Doe^Jane' },
    { accessionNumber: 'ACC2', modality: 'CT', studyDate: '20250101' },
  )
  const studyDates = { start: '20260201', end: '20260228' }
  expect(await queryStudies(client, { pacsId: 1, studyDates })).toEqual({
    kind: 'answered',
    isCut: false,
    studies: [
      {
        studyInstanceUid: uids[0],
        studyId: 'ACC1',
        studyDescription: 'MR study',
        accessionNumber: 'ACC1',
        studyDate: '2026-02-14',
        modalities: ['MR'],
      },
    ],
  })
  expect(await queryStudies(client, { accessionNumber: 'ACC3' })).toEqual({
    kind: 'answered',
    studies: [],
    isCut: false,
  })
})

it('tells that an answer of 500 studies may have been cut', async () => {
  const orders = Array.from({ length: 501 }, (_, index) => ({ accessionNumber: `ACC${index}` }))
  const { client } = await startWithPacs(...orders)
  const outcome = await queryStudies(client, { accessionNumber: 'ACC*' })
  expect(outcome).toMatchObject({ kind: 'answered', isCut: true })
  expect('studies' in outcome && outcome.studies).toHaveLength(500)
})

it('tells that the PACS is down, which is not the same as no study', async () => {
  const { xnat, client } = await startWithPacs({ accessionNumber: 'ACC1' })
  xnat.state.arrange({ pacsDown: true })
  expect(await queryStudies(client, { accessionNumber: 'ACC1' })).toMatchObject({
    kind: 'pacs-unavailable',
    detail: expect.stringContaining('DQR run-time exception'),
  })
  await expect(queryStudies(client, { pacsId: 9, accessionNumber: 'ACC1' })).rejects.toMatchObject({
    code: 'XNAT_NOT_FOUND',
  })
})

it('imports a study under the labels asked for, and tells each step of the way', async () => {
  const { xnat, client, uids } = await startWithPacs({ accessionNumber: 'ACC1', series: [{ instances: 2 }] })
  const [studyInstanceUid = ''] = uids
  const rows = await requestImport(client, importOf({ studyInstanceUid, subjectLabel: 'S1', sessionLabel: 'MR1' }))
  expect(rows).toMatchObject([{ pacsId: 1, projectId: 'P', requestId: 'r-1', studyInstanceUid, status: 'QUEUED' }])
  expect(JSON.stringify(rows)).not.toContain('patient')
  expect(await listQueuedRequests(client)).toEqual(rows)
  expect(await listExecutedRequests(client)).toEqual([])

  await xnat.clock.advance(minuteMs)
  expect(await listQueuedRequests(client)).toEqual([])
  expect(await listExecutedRequests(client)).toMatchObject([{ status: 'RECEIVED', requestId: 'r-1', studyInstanceUid }])
  const found = await findExperiment(client, { projectId: 'P', experiment: 'MR1' })
  expect(found).toMatchObject({ studyInstanceUid, xsiType: 'xnat:mrSessionData' })
  expect(await listScans(client, { experimentId: found?.experimentId ?? '' })).toHaveLength(1)
})

it('tells why a study could not be retrieved', async () => {
  const { xnat, client, uids } = await startWithPacs({ accessionNumber: 'ACC1', fate: { kind: 'move-fails' } })
  const [studyInstanceUid = ''] = uids
  await requestImport(client, importOf({ studyInstanceUid }))
  await xnat.clock.advance(minuteMs)
  expect(await listExecutedRequests(client)).toMatchObject([
    { status: 'FAILED', errorMessage: expect.stringContaining('out of resources') },
  ])
})

it('makes no rows for a study that the PACS does not have', async () => {
  const { client } = await startWithPacs()
  expect(await requestImport(client, importOf({ studyInstanceUid: '1.2.3' }))).toEqual([])
})

it('shows only what the account itself has asked for, or everything to who may see it', async () => {
  const { xnat, client, uids } = await startWithPacs({ accessionNumber: 'ACC1' })
  await requestImport(client, importOf({ studyInstanceUid: uids[0] ?? '' }))
  xnat.state.addUser({ username: 'other', password: 'other', roles: ['Administrator'], groups: ['ALL_DATA_ADMIN'] })
  const other = clientOf(xnat, { user: 'other' })
  expect(await listQueuedRequests(other)).toEqual([])
  expect(await listQueuedRequests(other, { all: true })).toHaveLength(1)
})

it('takes one request out of the queue', async () => {
  const { client, uids } = await startWithPacs({ accessionNumber: 'ACC1' })
  const [row] = await requestImport(client, importOf({ studyInstanceUid: uids[0] ?? '' }))
  expect(await deleteQueuedRequest(client, row?.id ?? 0)).toEqual({ kind: 'deleted' })
  expect(await listQueuedRequests(client)).toEqual([])
  expect(await deleteQueuedRequest(client, row?.id ?? 0)).toEqual({ kind: 'not-there' })
})

it('lets a project import, and refuses one that may not', async () => {
  const { client, uids } = await startWithPacs({ accessionNumber: 'ACC1' })
  await createProject(client, { projectId: 'Q' })
  const request = { ...importOf({ studyInstanceUid: uids[0] ?? '' }), projectId: 'Q' }
  expect(await isDqrEnabled(client, 'Q')).toBe(false)
  await expect(requestImport(client, request)).rejects.toMatchObject({
    code: expect.stringMatching(/^XNAT_(?:NOT_FOUND|FORBIDDEN)$/),
  })
  await setDqrEnabled(client, { projectId: 'Q', enabled: true })
  await setDqrEnabled(client, { projectId: 'Q', enabled: true })
  expect(await isDqrEnabled(client, 'Q')).toBe(true)
  expect(await requestImport(client, request)).toHaveLength(1)
  await expect(setDqrEnabled(client, { projectId: 'NONE', enabled: true })).rejects.toMatchObject({
    code: 'XNAT_NOT_FOUND',
  })
})
