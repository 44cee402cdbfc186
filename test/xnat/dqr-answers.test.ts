// What DQR says that the stand-in cannot be brought to say, and what is not sent at all.
import { expect, it } from 'vitest'
import { queryStudies } from '../../lib/xnat/dqr.ts'
import { listExecutedRequests, listQueuedRequests, requestImport } from '../../lib/xnat/dqr-import.ts'
import { createClient, startAnswering } from './scripted-xnat.ts'

const entity = { enabled: true, created: 1772359200000, timestamp: 1772359200000, disabled: 0 }

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

it('takes a 400 for a PACS that is down only in the words XNAT has for it', async () => {
  const xnat = await startAnswering({ 'POST /xapi/dqr/query/studies': { status: 400, body: 'no such field' } })
  await expect(queryStudies(createClient(xnat.url).client, {})).rejects.toMatchObject({ code: 'XNAT_REFUSED' })
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
