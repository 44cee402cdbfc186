// What the import service says that the stand-in cannot be brought to say.
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { listDirectArchive } from '../../lib/xnat/direct-archive.ts'
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

it.each<[string, Answer, object]>([
  ['nothing was kept', { body: '' }, { kind: 'nothing-kept' }],
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

it('does not repeat an import, whose first try may have left files', async () => {
  const xnat = await importing({ status: 503 })
  await expect(importDicomArchive(createClient(xnat.url).client, source, toArchive)).rejects.toMatchObject({
    code: 'XNAT_BUSY',
  })
  expect(xnat.calls).toHaveLength(1)
})

it('passes on what is to happen to a session once it is archived', async () => {
  const xnat = await importing({ body: '' })
  const options = { quarantine: true, triggerPipelines: false }
  await importDicomArchive(createClient(xnat.url).client, source, toArchive, options)
  expect(xnat.calls[0]).toMatch(/&quarantine=true&triggerPipelines=false zip$/)
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
