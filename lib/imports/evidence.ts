// What XNAT shows of a project's imports, by REST alone: sessions, what is on its way to them, and DQR's queue and
// history.
import { XnatError } from '../errors.ts'
import { listExperiments } from '../xnat/archive.ts'
import type { XnatClient } from '../xnat/client.ts'
import { type DirectArchiveSession, listDirectArchive } from '../xnat/direct-archive.ts'
import {
  type ExecutedRequest,
  listExecutedRequests,
  listQueuedRequests,
  type QueuedRequest,
} from '../xnat/dqr-import.ts'
import { listPrearchive, type PrearchiveSession } from '../xnat/prearchive.ts'

export interface Evidence {
  /** Experiment IDs by label. */
  sessions: ReadonlyMap<string, string>
  /** Requests of the project that DQR holds. */
  queue: readonly QueuedRequest[]
  /** Attempts of the project since `readHistoryAfter`, newest first. */
  history: readonly ExecutedRequest[]
  directArchive: readonly DirectArchiveSession[]
  /** The project's, and those that XNAT could not tell a project of. */
  prearchive: readonly PrearchiveSession[]
  /** Requests of all projects that DQR holds. */
  outstanding: number
  /** When DQR last began a retrieve, for whatever project; 0 when that is not among what was read. */
  lastRetrieveAtMs: number
  /** Rows up to this ID will not change any more: the next reading may start after it. */
  historyReadTo: number
}

/** XNAT: where sessions lie whose project it could not tell. */
export const unassigned = 'Unassigned'

/** Seven requests, and one more for each thousand rows of DQR's queue and history. */
export async function readEvidence(
  { xnat, signal }: { xnat: XnatClient; signal: AbortSignal },
  projectId: string,
  { readHistoryAfter, nowMs }: { readHistoryAfter: number; nowMs: number },
): Promise<Evidence> {
  const options = { signal }
  const readDqr = async () => {
    // DQR: a request moves from the queue to the history, so the queue is read first.
    const queue = await noneWithoutDqr(listQueuedRequests(xnat, { all: true, ...options }))
    const history = await noneWithoutDqr(
      listExecutedRequests(xnat, { all: true, afterId: readHistoryAfter, ...options }),
    )
    return { queue, history }
  }
  const [{ queue, history }, experiments, directArchive, waiting, unassignedWaiting] = await Promise.all([
    readDqr(),
    listExperiments(xnat, { projectId }, options),
    listDirectArchive(xnat, { projectId }, options),
    listPrearchive(xnat, { projectId }, options).catch(asForbidden),
    // XNAT: only who may see all data is shown these.
    noneWithoutDqr(listPrearchive(xnat, { projectId: unassigned }, options)),
  ])
  const isOurs = (row: { projectId: string | undefined }) => row.projectId === projectId
  return {
    sessions: new Map(
      experiments.flatMap(({ label, experimentId }) => (label === undefined ? [] : [[label, experimentId]])),
    ),
    queue: queue.filter(isOurs),
    history: history.filter(isOurs),
    directArchive,
    prearchive: [...waiting, ...unassignedWaiting],
    outstanding: queue.length,
    lastRetrieveAtMs: Math.max(0, ...history.slice(0, 1).map(({ executedAtMs = 0 }) => executedAtMs)),
    historyReadTo: readTo(history, queue, { readHistoryAfter, nowMs }),
  }
}

// DQR: a row may turn from ISSUED to RECEIVED for an hour, and to FAILED for as long as its retrieve goes on
// (xnat/dqr-containers-events A7).
const changesForMs = 65 * 60_000

function readTo(
  history: readonly ExecutedRequest[],
  queue: readonly QueuedRequest[],
  { readHistoryAfter, nowMs }: { readHistoryAfter: number; nowMs: number },
): number {
  const nameOf = (row: QueuedRequest) => `${row.requestId} ${row.studyInstanceUid}`
  const retrieving = new Set(queue.filter(({ status }) => status === 'PROCESSING').map(nameOf))
  const newestAtMs = history[0]?.executedAtMs ?? 0
  const finalBeforeMs = Math.min(nowMs, newestAtMs) - changesForMs
  const open = history.filter((row) => (row.executedAtMs ?? newestAtMs) >= finalBeforeMs || retrieving.has(nameOf(row)))
  const firstOpen = open.at(-1)?.id
  if (firstOpen !== undefined) return Math.max(readHistoryAfter, firstOpen - 1)
  return history[0]?.id ?? readHistoryAfter
}

/** An XNAT without the DQR plug-in has no such path, and nothing that waits. */
async function noneWithoutDqr<T>(rows: Promise<T[]>): Promise<T[]> {
  try {
    return await rows
  } catch (error) {
    if (error instanceof XnatError && error.code === 'XNAT_NOT_FOUND') return []
    throw error
  }
}

// XNAT: 404 to an account that may not edit the project; whether there is one was asked before.
function asForbidden(error: unknown): never {
  if (!(error instanceof XnatError) || error.code !== 'XNAT_NOT_FOUND') throw error
  const { method, pathTemplate, status } = error
  throw new XnatError({ code: 'XNAT_FORBIDDEN', method, pathTemplate, status, cause: error })
}
