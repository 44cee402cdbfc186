import { expect, it } from 'vitest'
import {
  ensureExperiment,
  ensureScan,
  ensureSubject,
  findExperiment,
  findExperimentById,
  findScan,
  findSubject,
  findSubjectById,
  listExperiments,
  listScans,
  listSubjects,
} from '../../lib/xnat/archive.ts'
import { ensureAssessor, listAssessors } from '../../lib/xnat/assessors.ts'
import { createProject, setMember } from '../../lib/xnat/projects.ts'
import { deleteRecord, renameRecord, setFields, shareRecord, unshareRecord } from '../../lib/xnat/records.ts'
import { clientOf, misbehaveNext, startStandIn, startWithSession } from './stand-in.ts'

it('creates a subject once and answers with its accession ID each time', async () => {
  const { client } = await startStandIn()
  await createProject(client, { projectId: 'P' })
  const first = await ensureSubject(client, { projectId: 'P', subjectLabel: 'S1' })
  expect(first).toEqual({ kind: 'created', subjectId: 'XNAT_S00001' })
  const second = await ensureSubject(client, { projectId: 'P', subjectLabel: 'S1' })
  expect(second).toEqual({ kind: 'already-there', subjectId: 'XNAT_S00001' })
  expect(await listSubjects(client, { projectId: 'P' })).toMatchObject([
    { subjectId: 'XNAT_S00001', subjectLabel: 'S1', projectId: 'P' },
  ])
  expect(await findSubject(client, { projectId: 'P', subject: 'S2' })).toBe(undefined)
  expect(await findSubjectById(client, 'XNAT_S00001')).toMatchObject({ subjectLabel: 'S1', projectId: 'P' })
  expect(await findSubjectById(client, 'XNAT_S00002')).toBe(undefined)
})

it('lists the subjects and experiments of all projects', async () => {
  const { client, experimentId } = await startWithSession()
  await createProject(client, { projectId: 'P2' })
  await ensureExperiment(client, { projectId: 'P2', subjectLabel: 'S', label: 'CT1', xsiType: 'xnat:ctSessionData' })
  expect((await listSubjects(client)).map(({ projectId }) => projectId).sort()).toEqual(['P', 'P2'])
  expect((await listExperiments(client)).map(({ projectId }) => projectId).sort()).toEqual(['P', 'P2'])
  expect(await listExperiments(client, { xsiType: 'xnat:mrSessionData' })).toMatchObject([{ experimentId }])
})

it('creates an experiment with its subject, and finds it by label and by ID', async () => {
  const { client, experimentId } = await startWithSession()
  const expected = {
    experimentId,
    label: 'MR1',
    projectId: 'P',
    subjectId: 'XNAT_S00001',
    xsiType: 'xnat:mrSessionData',
  }
  expect(await findExperiment(client, { projectId: 'P', experiment: 'MR1' })).toMatchObject(expected)
  expect(await findExperiment(client, { projectId: 'P', experiment: experimentId })).toMatchObject(expected)
  expect(await findExperimentById(client, experimentId)).toMatchObject(expected)
  expect(await findExperiment(client, { projectId: 'P', experiment: 'MR2' })).toBe(undefined)
  expect(await findExperiment(client, { projectId: 'P2', experiment: 'MR1' })).toBe(undefined)
})

it('leaves an experiment that is there as it is', async () => {
  const { client, experimentId } = await startWithSession()
  const again = { projectId: 'P', subjectLabel: 'S1', label: 'MR1', xsiType: 'xnat:mrSessionData' }
  expect(await ensureExperiment(client, again)).toEqual({ kind: 'already-there', experimentId })
})

it('does not let XNAT move an experiment to another subject', async () => {
  const { client, experimentId } = await startWithSession()
  await ensureSubject(client, { projectId: 'P', subjectLabel: 'S2' })
  for (const subjectLabel of ['S2', 'S3']) {
    const other = { projectId: 'P', subjectLabel, label: 'MR1', xsiType: 'xnat:mrSessionData' }
    await expect(ensureExperiment(client, other)).rejects.toMatchObject({
      code: 'XNAT_CONFLICT',
      context: { experimentId },
    })
  }
  expect((await findExperimentById(client, experimentId))?.subjectId).toBe('XNAT_S00001')
})

it('creates an experiment in a project that is not there for nobody', async () => {
  const { client } = await startStandIn()
  const session = { projectId: 'NONE', subjectLabel: 'S1', label: 'MR1', xsiType: 'xnat:mrSessionData' }
  await expect(ensureExperiment(client, session)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
})

it("lists a project's experiments in one request, and no other project's", async () => {
  const { xnat, client } = await startWithSession()
  await createProject(client, { projectId: 'P2' })
  await ensureExperiment(client, { projectId: 'P2', subjectLabel: 'S', label: 'CT1', xsiType: 'xnat:ctSessionData' })
  for (let n = 2; n <= 150; n += 1) {
    await ensureExperiment(client, {
      projectId: 'P',
      subjectLabel: 'S1',
      label: `MR${n}`,
      xsiType: 'xnat:mrSessionData',
    })
  }
  xnat.requests.clear()
  const listed = await listExperiments(client, { projectId: 'P' })
  expect(listed).toHaveLength(150)
  expect(new Set(listed.map(({ projectId }) => projectId))).toEqual(new Set(['P']))
  expect(xnat.requests.count()).toBe(1)
})

it('lists experiments by type and label, with their subjects', async () => {
  const { client, experimentId } = await startWithSession()
  await ensureExperiment(client, { projectId: 'P', subjectLabel: 'S1', label: 'CT1', xsiType: 'xnat:ctSessionData' })
  expect(await listExperiments(client, { projectId: 'P', xsiType: 'xnat:mrSessionData' })).toMatchObject([
    { experimentId, label: 'MR1', subjectId: 'XNAT_S00001', subjectLabel: 'S1' },
  ])
  expect(await listExperiments(client, { projectId: 'P', label: 'CT1' })).toMatchObject([{ label: 'CT1' }])
})

it.each(['*', 'P,Q', 'P%'])('does not list experiments of %j, which would be several projects', async (projectId) => {
  const { client } = await startStandIn()
  await expect(listExperiments(client, { projectId })).rejects.toMatchObject({ code: 'FILTER_NOT_EXACT' })
})

it('creates a scan once', async () => {
  const { client, experimentId } = await startWithSession()
  const scan = { experimentId, scanId: '2', xsiType: 'xnat:mrScanData' }
  expect(await ensureScan(client, scan)).toEqual({ kind: 'created' })
  expect(await ensureScan(client, scan)).toEqual({ kind: 'already-there' })
  expect((await listScans(client, { experimentId })).map(({ scanId }) => scanId)).toEqual(['1', '2'])
  expect(await findScan(client, scan)).toMatchObject({ scanId: '2', xsiType: 'xnat:mrScanData' })
  expect(await findScan(client, { experimentId, scanId: '3' })).toBe(undefined)
})

it('does not pass a scan of another type for the one asked for', async () => {
  const { client, experimentId } = await startWithSession()
  const scan = { experimentId, scanId: '1', xsiType: 'xnat:ctScanData' }
  await expect(ensureScan(client, scan)).rejects.toMatchObject({ code: 'XNAT_CONFLICT' })
})

it('says that an experiment is missing where XNAT fails with 500 (data-api 0.8)', async () => {
  const { client } = await startWithSession()
  const missing = { experimentId: 'XNAT_E99999' }
  const scan = { ...missing, scanId: '1', xsiType: 'xnat:mrScanData' }
  const assessor = { ...missing, label: 'QC', xsiType: 'xnat:qcManualAssessorData' }
  const notFound = { code: 'XNAT_NOT_FOUND' }
  await expect(listScans(client, missing)).rejects.toMatchObject(notFound)
  await expect(ensureScan(client, scan)).rejects.toMatchObject(notFound)
  await expect(listAssessors(client, missing)).rejects.toMatchObject(notFound)
  await expect(ensureAssessor(client, assessor)).rejects.toMatchObject(notFound)
})

it('lists scans again after a 500 that was not about a missing experiment', async () => {
  const { xnat, client, experimentId } = await startWithSession()
  misbehaveNext(xnat, 'status', { when: { path: /scans/ }, status: 500 })
  expect(await listScans(client, { experimentId })).toHaveLength(1)
})

it('creates an assessor once', async () => {
  const { client, experimentId } = await startWithSession()
  const assessor = { experimentId, label: 'QC1', xsiType: 'xnat:qcManualAssessorData' }
  const { kind, assessorId } = await ensureAssessor(client, assessor)
  expect(kind).toBe('created')
  expect(await ensureAssessor(client, assessor)).toEqual({ kind: 'already-there', assessorId })
  expect(await listAssessors(client, { experimentId })).toMatchObject([
    { assessorId, label: 'QC1', xsiType: 'xnat:qcManualAssessorData' },
  ])
})

it('deletes scans, experiments and subjects, and tells what was not there', async () => {
  const { client, experimentId } = await startWithSession()
  const records = [
    { kind: 'scan', experimentId, scanId: '1' },
    { kind: 'experiment', experimentId },
    { kind: 'subject', projectId: 'P', subject: 'S1' },
  ] as const
  for (const record of records) {
    expect(await deleteRecord(client, record, { removeFiles: true })).toEqual({ kind: 'deleted' })
    expect(await deleteRecord(client, record)).toEqual({ kind: 'not-there' })
  }
  expect(await findSubject(client, { projectId: 'P', subject: 'S1' })).toBe(undefined)
})

it('is not allowed to delete as a member (data-api 0.9)', async () => {
  const { xnat, client, experimentId } = await startWithSession()
  xnat.state.addUser({ username: 'mia' })
  await setMember(client, { projectId: 'P', role: 'member', login: 'mia' })
  const mia = clientOf(xnat, { user: 'mia' })
  await expect(deleteRecord(mia, { kind: 'experiment', experimentId })).rejects.toMatchObject({
    code: 'XNAT_FORBIDDEN',
  })
})

it('shares a record into another project and takes it out again', async () => {
  const { client, experimentId } = await startWithSession()
  await createProject(client, { projectId: 'P2' })
  const subject = { kind: 'subject', projectId: 'P', subject: 'S1' } as const
  const experiment = { kind: 'experiment', projectId: 'P', subject: 'S1', experiment: 'MR1' } as const
  for (const record of [subject, experiment]) {
    expect(await shareRecord(client, record, { projectId: 'P2' })).toEqual({ kind: 'shared' })
    expect(await shareRecord(client, record, { projectId: 'P2' })).toEqual({ kind: 'already-there' })
  }
  expect(await findExperiment(client, { projectId: 'P2', experiment: 'MR1' })).toMatchObject({
    experimentId,
    projectId: 'P',
  })
  await ensureSubject(client, { projectId: 'P', subjectLabel: 'S2' })
  const other = { kind: 'subject', projectId: 'P', subject: 'S2' } as const
  await expect(shareRecord(client, other, { projectId: 'P2', label: 'S1' })).rejects.toMatchObject({
    code: 'XNAT_CONFLICT',
  })
  await unshareRecord(client, experiment, { projectId: 'P2' })
  expect(await findExperiment(client, { projectId: 'P2', experiment: 'MR1' })).toBe(undefined)
})

it('sets fields of records that are there, and creates none', async () => {
  const { client, experimentId } = await startWithSession()
  await setFields(client, { kind: 'scan', experimentId, scanId: '1' }, { quality: 'usable', note: 'a & b' })
  expect((await findScan(client, { experimentId, scanId: '1' }))?.quality).toBe('usable')
  await setFields(client, { kind: 'subject', projectId: 'P', subject: 'S1' }, { group: 'control' })
  expect((await findSubject(client, { projectId: 'P', subject: 'S1' }))?.fields['group']).toBe('control')
  const missing = setFields(client, { kind: 'subject', projectId: 'P', subject: 'S9' }, { group: 'control' })
  await expect(missing).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
  expect(await listSubjects(client, { projectId: 'P' })).toHaveLength(1)
})

it.each(['label', 'method', 'format', 'event_reason', '_lock'])('does not take %s for a field', async (name) => {
  const { client, experimentId } = await startWithSession()
  const call = setFields(client, { kind: 'experiment', experimentId }, { [name]: 'x' })
  await expect(call).rejects.toMatchObject({ code: 'FIELD_NAME_RESERVED' })
})

it('renames an experiment, unless the label is taken', async () => {
  const { client, experimentId } = await startWithSession()
  const record = { kind: 'experiment', projectId: 'P', subject: 'S1', experiment: 'MR1' } as const
  await ensureExperiment(client, { projectId: 'P', subjectLabel: 'S1', label: 'MR2', xsiType: 'xnat:mrSessionData' })
  await expect(renameRecord(client, record, { label: 'MR2' })).rejects.toMatchObject({ code: 'XNAT_CONFLICT' })
  await renameRecord(client, record, { label: 'MR3' })
  expect((await findExperimentById(client, experimentId))?.label).toBe('MR3')
})
