// DICOM Query-Retrieve: what the plug-in in the 2.x line answers, with the keys of 3.x where they are known.
import * as z from 'zod'
import { InvalidInputError } from '../errors.ts'
import { type Call, type CallOptions, jsonBody, type Query } from './call.ts'
import type { XnatClient } from './client.ts'
import { type XnatPath, xnatPath } from './path.ts'
import { detailOf } from './reply.ts'

const Pacs = z
  .object({
    id: z.number(),
    aeTitle: z.string(),
    label: z.string().optional(),
    host: z.string().optional(),
    queryRetrievePort: z.number().optional(),
    queryable: z.boolean().optional(),
    storable: z.boolean().optional(),
    defaultQueryRetrievePacs: z.boolean().optional(),
    dicomWebEnabled: z.boolean().optional(),
  })
  .transform(({ id, queryable, storable, defaultQueryRetrievePacs, dicomWebEnabled, ...pacs }) => ({
    pacsId: id,
    ...pacs,
    isQueryable: queryable ?? false,
    isStorable: storable ?? false,
    isDefault: defaultQueryRetrievePacs ?? false,
    isDicomWeb: dicomWebEnabled ?? false,
  }))
export type Pacs = z.infer<typeof Pacs>

export function listPacs(client: XnatClient, options: CallOptions = {}): Promise<Pacs[]> {
  return client.json(z.array(Pacs), { method: 'GET', path: xnatPath`/xapi/pacs`, ...options })
}

const Ping = z.object({ successful: z.boolean() })

/**
 * Whether the PACS answers XNAT now.
 *
 * @throws {XnatError} XNAT_NOT_FOUND for a PACS that XNAT does not know.
 */
export async function pingPacs(client: XnatClient, pacsId: number, options: CallOptions = {}): Promise<boolean> {
  const path = xnatPath`/xapi/pacs/${pacsId}/status`
  return (await client.json(Ping, { method: 'GET', path, isSlow: true, ...options })).successful
}

export interface StudyCriteria {
  /** The default PACS when absent. */
  pacsId?: number
  accessionNumber?: string
  studyInstanceUid?: string
  patientId?: string
  modality?: string
  /** `yyyyMMdd` each. */
  studyDates?: { start: string; end: string }
}

const PacsStudyReply = z
  .object({
    studyInstanceUid: z.string(),
    studyId: z.string().optional(),
    studyDescription: z.string().optional(),
    accessionNumber: z.string().optional(),
    studyDate: z.string().optional(),
    modalitiesInStudy: z.array(z.string()).optional(),
  })
  .transform(({ modalitiesInStudy, ...study }) => ({ ...study, modalities: modalitiesInStudy ?? [] }))
/** A study as the PACS describes it. The patient is left out on purpose. */
export type PacsStudy = z.infer<typeof PacsStudyReply>

// DQR: a find over DIMSE is cut off at 500 studies without a word (D:dicom/converters, A4).
const mostStudies = 500

export type StudyQueryOutcome =
  /** `isCut`: there may be more. */
  { kind: 'answered'; studies: PacsStudy[]; isCut: boolean } | { kind: 'pacs-unavailable'; detail: string | undefined }

/**
 * Asks a PACS for studies.
 *
 * @throws {XnatError} XNAT_NOT_FOUND, XNAT_CONFLICT when XNAT does not know the PACS or may not query it.
 */
export async function queryStudies(
  client: XnatClient,
  criteria: StudyCriteria,
  options: CallOptions = {},
): Promise<StudyQueryOutcome> {
  const { studyDates, ...rest } = criteria
  const body = jsonBody({ ...rest, studyDateRange: studyDates })
  const path = xnatPath`/xapi/dqr/query/studies`
  const call: Call = { method: 'POST', path, body, idempotent: true, accept: [400], isSlow: true, ...options }
  const reply = await client.send(call)
  // DQR: a PACS that cannot be reached is 400 with these words, no study at all is 204
  // (D:services/impl/DimsePacsClientService.java).
  if (reply.status === 400) {
    if (!/DQR run-time exception/i.test(reply.text)) throw client.errorFrom(call, reply)
    return { kind: 'pacs-unavailable', detail: detailOf(reply.text) }
  }
  const studies = reply.status === 204 ? [] : client.parse(z.array(PacsStudyReply), call, reply)
  return { kind: 'answered', studies, isCut: studies.length >= mostStudies }
}

const RequestRow = z
  .object({
    id: z.number(),
    pacsId: z.number().optional(),
    xnatProject: z.string().optional(),
    requestId: z.string().optional(),
    studyInstanceUid: z.string(),
    accessionNumber: z.string().optional(),
    status: z.string(),
    queuedTime: z.number().optional(),
    executedTime: z.number().optional(),
    retries: z.number().optional(),
    errorMessage: z.string().optional(),
  })
  .transform(({ xnatProject, queuedTime, executedTime, ...row }) => ({
    ...row,
    projectId: xnatProject,
    queuedAtMs: queuedTime,
    executedAtMs: executedTime,
  }))
/** A study waiting to be retrieved: `QUEUED`, `PROCESSING`, between tries `FAILED`. */
export type QueuedRequest = z.infer<typeof RequestRow>
/** One attempt to retrieve a study: `ISSUED`, `RECEIVED` (its first file came), `FAILED`. Its ID is of its own kind. */
export type ExecutedRequest = z.infer<typeof RequestRow>

export interface StudyImport {
  studyInstanceUid: string
  /** Replaces PatientName and PatientID, so the subject's label. */
  subjectLabel?: string
  /** Replaces StudyID and AccessionNumber, so the session's label. */
  sessionLabel?: string
}

export interface ImportRequest {
  pacsId: number
  /** XNAT's own receiver. */
  receiver: { aeTitle: string; port?: number }
  projectId: string
  /** Comes back on every row of queue and history: the one thing that ties them together. */
  requestId: string
  studies: readonly StudyImport[]
  /** Skip XNAT's check that the receiver can relabel. */
  force?: boolean
}

/**
 * Queues studies for retrieval and answers with the rows XNAT made. A study that is missing from them was not found in
 * the PACS, or its query failed: XNAT does not say. It compares with nothing, so asking twice retrieves twice.
 *
 * @throws {XnatError} XNAT_NOT_FOUND or XNAT_FORBIDDEN when the project may not use DQR.
 */
export async function requestImport(
  client: XnatClient,
  request: ImportRequest,
  options: CallOptions = {},
): Promise<QueuedRequest[]> {
  const { pacsId, receiver, projectId, requestId, studies, force = false } = request
  const uids = new Set(studies.map((study) => study.studyInstanceUid))
  // DQR: the same study twice in one request is a 500 (D:dto/PacsImportRequest.java).
  if (uids.size !== studies.length || studies.length === 0) {
    throw new InvalidInputError('An import names at least one study, and each once')
  }
  const body = jsonBody({
    pacsId,
    aeTitle: receiver.aeTitle,
    port: receiver.port,
    projectId,
    requestId,
    forceImport: force,
    studies: studies.map((study) => ({ studyInstanceUid: study.studyInstanceUid, relabelMap: relabelMap(study) })),
  })
  const path = xnatPath`/xapi/dqr/import`
  return client.json(z.array(RequestRow), { method: 'POST', path, body, isSlow: true, ...options })
}

// DQR: values go unescaped into a script, one to a line (D:services/impl/basic/BasicDicomQueryRetrieveService.java).
function relabelMap({ subjectLabel, sessionLabel }: StudyImport): Record<string, string> {
  const labels = { Subject: subjectLabel, Session: sessionLabel }
  return Object.fromEntries(
    Object.entries(labels).flatMap(([key, value]) => {
      if (value === undefined) return []
      if (!/^[\w .-]+$/.test(value)) throw new InvalidInputError('A label cannot be written into a relabelling script')
      return [[key, value]]
    }),
  )
}

/** What the queue holds: our own requests, or everyone's if the account may see all data. */
export function listQueuedRequests(
  client: XnatClient,
  { all = false, ...options }: CallOptions & { all?: boolean } = {},
): Promise<QueuedRequest[]> {
  return allPages(client, xnatPath`/xapi/dqr/import/queue`, { all }, options)
}

/**
 * Every attempt so far. Read the queue first: a request moves from there to here, and is then seen twice instead of
 * not at all.
 */
export function listExecutedRequests(
  client: XnatClient,
  { all = false, ...options }: CallOptions & { all?: boolean } = {},
): Promise<ExecutedRequest[]> {
  return allPages(client, xnatPath`/xapi/dqr/import/history`, { all }, options)
}

const pageSize = 1_000

// DQR: pages are cut by ID from a list that changes meanwhile: downwards rows may come twice, upwards they may be missed
// (D:domain/daos/AbstractPacsRequestDAO.java).
async function allPages(
  client: XnatClient,
  path: XnatPath,
  query: Query,
  options: CallOptions,
): Promise<QueuedRequest[]> {
  const found = new Map<number, QueuedRequest>()
  for (let page = 1; ; page += 1) {
    const call: Call = { method: 'GET', path, query: { ...query, sort: 'desc', page, pageSize }, ...options }
    const rows = await client.json(z.array(RequestRow), call)
    const before = found.size
    for (const row of rows) found.set(row.id, row)
    if (rows.length < pageSize || found.size === before) return [...found.values()]
  }
}

/** Takes a request out of the queue. One that is being retrieved is retrieved to its end all the same. */
export async function deleteQueuedRequest(
  client: XnatClient,
  queuedRequestId: number,
  options: CallOptions = {},
): Promise<{ kind: 'deleted' } | { kind: 'not-there' }> {
  const path = xnatPath`/xapi/dqr/import/queue/${queuedRequestId}`
  const { status } = await client.send({ method: 'DELETE', path, accept: [404], ...options })
  return { kind: status === 404 ? 'not-there' : 'deleted' }
}

const ProjectSettings = z.object({ dqrEnabled: z.boolean() })

/** Whether a project may import by DQR; one without settings may not. Administrators only. */
export async function isDqrEnabled(client: XnatClient, projectId: string, options: CallOptions = {}): Promise<boolean> {
  const path = xnatPath`/xapi/dqr/settings/project/${projectId}`
  return (await client.find(ProjectSettings, { method: 'GET', path, ...options }))?.dqrEnabled ?? false
}

/** @throws {XnatError} XNAT_NOT_FOUND when there is no such project. */
export async function setDqrEnabled(
  client: XnatClient,
  { projectId, enabled }: { projectId: string; enabled: boolean },
  options: CallOptions = {},
): Promise<void> {
  // DQR: asked with "enabled", answered with "dqrEnabled"; 304 when it was so before
  // (D:services/impl/hibernate/HibernateDqrProjectSettingsService.java).
  const path = xnatPath`/xapi/dqr/settings/project/${projectId}`
  await client.send({ method: 'PUT', path, body: jsonBody({ enabled }), accept: [304], ...options })
}
