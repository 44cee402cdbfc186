import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { findExperiment, listScans } from '../../lib/xnat/archive.ts'
import type { XnatClient } from '../../lib/xnat/client.ts'
import { deleteDirectArchive, finishDirectArchive, listDirectArchive } from '../../lib/xnat/direct-archive.ts'
import {
  type DicomArchive,
  type ImportDestination,
  type ImportOptions,
  importDicomArchive,
} from '../../lib/xnat/import.ts'
import {
  deletePrearchiveSession,
  findPrearchiveSession,
  listPrearchive,
  listPrearchiveLog,
} from '../../lib/xnat/prearchive.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { listParentFiles } from '../../lib/xnat/resources.ts'
import { instance, minuteMs, type SentFile, study, studyUid, tarred, zipped } from '../xnat-server/studies.ts'
import { startStandIn } from './stand-in.ts'

const toArchive: ImportDestination = { kind: 'archive', projectId: 'P', subject: 'S1', experiment: 'MR1' }
const session = { kind: 'archive', projectId: 'P', subject: 'S1', experiment: 'MR1' }

async function startWithProject() {
  const started = await startStandIn()
  await createProject(started.client, { projectId: 'P' })
  return started
}

async function archiveOf(files: readonly SentFile[], format: DicomArchive['format'] = 'zip'): Promise<DicomArchive> {
  const bytes = format === 'zip' ? await zipped(files) : await tarred(files, { gzip: format === 'tgz' })
  return { format, sizeBytes: bytes.length, openBody: () => Readable.from([bytes]) }
}

/** How many files each scan of the archived session holds. */
async function filesByScan(client: XnatClient): Promise<Record<string, number>> {
  const { experimentId = '' } = (await findExperiment(client, { projectId: 'P', experiment: 'MR1' })) ?? {}
  const counts: Record<string, number> = {}
  for (const { scanId } of await listScans(client, { experimentId })) {
    counts[scanId] = (await listParentFiles(client, { level: 'scan', experimentId, scanId })).length
  }
  return counts
}

it.each(['zip', 'tar', 'tgz'] as const)('imports a session from a %s straight into the archive', async (format) => {
  const { client } = await startWithProject()
  const outcome = await importDicomArchive(client, await archiveOf(study(), format), toArchive)
  expect(outcome).toEqual({ kind: 'imported', sessions: [session] })
  expect(await filesByScan(client)).toEqual({ 1: 2, 2: 2 })
})

it('leaves a session built in the prearchive when sent there', async () => {
  const { client } = await startWithProject()
  const outcome = await importDicomArchive(client, await archiveOf(study()), { kind: 'prearchive', projectId: 'P' })
  const [imported] = outcome.kind === 'imported' ? outcome.sessions : []
  expect(imported).toMatchObject({ kind: 'prearchive', projectId: 'P' })
  if (imported?.kind !== 'prearchive') return
  expect(await findPrearchiveSession(client, imported)).toMatchObject({ status: 'READY', studyInstanceUid: studyUid })
})

it('tells each session of several', async () => {
  const { client } = await startWithProject()
  const files = [...study(), { ...instance('9.dcm', { StudyInstanceUID: '2.25.200' }), name: 'other/9.dcm' }]
  const outcome = await importDicomArchive(client, await archiveOf(files), { kind: 'prearchive', projectId: 'P' })
  expect(outcome).toMatchObject({ kind: 'imported', sessions: [{ projectId: 'P' }, { projectId: 'P' }] })
})

it('tells that a session clashes with archived data, and merges when told to', async () => {
  const { client } = await startWithProject()
  const importing = async (files: readonly SentFile[], options?: ImportOptions) =>
    importDicomArchive(client, await archiveOf(files), toArchive, options)
  await importing(study())
  expect(await importing(study())).toMatchObject({
    kind: 'left-in-prearchive',
    detail: expect.stringContaining('unable to archive'),
  })
  await emptyPrearchive(client)
  expect(await importing([instance('3.dcm')], { merge: 'append' })).toMatchObject({ kind: 'imported' })
  expect(await filesByScan(client)).toEqual({ 1: 3, 2: 2 })
  expect(await importing(study(), { merge: 'append' })).toMatchObject({ kind: 'left-in-prearchive' })
  await emptyPrearchive(client)
  expect(await importing(study(), { merge: 'override' })).toMatchObject({ kind: 'imported' })
  expect(await filesByScan(client)).toEqual({ 1: 3, 2: 2 })
})

it('adds what is imported later to what an earlier clash has left in the prearchive', async () => {
  const { client } = await startWithProject()
  for (const files of [study(), study()]) await importDicomArchive(client, await archiveOf(files), toArchive)
  const outcome = await importDicomArchive(client, await archiveOf([instance('3.dcm')]), toArchive, { merge: 'append' })
  expect(outcome).toMatchObject({ kind: 'left-in-prearchive' })
  expect(await listPrearchive(client, { projectId: 'P' })).toHaveLength(1)
})

async function emptyPrearchive(client: XnatClient): Promise<void> {
  for (const waiting of await listPrearchive(client, { projectId: 'P' })) await deletePrearchiveSession(client, waiting)
}

it('tells that XNAT put a session elsewhere, because there is no such project', async () => {
  const { client } = await startWithProject()
  const destination: ImportDestination = { kind: 'prearchive', projectId: 'NOWHERE' }
  expect(await importDicomArchive(client, await archiveOf(study()), destination)).toMatchObject({
    kind: 'misplaced',
    sessions: [{ kind: 'prearchive', projectId: 'Unassigned' }],
  })
})

it('refuses files that are no DICOM, or skips them when told to', async () => {
  const { client } = await startWithProject()
  const files = [...study(), { name: 'notes.txt', bytes: Buffer.from('no DICOM') }]
  await expect(importDicomArchive(client, await archiveOf(files), toArchive)).rejects.toMatchObject({
    code: 'XNAT_REFUSED',
    detail: expect.stringContaining('unable to read DICOM object'),
  })
  const destination: ImportDestination = { ...toArchive, subject: 'S2', experiment: 'MR2' }
  expect(
    await importDicomArchive(client, await archiveOf(files), destination, { ignoreUnparsable: true }),
  ).toMatchObject({ kind: 'imported' })
})

it('follows a session straight into the archive until it is there', async () => {
  const { xnat, client } = await startWithProject()
  const destination: ImportDestination = { ...toArchive, kind: 'direct-archive' }
  const direct = { kind: 'direct-archive', projectId: 'P', studyInstanceUid: studyUid, label: 'MR1' }
  expect(await importDicomArchive(client, await archiveOf(study()), destination)).toEqual({
    kind: 'imported',
    sessions: [direct],
  })
  expect(await listDirectArchive(client, { projectId: 'P' })).toMatchObject([
    { label: 'MR1', subjectLabel: 'S1', studyInstanceUid: studyUid, status: 'RECEIVING' },
  ])
  expect(await listDirectArchive(client, { projectId: 'P', label: 'MR2' })).toEqual([])
  await xnat.clock.advance(5 * minuteMs)
  expect(await listDirectArchive(client)).toEqual([])
  expect(await filesByScan(client)).toEqual({ 1: 2, 2: 2 })
})

it('finishes a direct-archive session at once, or drops its row', async () => {
  const { client } = await startWithProject()
  const destination: ImportDestination = { ...toArchive, kind: 'direct-archive' }
  const ref = { projectId: 'P', studyInstanceUid: studyUid, label: 'MR1' }
  await importDicomArchive(client, await archiveOf(study()), destination)
  await finishDirectArchive(client, ref)
  expect(await filesByScan(client)).toEqual({ 1: 2, 2: 2 })
  await expect(finishDirectArchive(client, ref)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })

  await importDicomArchive(client, await archiveOf(study({ StudyInstanceUID: '2.25.7' })), {
    ...destination,
    experiment: 'MR2',
  })
  const [row] = await listDirectArchive(client)
  await deleteDirectArchive(client, row?.id ?? 0)
  expect(await listDirectArchive(client)).toEqual([])
})

it('finds a session that could not go straight into the archive in the prearchive, with the reason in its log', async () => {
  const { xnat, client } = await startWithProject()
  xnat.state.arrange({ directArchiveFails: 'moved' })
  await importDicomArchive(client, await archiveOf(study()), { ...toArchive, kind: 'direct-archive' })
  await xnat.clock.advance(5 * minuteMs)
  expect(await listDirectArchive(client)).toEqual([])
  expect(await findExperiment(client, { projectId: 'P', experiment: 'MR1' })).toBe(undefined)
  const [waiting] = await listPrearchive(client, { projectId: 'P' })
  expect(waiting).toMatchObject({ label: 'MR1', status: 'ERROR' })
  const log = waiting === undefined ? [] : await listPrearchiveLog(client, waiting)
  expect(log.map(({ entry }) => entry).join('\n')).toContain('Attempt to direct-archive failed')
})
