import { expect, it } from 'vitest'
import { isDqrEnabled, listPacs, pingPacs, queryStudies, setDqrEnabled } from '../../lib/xnat/dqr.ts'
import {
  deleteQueuedRequest,
  listExecutedRequests,
  listQueuedRequests,
  requestImport,
} from '../../lib/xnat/dqr-import.ts'
import { type Answer, createClient, startAnswering } from './scripted-xnat.ts'

const entity = { enabled: true, created: 1772359200000, timestamp: 1772359200000, disabled: 0 }

it('lists the PACS and pings one', async () => {
  const pacs = {
    ...entity,
    id: 1,
    aeTitle: 'ORTHANC',
    host: 'pacs',
    queryRetrievePort: 4242,
    label: 'Main',
    queryable: true,
    storable: false,
  }
  const ping = { ...entity, id: 9, pacsId: 1, successful: false, pingTime: 12 }
  const xnat = await startAnswering({
    'GET /xapi/pacs': { body: [pacs] },
    'GET /xapi/pacs/1/status': { body: ping },
    'GET /xapi/pacs/2/status': { status: 404, body: 'There was an error in the request : null' },
  })
  const { client } = createClient(xnat.url)
  expect(await listPacs(client)).toMatchObject([
    { pacsId: 1, aeTitle: 'ORTHANC', label: 'Main', isQueryable: true, isStorable: false },
  ])
  expect(await pingPacs(client, 1)).toBe(false)
  await expect(pingPacs(client, 2)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
})

const study = {
  studyInstanceUid: '1.2.3',
  studyId: 'ST1',
  accessionNumber: 'ACC1',
  studyDate: '2026-02-28',
  modalitiesInStudy: ['MR'],
  patient: { id: '123', name: 'Doe, Jane', sex: 'F' },
}

it('asks for studies and leaves the patient behind', async () => {
  const xnat = await startAnswering({ 'POST /xapi/dqr/query/studies': { body: [study] } })
  const criteria = { pacsId: 1, accessionNumber: 'ACC1', studyDates: { start: '20260201', end: '20260228' } }
  expect(await queryStudies(createClient(xnat.url).client, criteria)).toEqual({
    kind: 'answered',
    isCut: false,
    studies: [
      {
        studyInstanceUid: '1.2.3',
        studyId: 'ST1',
        accessionNumber: 'ACC1',
        studyDate: '2026-02-28',
        modalities: ['MR'],
      },
    ],
  })
  expect(xnat.calls[0]).toBe(
    'POST /xapi/dqr/query/studies {"pacsId":1,"accessionNumber":"ACC1","studyDateRange":{"start":"20260201","end":"20260228"}}',
  )
})

const pacsDown =
  'A DQR run-time exception occurred, which usually indicates a problem performing a query to the PACS: x'

it.each<[string, Answer, object]>([
  ['there is no such study', { status: 204 }, { kind: 'answered', studies: [], isCut: false }],
  ['the PACS is down', { status: 400, body: pacsDown }, { kind: 'pacs-unavailable', detail: pacsDown }],
])('tells when %s', async (_, answer, outcome) => {
  const xnat = await startAnswering({ 'POST /xapi/dqr/query/studies': answer })
  expect(await queryStudies(createClient(xnat.url).client, { accessionNumber: 'A' })).toEqual(outcome)
})

it('tells that an answer of 500 studies may have been cut', async () => {
  const studies = Array.from({ length: 500 }, (_, n) => ({ ...study, studyInstanceUid: `1.${n}` }))
  const xnat = await startAnswering({ 'POST /xapi/dqr/query/studies': { body: studies } })
  expect(await queryStudies(createClient(xnat.url).client, {})).toMatchObject({ isCut: true })
})

it.each([
  [400, 'XNAT_REFUSED'],
  [403, 'XNAT_FORBIDDEN'],
  [404, 'XNAT_NOT_FOUND'],
  [409, 'XNAT_CONFLICT'],
])('throws on %i as %s', async (status, code) => {
  const xnat = await startAnswering({ 'POST /xapi/dqr/query/studies': { status } })
  await expect(queryStudies(createClient(xnat.url).client, {})).rejects.toMatchObject({ code })
})

const queued = {
  ...entity,
  id: 11,
  username: 'admin',
  pacsId: 1,
  xnatProject: 'P',
  studyInstanceUid: '1.2.3',
  seriesIds: ['1.2.3.1'],
  destinationAeTitle: 'XNAT:8104',
  status: 'QUEUED',
  queuedTime: 1772359200000,
  requestId: 'r-1',
  accessionNumber: 'ACC1',
  patientId: '123',
  patientName: 'Doe^Jane',
  priority: 10,
}
const request = {
  pacsId: 1,
  receiver: { aeTitle: 'XNAT', port: 8104 },
  projectId: 'P',
  requestId: 'r-1',
  studies: [{ studyInstanceUid: '1.2.3', subjectLabel: 'S1', sessionLabel: 'ACC1' }, { studyInstanceUid: '1.2.4' }],
}

it('requests an import and answers with the rows XNAT made, without the patient', async () => {
  const xnat = await startAnswering({ 'POST /xapi/dqr/import': { body: [queued] } })
  const rows = await requestImport(createClient(xnat.url).client, request)
  expect(rows).toEqual([
    {
      id: 11,
      pacsId: 1,
      requestId: 'r-1',
      projectId: 'P',
      studyInstanceUid: '1.2.3',
      accessionNumber: 'ACC1',
      status: 'QUEUED',
      queuedAtMs: 1772359200000,
      executedAtMs: undefined,
    },
  ])
  expect(JSON.parse(xnat.calls[0]?.replace('POST /xapi/dqr/import ', '') ?? '')).toEqual({
    pacsId: 1,
    aeTitle: 'XNAT',
    port: 8104,
    projectId: 'P',
    requestId: 'r-1',
    forceImport: false,
    studies: [
      { studyInstanceUid: '1.2.3', relabelMap: { Subject: 'S1', Session: 'ACC1' } },
      { studyInstanceUid: '1.2.4', relabelMap: {} },
    ],
  })
})

it('takes no rows for an answer: the studies were not found', async () => {
  const xnat = await startAnswering({ 'POST /xapi/dqr/import': { body: [] } })
  expect(await requestImport(createClient(xnat.url).client, request)).toEqual([])
})

it('does not repeat an import request', async () => {
  const xnat = await startAnswering({ 'POST /xapi/dqr/import': { status: 503 } })
  await expect(requestImport(createClient(xnat.url).client, request)).rejects.toMatchObject({ code: 'XNAT_BUSY' })
  expect(xnat.calls).toHaveLength(1)
})

it.each([
  ['no study', []],
  ['a study twice', [{ studyInstanceUid: '1.2' }, { studyInstanceUid: '1.2' }]],
  ['a label that would break the script', [{ studyInstanceUid: '1.2', subjectLabel: 'S"1' }]],
  ['a label of two lines', [{ studyInstanceUid: '1.2', sessionLabel: 'a\nb' }]],
])('sends nothing for %s', async (_, studies) => {
  const xnat = await startAnswering({})
  const call = requestImport(createClient(xnat.url).client, { ...request, studies })
  await expect(call).rejects.toMatchObject({ name: 'InvalidInputError' })
  expect(xnat.calls).toEqual([])
})

it('reads all pages of queue and history, each row once', async () => {
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({ ...queued, id: from - n, status: 'ISSUED', executedTime: 5 }))
  const xnat = await startAnswering({
    'GET /xapi/dqr/import/queue': { body: [queued] },
    'GET /xapi/dqr/import/history': [{ body: rows(2000, 1000) }, { body: rows(1005, 20) }],
  })
  const { client } = createClient(xnat.url)
  expect(await listQueuedRequests(client)).toMatchObject([{ id: 11, status: 'QUEUED' }])
  const executed = await listExecutedRequests(client, { all: true })
  expect(executed).toHaveLength(1015)
  expect(executed[0]).toMatchObject({ id: 2000, status: 'ISSUED', executedAtMs: 5 })
  expect(xnat.calls).toEqual([
    'GET /xapi/dqr/import/queue?all=false&sort=desc&page=1&pageSize=1000',
    'GET /xapi/dqr/import/history?all=true&sort=desc&page=1&pageSize=1000',
    'GET /xapi/dqr/import/history?all=true&sort=desc&page=2&pageSize=1000',
  ])
})

it('takes one request out of the queue', async () => {
  const xnat = await startAnswering({ 'DELETE /xapi/dqr/import/queue/11': [{ body: 'true' }, { status: 404 }] })
  const { client } = createClient(xnat.url)
  expect(await deleteQueuedRequest(client, 11)).toEqual({ kind: 'deleted' })
  expect(await deleteQueuedRequest(client, 11)).toEqual({ kind: 'not-there' })
})

it('enables a project with one key and reads another', async () => {
  const path = '/xapi/dqr/settings/project/P'
  const settings = { ...entity, id: 1, projectId: 'P', dqrEnabled: true }
  const xnat = await startAnswering({
    [`GET ${path}`]: [{ status: 404 }, { body: settings }],
    [`PUT ${path}`]: [{ body: settings }, { status: 304 }],
  })
  const { client } = createClient(xnat.url)
  expect(await isDqrEnabled(client, 'P')).toBe(false)
  await setDqrEnabled(client, { projectId: 'P', enabled: true })
  await setDqrEnabled(client, { projectId: 'P', enabled: true })
  expect(await isDqrEnabled(client, 'P')).toBe(true)
  expect(xnat.calls[1]).toBe(`PUT ${path} {"enabled":true}`)
})
