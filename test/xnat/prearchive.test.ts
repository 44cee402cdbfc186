import { expect, it } from 'vitest'
import {
  archivePrearchiveSession,
  deletePrearchiveSession,
  findPrearchiveSession,
  listPrearchive,
  listPrearchiveLog,
  movePrearchiveSession,
  rebuildPrearchiveSession,
} from '../../lib/xnat/prearchive.ts'
import { parseSessionUri } from '../../lib/xnat/session-uri.ts'
import { type Answer, createClient, startAnswering } from './scripted-xnat.ts'

const ref = { projectId: 'P', timestamp: '20260301_101500123', folder: 'MR1' }
const at = '/data/prearchive/projects/P/20260301_101500123/MR1'

// auth-users-import 6.1: the columns of a prearchive listing, and no totalRecords.
const row = (status: string) => ({
  project: 'P',
  timestamp: '20260301_101500123',
  lastmod: '2026-03-01 10:15:30.0',
  uploaded: '2026-03-01 10:15:00.0',
  scan_date: '2026-02-28 00:00:00.0',
  scan_time: '',
  subject: 'S1',
  folderName: 'MR1',
  name: 'MR1',
  tag: '1.2.3.4',
  status,
  url: '/prearchive/projects/P/20260301_101500123/MR1',
  autoarchive: 'Manual',
  prevent_anon: 'false',
  prevent_auto_commit: 'false',
  SOURCE: '',
  VISIT: '',
  PROTOCOL: '',
  TIMEZONE: '',
})
const table = (...rows: unknown[]): Answer => ({ body: { ResultSet: { Result: rows } } })

it('lists what waits in a project', async () => {
  const xnat = await startAnswering({ 'GET /data/prearchive/projects/P': table(row('READY'), row('_BUILDING')) })
  const sessions = await listPrearchive(createClient(xnat.url).client, { projectId: 'P' })
  expect(sessions.map(({ status, isLocked }) => [status, isLocked])).toEqual([
    ['READY', false],
    ['BUILDING', true],
  ])
  expect(sessions[0]).toMatchObject({ ...ref, label: 'MR1', subjectLabel: 'S1', studyInstanceUid: '1.2.3.4' })
})

it('finds a session, and none where XNAT answers an empty table', async () => {
  const xnat = await startAnswering({ [`GET ${at}`]: [table(row('READY')), table(), { status: 404 }] })
  const { client } = createClient(xnat.url)
  expect((await findPrearchiveSession(client, ref))?.status).toBe('READY')
  expect(await findPrearchiveSession(client, ref)).toBe(undefined)
  expect(await findPrearchiveSession(client, ref)).toBe(undefined)
})

it('reads the log of a session', async () => {
  const xnat = await startAnswering({
    [`GET ${at}/logs`]: table({ id: '7', date: '2026-03-01 10:16:00.0', entry: 'Session already exists' }),
  })
  expect(await listPrearchiveLog(createClient(xnat.url).client, ref)).toEqual([
    { id: '7', date: '2026-03-01 10:16:00.0', entry: 'Session already exists' },
  ])
})

const archived = { kind: 'archived', session: { kind: 'archive', projectId: 'P', subject: 'S1', experiment: 'MR1' } }
const failed = '<h3>FAILED: Unable to archive MR1: Operation Failed: Session already exists</h3>'

it.each<[string, Answer, Answer, object]>([
  ['is archived', { body: '/data/archive/projects/P/subjects/S1/experiments/MR1\r\n' }, {}, archived],
  [
    'is archived into an auto-archive project',
    { status: 303, headers: { location: 'http://xnat/data/archive/projects/P/subjects/S1/experiments/MR1' } },
    {},
    archived,
  ],
  [
    'clashes with archived data',
    { status: 500, body: failed },
    table(row('CONFLICT')),
    { kind: 'conflict', detail: 'FAILED: Unable to archive MR1: Operation Failed: Session already exists' },
  ],
  [
    'cannot be archived',
    { status: 500, body: '<h3>FAILED</h3>' },
    table(row('ERROR')),
    { kind: 'failed', detail: 'FAILED' },
  ],
  ['takes too long', { status: 500, body: 'timeout' }, table(row('ARCHIVING')), { kind: 'in-progress' }],
  ['is gone after the answer', { status: 500, body: 'timeout' }, table(), { kind: 'in-progress' }],
  [
    'is being worked on',
    { status: 403, body: '<h3>Operation already in progress on this prearchive entry.</h3>' },
    {},
    { kind: 'in-progress' },
  ],
])('tells when a session %s', async (_, answer, found, outcome) => {
  const xnat = await startAnswering({ 'POST /data/services/archive': answer, [`GET ${at}`]: found })
  expect(await archivePrearchiveSession(createClient(xnat.url).client, ref)).toEqual(outcome)
  expect(xnat.calls[0]).toBe(
    'POST /data/services/archive?src=%2Fprearchive%2Fprojects%2FP%2F20260301_101500123%2FMR1&auto-archive=false',
  )
})

it.each([
  [403, 'XNAT_FORBIDDEN'],
  [404, 'XNAT_NOT_FOUND'],
])('fails with %i as %s', async (status, code) => {
  const xnat = await startAnswering({ 'POST /data/services/archive': { status, body: '<h3>no</h3>' } })
  await expect(archivePrearchiveSession(createClient(xnat.url).client, ref)).rejects.toMatchObject({
    code,
    detail: 'no',
  })
})

it('does not take an answer without an address for success', async () => {
  const xnat = await startAnswering({
    'POST /data/services/archive': { body: '/data/prearchive/projects/P/20260301_101500123/MR1' },
    [`POST ${at}`]: { status: 301, body: '/data/archive/projects/P/subjects/S/experiments/E' },
  })
  const { client } = createClient(xnat.url)
  const unexpected = { code: 'XNAT_UNEXPECTED_REPLY' }
  await expect(archivePrearchiveSession(client, ref)).rejects.toMatchObject(unexpected)
  await expect(movePrearchiveSession(client, ref, { projectId: 'P2' })).rejects.toMatchObject(unexpected)
})

it('rebuilds a session unless it is locked', async () => {
  const xnat = await startAnswering({
    [`POST ${at}`]: [{ body: at }, { status: 409, body: '<h3>session document locked</h3>' }],
  })
  const { client } = createClient(xnat.url)
  expect(await rebuildPrearchiveSession(client, ref)).toEqual({ kind: 'rebuilt' })
  expect(await rebuildPrearchiveSession(client, ref)).toEqual({ kind: 'locked' })
})

it('moves a session, which XNAT answers with 301, unless it is locked', async () => {
  const xnat = await startAnswering({
    [`POST ${at}`]: [{ status: 301, body: '/data/prearchive/projects/P2/20260301_101500123/MR1' }, {}],
  })
  const { client } = createClient(xnat.url)
  expect(await movePrearchiveSession(client, ref, { projectId: 'P2' })).toMatchObject({
    kind: 'moved',
    to: { ...ref, projectId: 'P2' },
  })
  expect(await movePrearchiveSession(client, ref, { projectId: 'P2' })).toEqual({ kind: 'locked' })
  expect(xnat.calls[0]).toBe(`POST ${at}?action=move&newProject=P2`)
})

it('deletes a session once', async () => {
  const xnat = await startAnswering({ [`DELETE ${at}`]: [{}, { status: 404 }] })
  const { client } = createClient(xnat.url)
  expect(await deletePrearchiveSession(client, ref)).toEqual({ kind: 'deleted' })
  expect(await deletePrearchiveSession(client, ref)).toEqual({ kind: 'not-there' })
})

it.each([
  [
    '/data/archive/projects/P/subjects/S/experiments/E',
    { kind: 'archive', projectId: 'P', subject: 'S', experiment: 'E' },
  ],
  [
    'https://x.org/xnat/data/archive/projects/P/subjects/S/experiments/E\r\n',
    { kind: 'archive', projectId: 'P', subject: 'S', experiment: 'E' },
  ],
  ['/prearchive/projects/P/2026_1/E', { kind: 'prearchive', projectId: 'P', timestamp: '2026_1', folder: 'E' }],
  ['/xapi/direct-archive/P/1.2.3/E', { kind: 'direct-archive', projectId: 'P', studyInstanceUid: '1.2.3', label: 'E' }],
  ['/data/archive/projects/P', undefined],
  ['', undefined],
])('understands %j', (uri, expected) => {
  expect(parseSessionUri(uri)).toEqual(expected)
})
