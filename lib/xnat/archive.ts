import * as z from 'zod'
import { InvalidInputError, XnatError } from '../errors.ts'
import type { CallOptions, Query } from './call.ts'
import type { XnatClient } from './client.ts'
import { type Item, ItemReply } from './item.ts'
import { type XnatPath, xnatPath } from './path.ts'
import { type EnsureOutcome, listBelow, putRecord, required } from './record-calls.ts'
import { cell, filledCell, resultSet } from './result-set.ts'

const json: Query = { format: 'json' }

const SubjectRow = z
  .object({ ID: filledCell, project: cell, label: cell, insert_date: cell, insert_user: cell })
  .transform((row) => ({
    subjectId: row.ID,
    projectId: row.project,
    subjectLabel: row.label,
    insertedAt: row.insert_date,
    insertedBy: row.insert_user,
  }))
export type SubjectSummary = z.infer<typeof SubjectRow>

/** The subjects of a project, those shared into it included; without a project, all that the account can read. */
export async function listSubjects(
  client: XnatClient,
  { projectId }: { projectId?: string } = {},
  options: CallOptions = {},
): Promise<SubjectSummary[]> {
  const path = projectId === undefined ? xnatPath`/data/subjects` : xnatPath`/data/projects/${projectId}/subjects`
  return client.json(resultSet(SubjectRow), { method: 'GET', path, query: json, ...options })
}

export interface Subject {
  subjectId: string
  subjectLabel: string | undefined
  /** The project that owns the subject: another than the one asked when it is shared. */
  projectId: string | undefined
  fields: Item['fields']
}

/** A subject of the project by label or ID, or `undefined`. */
export async function findSubject(
  client: XnatClient,
  { projectId, subject }: { projectId: string; subject: string },
  options: CallOptions = {},
): Promise<Subject | undefined> {
  return subjectAt(client, xnatPath`/data/projects/${projectId}/subjects/${subject}`, options)
}

/** A subject by its ID, whatever its project, or `undefined`. */
export async function findSubjectById(
  client: XnatClient,
  subjectId: string,
  options: CallOptions = {},
): Promise<Subject | undefined> {
  return subjectAt(client, xnatPath`/data/subjects/${subjectId}`, options)
}

async function subjectAt(client: XnatClient, path: XnatPath, options: CallOptions): Promise<Subject | undefined> {
  const item = await client.find(ItemReply, { method: 'GET', path, query: json, ...options })
  if (item === undefined) return undefined
  const { fields } = item
  const subjectId = required(item, 'ID', path)
  return { subjectId, subjectLabel: fields['label'], projectId: fields['project'], fields }
}

/** The subject with this label; a missing one is created. */
export async function ensureSubject(
  client: XnatClient,
  { projectId, subjectLabel }: { projectId: string; subjectLabel: string },
  options: CallOptions = {},
): Promise<{ kind: EnsureOutcome; subjectId: string }> {
  const found = await findSubject(client, { projectId, subject: subjectLabel }, options)
  if (found !== undefined) return { kind: 'already-there', subjectId: found.subjectId }
  const path = xnatPath`/data/projects/${projectId}/subjects/${subjectLabel}`
  const { kind, id } = await putRecord(client, { method: 'PUT', path, ...options })
  return { kind, subjectId: id }
}

const ExperimentRow = z
  .object({
    ID: filledCell,
    project: cell,
    label: cell,
    xsiType: cell,
    date: cell,
    insert_date: cell,
    subject_ID: cell,
    subject_label: cell,
  })
  .transform((row) => ({
    experimentId: row.ID,
    projectId: row.project,
    label: row.label,
    xsiType: row.xsiType,
    date: row.date,
    insertedAt: row.insert_date,
    /** Only in listings of one `xsiType` that has subjects. */
    subjectId: row.subject_ID,
    subjectLabel: row.subject_label,
  }))
export type ExperimentSummary = z.infer<typeof ExperimentRow>

export interface ExperimentFilter {
  projectId?: string
  /** Narrows the list; subject columns come with it. `xnat:imageSessionData` takes in every modality. */
  xsiType?: string
  label?: string
}

/**
 * All experiments of a project that the account can read, assessors included, in one listing; without a project, those
 * of the whole site.
 */
export async function listExperiments(
  client: XnatClient,
  { projectId, xsiType, label }: ExperimentFilter = {},
  options: CallOptions = {},
): Promise<ExperimentSummary[]> {
  for (const value of [projectId, label]) refuseOperators(value)
  // XNAT: limit and offset page without ORDER BY, so pages may repeat and miss rows (RES/QueryOrganizerResource.java).
  // Without them the whole list comes in one answer, and only then.
  const query: Query = { format: 'json', project: projectId, xsiType, label }
  const path = xnatPath`/data/experiments`
  const rows = await client.json(resultSet(ExperimentRow), { method: 'GET', path, query, isSlow: true, ...options })
  return rows.filter((row) => label === undefined || row.label === label)
}

// XNAT: "*" and "%" in a filter are wildcards, "," means or (RES/QueryOrganizerResource.java).
function refuseOperators(value: string | undefined): void {
  if (value !== undefined && !/^[\w.-]+$/.test(value)) {
    throw new InvalidInputError('XNAT cannot search for this value exactly', { code: 'FILTER_NOT_EXACT' })
  }
}

export interface Experiment {
  experimentId: string
  label: string | undefined
  /** The project that owns the experiment: another than the one asked when it is shared. */
  projectId: string | undefined
  /** Absent for assessors: they belong to a session. */
  subjectId: string | undefined
  xsiType: string
  date: string | undefined
  studyInstanceUid: string | undefined
  accessionNumber: string | undefined
  fields: Item['fields']
  children: Item['children']
}

/** An experiment of the project by label or ID, or `undefined`. */
export async function findExperiment(
  client: XnatClient,
  { projectId, experiment }: { projectId: string; experiment: string },
  options: CallOptions = {},
): Promise<Experiment | undefined> {
  return experimentAt(client, xnatPath`/data/projects/${projectId}/experiments/${experiment}`, options)
}

/** An experiment by its ID, whatever its project, or `undefined`. */
export async function findExperimentById(
  client: XnatClient,
  experimentId: string,
  options: CallOptions = {},
): Promise<Experiment | undefined> {
  return experimentAt(client, xnatPath`/data/experiments/${experimentId}`, options)
}

async function experimentAt(client: XnatClient, path: XnatPath, options: CallOptions): Promise<Experiment | undefined> {
  const item = await client.find(ItemReply, { method: 'GET', path, query: json, ...options })
  if (item === undefined) return undefined
  const { fields, children, xsiType } = item
  return {
    experimentId: required(item, 'ID', path),
    label: fields['label'],
    projectId: fields['project'],
    subjectId: fields['subject_ID'],
    xsiType,
    date: fields['date'],
    studyInstanceUid: fields['UID'],
    accessionNumber: fields['dcmAccessionNumber'],
    fields,
    children,
  }
}

/**
 * The experiment with this label; a missing one is created, and its subject with it.
 *
 * @throws {XnatError} XNAT_CONFLICT when the label belongs to another subject of the project: XNAT would move it.
 */
export async function ensureExperiment(
  client: XnatClient,
  { projectId, subjectLabel, label, xsiType }: ExperimentDescription,
  options: CallOptions = {},
): Promise<{ kind: EnsureOutcome; experimentId: string }> {
  const path = xnatPath`/data/projects/${projectId}/subjects/${subjectLabel}/experiments/${label}`
  const found = await findExperiment(client, { projectId, experiment: label }, options)
  if (found !== undefined) {
    const subject = await findSubject(client, { projectId, subject: subjectLabel }, options)
    if (subject?.subjectId === found.subjectId) return { kind: 'already-there', experimentId: found.experimentId }
    throw new XnatError({
      code: 'XNAT_CONFLICT',
      method: 'PUT',
      pathTemplate: path.template,
      detail: 'the label belongs to another subject',
      context: { experimentId: found.experimentId },
    })
  }
  const { kind, id } = await putRecord(client, { method: 'PUT', path, query: { xsiType }, ...options })
  return { kind, experimentId: id }
}

export interface ExperimentDescription {
  projectId: string
  subjectLabel: string
  label: string
  /** Such as `xnat:ctSessionData`. */
  xsiType: string
}

const ScanRow = z
  .object({ ID: filledCell, type: cell, quality: cell, xsiType: cell, note: cell, series_description: cell })
  .transform((row) => ({
    scanId: row.ID,
    type: row.type,
    quality: row.quality,
    xsiType: row.xsiType,
    note: row.note,
    seriesDescription: row.series_description,
  }))
export type ScanSummary = z.infer<typeof ScanRow>

/** @throws {XnatError} XNAT_NOT_FOUND when there is no such experiment. */
export async function listScans(
  client: XnatClient,
  { experimentId }: { experimentId: string },
  options: CallOptions = {},
): Promise<ScanSummary[]> {
  const experiment = xnatPath`/data/experiments/${experimentId}`
  const path = xnatPath`${experiment}/scans`
  return listBelow(client, [experiment], resultSet(ScanRow), { method: 'GET', path, query: json, ...options })
}

export interface Scan {
  scanId: string
  type: string | undefined
  quality: string | undefined
  xsiType: string
  seriesDescription: string | undefined
  seriesInstanceUid: string | undefined
  fields: Item['fields']
  children: Item['children']
}

export async function findScan(
  client: XnatClient,
  { experimentId, scanId }: { experimentId: string; scanId: string },
  options: CallOptions = {},
): Promise<Scan | undefined> {
  const path = xnatPath`/data/experiments/${experimentId}/scans/${scanId}`
  const item = await client.find(ItemReply, { method: 'GET', path, query: json, ...options })
  if (item === undefined) return undefined
  const { fields, children, xsiType } = item
  return {
    scanId: required(item, 'ID', path),
    type: fields['type'],
    quality: fields['quality'],
    xsiType,
    seriesDescription: fields['series_description'],
    seriesInstanceUid: fields['UID'],
    fields,
    children,
  }
}

/** Creates a scan that is known to be missing, without looking for it. */
export async function createScan(
  client: XnatClient,
  { experimentId, scanId, xsiType }: { experimentId: string; scanId: string; xsiType: string },
  options: CallOptions = {},
): Promise<void> {
  const path = xnatPath`/data/experiments/${experimentId}/scans/${scanId}`
  await client.send({ method: 'PUT', path, query: { xsiType }, ...options })
}

/**
 * The scan with this ID; a missing one is created.
 *
 * @throws {XnatError} XNAT_CONFLICT when the scan is there with another type. XNAT_NOT_FOUND without its experiment.
 */
export async function ensureScan(
  client: XnatClient,
  { experimentId, scanId, xsiType }: { experimentId: string; scanId: string; xsiType: string },
  options: CallOptions = {},
): Promise<{ kind: EnsureOutcome }> {
  const path = xnatPath`/data/experiments/${experimentId}/scans/${scanId}`
  const found = (await listScans(client, { experimentId }, options)).find((scan) => scan.scanId === scanId)
  if (found === undefined) {
    await createScan(client, { experimentId, scanId, xsiType }, options)
    return { kind: 'created' }
  }
  if (found.xsiType === xsiType) return { kind: 'already-there' }
  throw new XnatError({
    code: 'XNAT_CONFLICT',
    method: 'PUT',
    pathTemplate: path.template,
    detail: 'the scan is of another type',
    context: { experimentId },
  })
}
