// What the prearchive says that the stand-in cannot be brought to say.
import { expect, it } from 'vitest'
import {
  archivePrearchiveSession,
  deletePrearchiveSession,
  findPrearchiveSession,
  movePrearchiveSession,
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

const archived = { kind: 'archived', session: { kind: 'archive', projectId: 'P', subject: 'S1', experiment: 'MR1' } }
it.each<[string, Answer, Answer, object]>([
  [
    'is archived into an auto-archive project',
    { status: 303, headers: { location: 'http://xnat/data/archive/projects/P/subjects/S1/experiments/MR1' } },
    {},
    archived,
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

it('understands that a session is not there, in both of the ways XNAT may say so', async () => {
  const xnat = await startAnswering({ [`GET ${at}`]: [table(), { status: 404 }], [`DELETE ${at}`]: { status: 404 } })
  const { client } = createClient(xnat.url)
  expect(await findPrearchiveSession(client, ref)).toBe(undefined)
  expect(await findPrearchiveSession(client, ref)).toBe(undefined)
  expect(await deletePrearchiveSession(client, ref)).toEqual({ kind: 'not-there' })
})

it('passes on what is to happen to a session once it is archived', async () => {
  const answer = { body: '/data/archive/projects/P/subjects/S1/experiments/MR1' }
  const xnat = await startAnswering({ 'POST /data/services/archive': answer })
  await archivePrearchiveSession(createClient(xnat.url).client, ref, { quarantine: true, triggerPipelines: false })
  expect(xnat.calls[0]).toMatch(/&quarantine=true&triggerPipelines=false&auto-archive=false$/)
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
