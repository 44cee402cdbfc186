// DICOM Query-Retrieve: requests for import, the queue, and what became of them.
import * as z from 'zod'
import { InvalidInputError } from '../errors.ts'
import { type Call, type CallOptions, jsonBody, type Query } from './call.ts'
import type { XnatClient } from './client.ts'
import { type XnatPath, xnatPath } from './path.ts'

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
    /** 1 for a request of one study, 10 otherwise; the queue runs from low to high. */
    priority: z.number().optional(),
    created: z.number().optional(),
  })
  .transform(({ xnatProject, queuedTime, executedTime, created, ...row }) => ({
    ...row,
    createdAtMs: created,
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
export async function listQueuedRequests(
  client: XnatClient,
  { all = false, ...options }: CallOptions & { all?: boolean } = {},
): Promise<QueuedRequest[]> {
  return allPages(client, xnatPath`/xapi/dqr/import/queue`, { all }, options)
}

/** How many requests the queue holds: ours, or everyone's if the account may see all data. */
export async function countQueuedRequests(
  client: XnatClient,
  { all = false, ...options }: CallOptions & { all?: boolean } = {},
): Promise<number> {
  const path = xnatPath`/xapi/dqr/import/queue/count`
  return client.json(z.int().nonnegative(), { method: 'GET', path, query: { all }, ...options })
}

/**
 * Every attempt so far, newest first; with `afterId`, those with a higher ID, reading no further back than that. Read the
 * queue first: a request moves from there to here, and is then seen twice instead of not at all.
 */
export async function listExecutedRequests(
  client: XnatClient,
  { all = false, afterId = 0, ...options }: CallOptions & { all?: boolean; afterId?: number } = {},
): Promise<ExecutedRequest[]> {
  const rows = await allPages(client, xnatPath`/xapi/dqr/import/history`, { all }, options, afterId)
  return rows.filter(({ id }) => id > afterId)
}

const pageSize = 1_000

// DQR: pages are cut by ID from a list that changes meanwhile: downwards rows may come twice, upwards they may be missed
// (D:domain/daos/AbstractPacsRequestDAO.java).
async function allPages(
  client: XnatClient,
  path: XnatPath,
  query: Query,
  options: CallOptions,
  afterId = 0,
): Promise<QueuedRequest[]> {
  const found = new Map<number, QueuedRequest>()
  for (let page = 1; ; page += 1) {
    const call: Call = { method: 'GET', path, query: { ...query, sort: 'desc', page, pageSize }, ...options }
    const rows = await client.json(z.array(RequestRow), call)
    const before = found.size
    for (const row of rows) found.set(row.id, row)
    const isPast = rows.some(({ id }) => id <= afterId)
    if (rows.length < pageSize || found.size === before || isPast) return [...found.values()]
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
