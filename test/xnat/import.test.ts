import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { deleteDirectArchive, finishDirectArchive, listDirectArchive } from '../../lib/xnat/direct-archive.ts'
import { type ImportDestination, importDicomArchive } from '../../lib/xnat/import.ts'
import { type Answer, createClient, startAnswering } from './scripted-xnat.ts'

const source = { format: 'zip', sizeBytes: 3, openBody: () => Readable.from([Buffer.from('zip')]) } as const
const toArchive: ImportDestination = { kind: 'archive', projectId: 'P', subject: 'S1', experiment: 'MR1' }
const importing = (answer: Answer) => startAnswering({ 'POST /data/services/import': answer })

it.each<[ImportDestination, string]>([
  [toArchive, 'project=P&subject=S1&session=MR1&dest=%2Farchive%2Fprojects%2FP%2Fsubjects%2FS1%2Fexperiments%2FMR1'],
  [{ kind: 'prearchive', projectId: 'P' }, 'project=P&dest=%2Fprearchive%2Fprojects%2FP'],
  [{ kind: 'direct-archive', projectId: 'P', subject: 'S1' }, 'project=P&subject=S1&Direct-Archive=true'],
])('asks for %j', async (destination, query) => {
  const xnat = await importing({ body: '/data/archive/projects/P/subjects/S1/experiments/MR1\r\n' })
  await importDicomArchive(createClient(xnat.url).client, source, destination)
  expect(xnat.calls).toEqual([`POST /data/services/import?import-handler=DICOM-zip&inbody=true&${query} zip`])
})

it.each([
  ['zip', 'application/zip'],
  ['tar', 'application/x-tar'],
  ['tgz', 'application/x-gtar'],
] as const)('declares a %s as %s, by which XNAT tells the format', async (format, contentType) => {
  const xnat = await importing({ body: '' })
  await importDicomArchive(createClient(xnat.url).client, { ...source, format }, toArchive)
  expect(xnat.seen[0]?.headers).toMatchObject({ 'content-type': contentType, 'content-length': '3' })
})

it.each([
  [{}, null],
  [{ merge: 'append' }, 'append'],
  [{ merge: 'override' }, 'delete'],
] as const)('merges as told by %j', async (options, overwrite) => {
  const xnat = await importing({ body: '' })
  await importDicomArchive(createClient(xnat.url).client, source, toArchive, options)
  expect(new URL(xnat.calls[0]?.split(' ')[1] ?? '', xnat.url).searchParams.get('overwrite')).toBe(overwrite)
})

const session = { kind: 'archive', projectId: 'P', subject: 'S1', experiment: 'MR1' }

it.each<[string, Answer, object]>([
  [
    'all went where it was sent',
    { body: '/data/archive/projects/P/subjects/S1/experiments/MR1\r\n' },
    { kind: 'imported', sessions: [session] },
  ],
  [
    'there were several sessions',
    {
      body: '/data/archive/projects/P/subjects/S1/experiments/MR1\r\n/data/prearchive/projects/P/20260301_1/MR2\r\n',
    },
    {
      kind: 'imported',
      sessions: [session, { kind: 'prearchive', projectId: 'P', timestamp: '20260301_1', folder: 'MR2' }],
    },
  ],
  [
    'XNAT put it elsewhere',
    { body: '/data/prearchive/projects/Unassigned/20260301_1/MR1\r\n' },
    {
      kind: 'misplaced',
      sessions: [{ kind: 'prearchive', projectId: 'Unassigned', timestamp: '20260301_1', folder: 'MR1' }],
    },
  ],
  ['nothing was kept', { body: '' }, { kind: 'nothing-kept' }],
  [
    'it clashes with archived data',
    { status: 400, body: '<h3>unable to archive for the Prearchive session</h3>' },
    { kind: 'left-in-prearchive', detail: 'unable to archive for the Prearchive session' },
  ],
  ['it is locked', { status: 409, body: '<h3>locked</h3>' }, { kind: 'left-in-prearchive', detail: 'locked' }],
])('tells when %s', async (_, answer, outcome) => {
  const xnat = await importing(answer)
  expect(await importDicomArchive(createClient(xnat.url).client, source, toArchive)).toEqual(outcome)
})

it('does not take an answer without an address for success', async () => {
  const xnat = await importing({ body: 'OK' })
  await expect(importDicomArchive(createClient(xnat.url).client, source, toArchive)).rejects.toMatchObject({
    code: 'XNAT_UNEXPECTED_REPLY',
  })
})

it('throws what XNAT refuses otherwise, once', async () => {
  const xnat = await importing({ status: 400, body: '<h3>unable to read DICOM object a.txt</h3>' })
  await expect(importDicomArchive(createClient(xnat.url).client, source, toArchive)).rejects.toMatchObject({
    code: 'XNAT_REFUSED',
    detail: 'unable to read DICOM object a.txt',
  })
  const busy = await importing({ status: 503 })
  await expect(importDicomArchive(createClient(busy.url).client, source, toArchive)).rejects.toMatchObject({
    code: 'XNAT_BUSY',
  })
  expect([xnat.calls.length, busy.calls.length]).toEqual([1, 1])
})

it('sends nothing for a label that could not be asked for afterwards', async () => {
  const xnat = await importing({ body: '' })
  const destination: ImportDestination = { ...toArchive, experiment: '../MR1' }
  await expect(importDicomArchive(createClient(xnat.url).client, source, destination)).rejects.toMatchObject({
    code: 'UNSAFE_PATH_VALUE',
  })
  expect(xnat.calls).toEqual([])
})

it('lists sessions on their way straight into the archive, by all pages', async () => {
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({
      id: from + n,
      project: 'P',
      name: `MR${from + n}`,
      tag: '1.2',
      status: 'RECEIVING',
    }))
  const xnat = await startAnswering({ 'POST /xapi/direct-archive': [{ body: rows(1, 500) }, { body: rows(501, 3) }] })
  const sessions = await listDirectArchive(createClient(xnat.url).client, { projectId: 'P' })
  expect(sessions).toHaveLength(503)
  expect(sessions[0]).toMatchObject({
    id: 1,
    projectId: 'P',
    label: 'MR1',
    studyInstanceUid: '1.2',
    status: 'RECEIVING',
  })
  expect(xnat.calls[1]).toContain(
    '"page":2,"size":500,"filters":{"project":{"backend":"hibernate","operator":"eq","value":"P"}}',
  )
})

it('does not turn in circles when XNAT answers the same page again', async () => {
  const rows = Array.from({ length: 500 }, (_, id) => ({ id, status: 'RECEIVING' }))
  const xnat = await startAnswering({ 'POST /xapi/direct-archive': { body: rows } })
  expect(await listDirectArchive(createClient(xnat.url).client)).toHaveLength(500)
})

it('finishes and drops a direct-archive session', async () => {
  const xnat = await startAnswering({
    'POST /xapi/direct-archive/P/1.2.3/MR1': {},
    'DELETE /xapi/direct-archive/7': {},
  })
  const { client } = createClient(xnat.url)
  await finishDirectArchive(client, { projectId: 'P', studyInstanceUid: '1.2.3', label: 'MR1' })
  await deleteDirectArchive(client, 7)
  expect(xnat.calls).toEqual(['POST /xapi/direct-archive/P/1.2.3/MR1', 'DELETE /xapi/direct-archive/7'])
})
