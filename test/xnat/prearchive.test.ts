import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { findExperiment } from '../../lib/xnat/archive.ts'
import type { XnatClient } from '../../lib/xnat/client.ts'
import { dumpDicom } from '../../lib/xnat/dicom-dump.ts'
import { importDicomArchive } from '../../lib/xnat/import.ts'
import {
  archivePrearchiveSession,
  deletePrearchiveSession,
  findPrearchiveSession,
  listPrearchive,
  listPrearchiveLog,
  movePrearchiveSession,
  type PrearchiveRef,
  rebuildPrearchiveSession,
} from '../../lib/xnat/prearchive.ts'
import {
  downloadPrearchiveSession,
  listPrearchiveFiles,
  listPrearchiveScans,
  openPrearchiveFile,
} from '../../lib/xnat/prearchive-files.ts'
import { createProject, setPrearchiveCode } from '../../lib/xnat/projects.ts'
import { zipEntries } from '../support/archive-bytes.ts'
import { instance, type SentFile, study, studyUid, zipped } from '../xnat-server/studies.ts'
import { clientOf, startStandIn } from './stand-in.ts'

/** Projects `P` and `Q` that archive nothing by themselves. */
async function startWithProjects() {
  const started = await startStandIn()
  for (const projectId of ['P', 'Q']) {
    await createProject(started.client, { projectId })
    await setPrearchiveCode(started.client, projectId, 0)
  }
  return started
}

/** Sends a study of subject `S1` to be `MR1`, and says where it waits, built. */
async function waiting(
  client: XnatClient,
  files: readonly SentFile[] = study(),
  projectId = 'P',
): Promise<PrearchiveRef> {
  const bytes = await zipped(files)
  const source = { format: 'zip', sizeBytes: bytes.length, openBody: () => Readable.from([bytes]) } as const
  const destination = { kind: 'prearchive', projectId, subject: 'S1', experiment: 'MR1' } as const
  const outcome = await importDicomArchive(client, source, destination)
  const session = 'sessions' in outcome ? outcome.sessions[0] : undefined
  if (session?.kind !== 'prearchive') throw new Error('the study is not in the prearchive')
  return session
}

/** As while XNAT's queue is at it. */
function lock(xnat: Awaited<ReturnType<typeof startStandIn>>['xnat']): void {
  for (const entry of xnat.state.prearchive.all()) xnat.state.prearchive.put({ ...entry, status: '_BUILDING' })
}

it('lists what waits in a project, and what in all of them', async () => {
  const { xnat, client } = await startWithProjects()
  const ref = await waiting(client)
  await waiting(client, study({ StudyInstanceUID: '2.25.7' }), 'NOWHERE')
  expect(await listPrearchive(client, { projectId: 'P' })).toMatchObject([
    {
      projectId: 'P',
      timestamp: ref.timestamp,
      folder: 'MR1',
      label: 'MR1',
      subjectLabel: 'S1',
      studyInstanceUid: studyUid,
      status: 'READY',
      isLocked: false,
    },
  ])
  expect((await listPrearchive(client)).map(({ projectId }) => projectId).sort()).toEqual(['P', 'Unassigned'])
  lock(xnat)
  expect(await listPrearchive(client, { projectId: 'P' })).toMatchObject([{ status: 'BUILDING', isLocked: true }])
})

it('finds a session, or none', async () => {
  const { client } = await startWithProjects()
  const ref = await waiting(client)
  expect((await findPrearchiveSession(client, ref))?.status).toBe('READY')
  expect(await findPrearchiveSession(client, { ...ref, folder: 'MR2' })).toBe(undefined)
})

it('archives a session, also in a project that archives by itself', async () => {
  const { client } = await startWithProjects()
  await setPrearchiveCode(client, 'Q', 4)
  for (const projectId of ['P', 'Q']) {
    expect(await archivePrearchiveSession(client, await waiting(client, study(), projectId))).toEqual({
      kind: 'archived',
      session: { kind: 'archive', projectId, subject: 'S1', experiment: 'MR1' },
    })
    expect(await listPrearchive(client, { projectId })).toEqual([])
  }
})

it('archives a session under other labels', async () => {
  const { client } = await startWithProjects()
  const outcome = await archivePrearchiveSession(client, await waiting(client), { subject: 'S7', label: 'MR7' })
  expect(outcome).toMatchObject({ kind: 'archived', session: { subject: 'S7', experiment: 'MR7' } })
  expect(await findExperiment(client, { projectId: 'P', experiment: 'MR7' })).toMatchObject({
    studyInstanceUid: studyUid,
  })
})

it('tells of a conflict and where it is explained, and merges when told to', async () => {
  const { client } = await startWithProjects()
  await archivePrearchiveSession(client, await waiting(client))
  const again = await waiting(client)
  expect(await archivePrearchiveSession(client, again)).toMatchObject({
    kind: 'conflict',
    detail: expect.stringContaining('Unable to archive MR1'),
  })
  const [entry] = await listPrearchiveLog(client, again)
  expect(entry?.entry).toMatch(/already exists/)
  expect(await archivePrearchiveSession(client, again, { overwrite: 'append' })).toMatchObject({ kind: 'archived' })
})

it('does not archive what is locked, or not there, or what the account may not edit', async () => {
  const { xnat, client } = await startWithProjects()
  const ref = await waiting(client)
  await expect(archivePrearchiveSession(client, { ...ref, folder: 'MR2' })).rejects.toMatchObject({
    code: 'XNAT_NOT_FOUND',
  })
  xnat.state.addUser({ username: 'guest1', password: 'guest1', groups: ['P_collaborator'] })
  const collaborator = clientOf(xnat, { user: 'guest1' })
  await expect(archivePrearchiveSession(collaborator, ref)).rejects.toMatchObject({ code: 'XNAT_FORBIDDEN' })
  lock(xnat)
  expect(await archivePrearchiveSession(client, ref)).toEqual({ kind: 'in-progress' })
})

it('rebuilds, moves and deletes a session, unless it is locked', async () => {
  const { xnat, client } = await startWithProjects()
  const ref = await waiting(client)
  expect(await rebuildPrearchiveSession(client, ref)).toEqual({ kind: 'rebuilt' })
  const moved = await movePrearchiveSession(client, ref, { projectId: 'Q' })
  expect(moved).toEqual({ kind: 'moved', to: { kind: 'prearchive', ...ref, projectId: 'Q' } })
  const there = { ...ref, projectId: 'Q' }
  expect(await findPrearchiveSession(client, there)).toMatchObject({ projectId: 'Q' })
  lock(xnat)
  expect(await rebuildPrearchiveSession(client, there)).toEqual({ kind: 'locked' })
  expect(await movePrearchiveSession(client, there, { projectId: 'P' })).toEqual({ kind: 'locked' })
  expect(await deletePrearchiveSession(client, there)).toEqual({ kind: 'deleted' })
  expect(await listPrearchive(client)).toEqual([])
})

it('lists the scans and files of a session, and opens one', async () => {
  const { client } = await startWithProjects()
  const ref = await waiting(client)
  expect(await listPrearchiveScans(client, ref)).toEqual([
    { scanId: '1', xsiType: 'xnat:mrScanData', seriesDescription: 'Series 1' },
    { scanId: '2', xsiType: 'xnat:mrScanData', seriesDescription: 'Series 2' },
  ])
  const sent = instance('1.dcm')
  const files = await listPrearchiveFiles(client, ref, { scanId: '1' })
  expect(files).toEqual(['1.dcm', '2.dcm'].map((name) => ({ name, sizeBytes: sent.bytes.length })))
  const { body } = await openPrearchiveFile(client, ref, { scanId: '1', name: '1.dcm' })
  expect(Buffer.concat(await body.toArray()).equals(sent.bytes)).toBe(true)
})

it('downloads a session', async () => {
  const { client } = await startWithProjects()
  const { body } = await downloadPrearchiveSession(client, await waiting(client))
  const entries = await zipEntries(Buffer.concat(await body.toArray()))
  expect(entries.map(({ name }) => name)).toContain('MR1/SCANS/1/DICOM/1.dcm')
})

it('dumps the header of a file, in the prearchive and in the archive', async () => {
  const { client } = await startWithProjects()
  const ref = await waiting(client)
  const attributes = ['SeriesDescription']
  const series = (description: string) => [
    expect.objectContaining({ tag: '(0008,103E)', vr: 'LO', value: description }),
  ]
  expect(await dumpDicom(client, { prearchive: ref, scanId: '2' }, { attributes })).toEqual(series('Series 2'))
  await archivePrearchiveSession(client, ref)
  const session = { projectId: 'P', subject: 'S1', experiment: 'MR1' }
  expect(await dumpDicom(client, { ...session, scanId: '1', file: '1.dcm' }, { attributes })).toEqual(
    series('Series 1'),
  )
  expect((await dumpDicom(client, session)).length).toBeGreaterThan(10)
})
