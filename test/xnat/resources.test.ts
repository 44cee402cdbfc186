import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { ensureAssessor } from '../../lib/xnat/assessors.ts'
import { deleteFile, deleteResource } from '../../lib/xnat/delete-files.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import { setMember } from '../../lib/xnat/projects.ts'
import { refreshCatalog } from '../../lib/xnat/refresh-catalog.ts'
import {
  ensureResource,
  listFiles,
  listResources,
  openFile,
  putFile,
  type ResourceParent,
  type ResourceRef,
} from '../../lib/xnat/resources.ts'
import { createClient, startAnswering } from './scripted-xnat.ts'
import { bytes, clientOf, misbehaveNext, startStandIn, startWithSession, textOf } from './stand-in.ts'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

it('stores a file under its path and lists it with size and digest', async () => {
  const { client, scan } = await startWithSession()
  expect(await putFile(client, scan, 'sub/1.dcm', bytes('hello'), { format: 'DICOM', content: 'RAW' })).toEqual({
    kind: 'stored',
  })
  expect(await listFiles(client, scan)).toEqual([
    {
      path: 'sub/1.dcm',
      name: '1.dcm',
      sizeBytes: 5,
      md5: md5('hello'),
      format: 'DICOM',
      content: 'RAW',
      tags: undefined,
      resourceId: expect.stringMatching(/^\d+$/),
    },
  ])
})

const levels: [string, (experimentId: string, assessorId: string) => ResourceParent][] = [
  ['a project', () => ({ level: 'project', projectId: 'P' })],
  ['a subject', () => ({ level: 'subject', projectId: 'P', subject: 'S1' })],
  ['an experiment', (experimentId) => ({ level: 'experiment', experimentId })],
  ['a scan', (experimentId) => ({ level: 'scan', experimentId, scanId: '1' })],
  [
    'what an assessor gave out',
    (experimentId, assessorId) => ({ level: 'assessor', experimentId, assessorId, direction: 'out' }),
  ],
  [
    'what an assessor took in',
    (experimentId, assessorId) => ({ level: 'assessor', experimentId, assessorId, direction: 'in' }),
  ],
]

it.each(levels)('stores, lists, reads and deletes files of %s', async (_, parentOf) => {
  const { client, experimentId } = await startWithSession()
  const assessor = { experimentId, label: 'QC', xsiType: 'xnat:qcManualAssessorData' }
  const { assessorId } = await ensureAssessor(client, assessor)
  const parent = parentOf(experimentId, assessorId)
  const ref: ResourceRef = { parent, resourceLabel: 'NOTES' }
  await putFile(client, ref, 'a/b.txt', bytes('one'))
  expect((await listFiles(client, ref)).map(({ path }) => path)).toEqual(['a/b.txt'])
  expect((await listResources(client, parent)).map(({ resourceLabel }) => resourceLabel)).toEqual(['NOTES'])
  expect(await textOf((await openFile(client, ref, 'a/b.txt')).body)).toBe('one')
  expect(await deleteFile(client, ref, 'a/b.txt')).toEqual({ kind: 'deleted', paths: ['a/b.txt'] })
  expect(await listFiles(client, ref)).toEqual([])
  await deleteResource(client, ref)
  expect(await listResources(client, parent)).toEqual([])
})

it.each(['with space.txt', 'a+b.txt', 'a b+c.txt', '(1)_x-y~z=@,.nii.gz', 'deep/er/than deep/x'])(
  'stores %j under exactly that name and reads it back',
  async (path) => {
    const { client, scan } = await startWithSession()
    await putFile(client, scan, path, bytes('x'))
    expect((await listFiles(client, scan)).map((file) => file.path)).toEqual([path])
    expect(await textOf((await openFile(client, scan, path)).body)).toBe('x')
  },
)

it.each(['é.txt', 'a#b', 'a%20b', 'x.zip/inner'])(
  'refuses to put %j, which XNAT would name otherwise',
  async (path) => {
    const { xnat, client, scan } = await startWithSession()
    xnat.requests.clear()
    await expect(putFile(client, scan, path, bytes('x'))).rejects.toMatchObject({ code: 'FILE_NAME_NEEDS_ARCHIVE' })
    expect(xnat.requests.count()).toBe(0)
  },
)

it('stores a file of no bytes', async () => {
  const { client, scan } = await startWithSession()
  expect(await putFile(client, scan, 'sub/empty.txt', bytes(''), { format: 'TXT' })).toEqual({ kind: 'stored' })
  expect(await listFiles(client, scan)).toMatchObject([{ path: 'sub/empty.txt', sizeBytes: 0, format: 'TXT' }])
})

it('tells of a file that was there and leaves it, unless told to overwrite (data-api 0.2)', async () => {
  const { client, scan } = await startWithSession()
  await putFile(client, scan, 'a.txt', bytes('one'))
  expect(await putFile(client, scan, 'a.txt', bytes('two'))).toEqual({ kind: 'duplicates', paths: ['a.txt'] })
  expect(await textOf((await openFile(client, scan, 'a.txt')).body)).toBe('one')
  expect(await putFile(client, scan, 'a.txt', bytes('two'), { overwrite: true })).toEqual({ kind: 'stored' })
  expect(await textOf((await openFile(client, scan, 'a.txt')).body)).toBe('two')
})

it('does not repeat an upload that might meet its own first try', async () => {
  const { xnat, client, scan } = await startWithSession()
  misbehaveNext(xnat, '500-after-write', { when: { method: 'PUT' } })
  await expect(putFile(client, scan, 'a.txt', bytes('one'))).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE' })
})

it.each([
  '500-after-write',
  'cut-before',
  'cut-during-request',
  'unauthorized',
  'login-page',
  'redirect-to-login',
] as const)('overwrites again after %s, and the file is there once', async (fault) => {
  const { xnat, client, scan } = await startWithSession()
  misbehaveNext(xnat, fault, { when: { method: 'PUT' } })
  const big = 'x'.repeat(3_000_000)
  expect(await putFile(client, scan, 'a.txt', bytes(big), { overwrite: true })).toEqual({ kind: 'stored' })
  expect(await listFiles(client, scan)).toMatchObject([{ path: 'a.txt', sizeBytes: big.length, md5: md5(big) }])
})

it('heals when two uploads to one resource collide (data-api 0.4)', async () => {
  const { client, scan } = await startWithSession()
  await ensureResource(client, scan)
  const slow = (text: string) => ({ openBody: () => Readable.from(slowly(text)), sizeBytes: text.length * 4 })
  const uploads = ['a.txt', 'b.txt', 'c.txt'].map((path) =>
    putFile(client, scan, path, slow('abcd'), { overwrite: true }),
  )
  const outcomes = await Promise.allSettled(uploads)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'XNAT_UNREACHABLE', status: 500 })
  }
  await refreshCatalog(client, scan, { append: true })
  expect((await listFiles(client, scan)).map(({ path }) => path).sort()).toEqual(['a.txt', 'b.txt', 'c.txt'])
})

async function* slowly(text: string) {
  for (let n = 0; n < 4; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 25))
    yield Buffer.from(text)
  }
}

it('says clearly who may not edit, which an upload does not (data-api 0.3)', async () => {
  const { xnat, client, scan } = await startWithSession()
  xnat.state.addUser({ username: 'col' })
  await setMember(client, { projectId: 'P', role: 'collaborator', login: 'col' })
  const col = clientOf(xnat, { user: 'col' })
  await expect(ensureResource(col, scan)).rejects.toMatchObject({ code: 'XNAT_FORBIDDEN' })
  await ensureResource(client, scan)
  expect(await putFile(col, scan, 'a.txt', bytes('x'))).toEqual({ kind: 'stored' })
  expect(await listFiles(client, scan)).toEqual([])
})

it('notices a large upload that XNAT did not even read', async () => {
  const { xnat, client, scan } = await startWithSession()
  xnat.state.addUser({ username: 'col' })
  await setMember(client, { projectId: 'P', role: 'collaborator', login: 'col' })
  await ensureResource(client, scan)
  const size = 64 * 1024 * 1024
  const source = { openBody: () => Readable.from(zeros(size)), sizeBytes: size }
  await expect(putFile(clientOf(xnat, { user: 'col' }), scan, 'a.bin', source)).rejects.toMatchObject({
    code: 'XNAT_FORBIDDEN',
  })
})

function* zeros(size: number) {
  const chunk = Buffer.alloc(1024 * 1024)
  for (let left = size; left > 0; left -= chunk.length) yield chunk
}

it('creates a resource once', async () => {
  const { client, scan } = await startWithSession()
  expect(await ensureResource(client, scan, { format: 'DICOM', content: 'RAW', tags: ['a', 'b'] })).toEqual({
    kind: 'created',
  })
  expect(await ensureResource(client, scan)).toEqual({ kind: 'already-there' })
  expect(await listResources(client, scan.parent)).toMatchObject([
    { resourceLabel: 'DICOM', format: 'DICOM', content: 'RAW', category: 'scans', parentId: '1' },
  ])
})

it('cannot create a resource on what is not there', async () => {
  const { client } = await startStandIn()
  const ref: ResourceRef = { parent: { level: 'experiment', experimentId: 'XNAT_E9' }, resourceLabel: 'NOTES' }
  await expect(ensureResource(client, ref)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
})

it.each(['123', 'a,b', 'a b', ''])('refuses %j as a resource label', async (resourceLabel) => {
  const { client, scan } = await startWithSession()
  await expect(listFiles(client, { ...scan, resourceLabel })).rejects.toMatchObject({ code: 'UNSAFE_PATH_VALUE' })
})

it.each(['ALL', '*', '1,2'])('refuses %j as a scan ID, which would be several scans', async (scanId) => {
  const { client, experimentId } = await startWithSession()
  const ref: ResourceRef = { parent: { level: 'scan', experimentId, scanId }, resourceLabel: 'DICOM' }
  await expect(listFiles(client, ref)).rejects.toMatchObject({ code: 'UNSAFE_PATH_VALUE' })
})

it('lists nothing for a label that is not there', async () => {
  const { client, scan } = await startWithSession()
  expect(await listFiles(client, scan)).toEqual([])
})

it('says which parent is missing when asked for its files (data-api 0.8)', async () => {
  const { client, experimentId, onSession } = await startWithSession()
  await putFile(client, onSession, 'a.txt', bytes('x'))
  const missing: ResourceParent[] = [
    { level: 'project', projectId: 'NONE' },
    { level: 'subject', projectId: 'P', subject: 'NOBODY' },
    { level: 'experiment', experimentId: 'XNAT_E99999' },
    { level: 'scan', experimentId, scanId: '99' },
    { level: 'scan', experimentId: 'XNAT_E99999', scanId: '1' },
    { level: 'assessor', experimentId, assessorId: 'XNAT_E99999', direction: 'out' },
  ]
  for (const parent of missing) {
    await expect(listFiles(client, { ...onSession, parent })).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
    await expect(listResources(client, parent)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
  }
})

it('does not pass the files of a scan for those of one whose ID is its type', async () => {
  const { client, experimentId, scan } = await startWithSession()
  await putFile(client, scan, 'a.txt', bytes('x'))
  await client.put(xnatPath`/data/experiments/${experimentId}/scans/1`, { query: { type: 'T1' } })
  const parent: ResourceParent = { level: 'scan', experimentId, scanId: 'T1' }
  await expect(listFiles(client, { ...scan, parent })).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
})

it('reads part of a file', async () => {
  const { client, scan } = await startWithSession()
  await putFile(client, scan, 'a.txt', bytes('0123456789'))
  const part = await openFile(client, scan, 'a.txt', { range: { first: 2, last: 4 } })
  expect([part.status, part.sizeBytes, await textOf(part.body)]).toEqual([206, 3, '234'])
  const rest = await openFile(client, scan, 'a.txt', { range: { first: 8 } })
  expect(await textOf(rest.body)).toBe('89')
})

it('does not pass a whole file for the part that was asked for', async () => {
  const xnat = await startAnswering({ 'GET /data/projects/P/resources/R/files/a.txt': { body: 'whole' } })
  const { client } = createClient(xnat.url)
  const ref: ResourceRef = { parent: { level: 'project', projectId: 'P' }, resourceLabel: 'R' }
  await expect(openFile(client, ref, 'a.txt', { range: { first: 2 } })).rejects.toMatchObject({
    code: 'XNAT_UNEXPECTED_REPLY',
  })
})

it('says that a file is missing, although XNAT says nothing (data-api 4.4)', async () => {
  const { client, scan } = await startWithSession()
  await ensureResource(client, scan)
  await expect(openFile(client, scan, 'none.txt')).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND', detail: undefined })
})

it('deletes one file and none that begins the same (data-api 0.9)', async () => {
  const { client, scan } = await startWithSession()
  for (const path of ['a', 'a2.dcm', 'b/1', 'b/2', 'b2']) await putFile(client, scan, path, bytes('x'))
  await expect(deleteFile(client, scan, 'a')).rejects.toMatchObject({ code: 'DELETE_TAKES_OTHERS' })
  expect(await deleteFile(client, scan, 'a2.dcm')).toEqual({ kind: 'deleted', paths: ['a2.dcm'] })
  expect(await deleteFile(client, scan, 'a')).toEqual({ kind: 'deleted', paths: ['a'] })
  expect(await deleteFile(client, scan, 'b')).toEqual({ kind: 'not-there' })
  const { kind, ...rest } = await deleteFile(client, scan, 'b', { folder: true })
  expect([kind, rest]).toEqual(['deleted', { paths: expect.arrayContaining(['b/1', 'b/2']) }])
  expect((await listFiles(client, scan)).map(({ path }) => path)).toEqual(['b2'])
})

it('does not delete by a pattern', async () => {
  const { client, scan } = await startWithSession()
  await putFile(client, scan, 'a', bytes('x'))
  await expect(deleteFile(client, scan, '*')).rejects.toMatchObject({ code: 'DELETE_TAKES_OTHERS' })
  expect(await listFiles(client, scan)).toHaveLength(1)
})

it('does not take an unknown answer to an upload for success', async () => {
  const xnat = await startAnswering({ 'PUT /data/projects/P/resources/R/files/a.txt': { body: '{"workflowId":7}' } })
  const ref: ResourceRef = { parent: { level: 'project', projectId: 'P' }, resourceLabel: 'R' }
  await expect(putFile(createClient(xnat.url).client, ref, 'a.txt', bytes('x'))).rejects.toMatchObject({
    code: 'XNAT_UNEXPECTED_REPLY',
  })
})

it('lets a member upload and not delete (data-api 0.9)', async () => {
  const { xnat, client, scan } = await startWithSession()
  xnat.state.addUser({ username: 'mia' })
  await setMember(client, { projectId: 'P', role: 'member', login: 'mia' })
  const mia = clientOf(xnat, { user: 'mia' })
  expect(await putFile(mia, scan, 'a.txt', bytes('x'))).toEqual({ kind: 'stored' })
  await expect(deleteFile(mia, scan, 'a.txt')).rejects.toMatchObject({ code: 'XNAT_FORBIDDEN' })
  expect(await listFiles(client, scan)).toHaveLength(1)
})

it('counts files afterwards when uploads did not', async () => {
  const { client, scan } = await startWithSession()
  await ensureResource(client, scan)
  for (const path of ['a', 'b']) await putFile(client, scan, path, bytes('xyz'), { updateStats: false })
  expect(await listResources(client, scan.parent)).not.toMatchObject([{ fileCount: 2 }])
  await refreshCatalog(client, scan, { populateStats: true })
  expect(await listResources(client, scan.parent)).toMatchObject([{ fileCount: 2, sizeBytes: 6 }])
})
