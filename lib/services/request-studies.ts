// Orders of the planner -> questions to the PACS and import requests to DQR, and word back of what became of them.
import type { Queue } from '../aws/queue.ts'
import { XnatError } from '../errors.ts'
import { sessionLabelOf } from '../imports/accession-numbers.ts'
import { chooseStudies, labelStudies, type StudyChoice } from '../imports/choose-study.ts'
import { type FindLimits, type FindSlots, findSlots } from '../imports/find-limits.ts'
import {
  maxStudiesPerOrder,
  type Outcome,
  type OutcomeCode,
  reportOutcomes,
  type StudiesOrder,
} from '../imports/messages.ts'
import { parts } from '../in-parts.ts'
import type { Logger } from '../log.ts'
import type { XnatClient } from '../xnat/client.ts'
import { pingPacs, queryStudies } from '../xnat/dqr.ts'
import {
  listExecutedRequests,
  listQueuedRequests,
  type QueuedRequest,
  requestImport,
  type StudyImport,
} from '../xnat/dqr-import.ts'
import { findProject } from '../xnat/projects.ts'

export interface RequestDeps {
  xnat: XnatClient
  /** The planner's queue. */
  imports: Queue
  log: Logger
  signal: AbortSignal
  imaging: { receiver: { aeTitle: string; port: number } }
  asking: FindLimits & { studyChoice: StudyChoice }
  now?: () => Date
}

export interface FailedOrder {
  index: number
  error: unknown
}

/**
 * Asks the PACS for each accession number of the orders, once, has XNAT import what was found, in one request for each
 * order, and tells the planner what became of every number. Returns the orders that it could not bring to an end.
 *
 * Safe to repeat: what DQR already holds under the order's `requestId` is neither asked for nor requested again. Where
 * the PACS falls silent, the rest of the order goes back to the planner unharmed.
 */
export async function requestStudies(deps: RequestDeps, orders: readonly StudiesOrder[]): Promise<FailedOrder[]> {
  const tools = { slots: findSlots(deps.asking, deps.signal), earlier: earlierRequests(deps, orders) }
  const runs = new Map<string, Promise<void>>()
  const begin = async (some: readonly StudiesOrder[]) => {
    const asked = some.map((order) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const run = carryOut(deps, order, { ...tools, onAsked: resolve })
      runs.set(order.requestId, run)
      return Promise.race([promise, run.catch(() => undefined)])
    })
    await Promise.all(asked)
  }
  // A planner that died may have sent an order twice.
  const distinct = [...new Map(orders.map((order) => [order.requestId, order])).values()]
  // Import requests last long. Those that do not fill a round of slots come first, with the questions of the other orders
  // beside them: at the end they would keep slots idle.
  const ahead = distinct.length % deps.asking.concurrency
  await begin(distinct.slice(0, ahead))
  await begin(distinct.slice(ahead))
  const results = await Promise.allSettled(orders.map(({ requestId }) => runs.get(requestId)))
  return results.flatMap((result, index) => (result.status === 'rejected' ? [{ index, error: result.reason }] : []))
}

/** The requests that DQR held or holds since the orders were made, oldest first. Read once, and for all orders. */
function earlierRequests({ xnat, signal }: RequestDeps, orders: readonly StudiesOrder[]) {
  const afterId = Math.min(...orders.map(({ historyReadTo }) => historyReadTo))
  const read = async (): Promise<QueuedRequest[]> => {
    // DQR: a request moves from the queue to the history, so the queue is read first.
    const queue = await listQueuedRequests(xnat, { all: true, signal })
    const history = await listExecutedRequests(xnat, { all: true, afterId, signal })
    return [...history.toReversed(), ...queue.toReversed()]
  }
  let reading: Promise<QueuedRequest[]> | undefined
  return () => {
    reading ??= read()
    return reading
  }
}

interface Tools {
  slots: FindSlots
  earlier: () => Promise<readonly QueuedRequest[]>
  /** Called when all that is left is to request and to report. */
  onAsked: () => void
}

async function carryOut(deps: RequestDeps, order: StudiesOrder, { slots, earlier, onAsked }: Tools): Promise<void> {
  const dropped = await whyDropped(deps, order)
  const known = (await earlier()).filter(({ requestId }) => requestId === order.requestId)
  const pacs = { isSilent: false }
  const answers = await Promise.all(
    order.wanted.map(async (wanted): Promise<Answer> => {
      const held = heldAnswer(wanted, known)
      // One run before may have died between its request and its word of it.
      if (held !== undefined && (dropped !== undefined || deps.asking.studyChoice !== 'all')) return held
      if (dropped !== undefined) return { wanted, code: dropped, studies: [], imports: [] }
      const asked = await askFor(deps, order, wanted, { slots, known, pacs })
      return asked.code === 'PACS_UNREACHABLE' ? (held ?? asked) : asked
    }),
  )
  const requesting = requestAll(deps, order, answers, { slots, pacs })
  onAsked()
  const outcomes = await requesting
  await reportOutcomes(deps.imports, order, outcomes)
  deps.log.info('studies requested', {
    projectId: order.projectId,
    studies: outcomes.length,
    requested: outcomes.filter(({ code }) => code === 'REQUESTED').length,
  })
}

async function whyDropped(
  { xnat, signal, now = () => new Date() }: RequestDeps,
  { projectId, expiresAtMs }: StudiesOrder,
): Promise<OutcomeCode | undefined> {
  if (now().getTime() > expiresAtMs) return 'LEASE_EXPIRED'
  // DQR may take requests for a project that is gone. Their studies would lie in the prearchive with no project.
  return (await findProject(xnat, projectId, { signal })) === undefined ? 'IMPORT_REFUSED' : undefined
}

type Wanted = StudiesOrder['wanted'][number]

interface Answer {
  wanted: Wanted
  /** What the PACS said, when that is the end of it. */
  code?: OutcomeCode
  /** Its studies as UID and label; those to be imported among them. */
  studies: [uid: string, label: string][]
  imports: StudyImport[]
}

/** What DQR has of an earlier run at the same order. */
function heldAnswer(wanted: Wanted, known: readonly QueuedRequest[]): Answer | undefined {
  const { accessionNumber, known: labels = [], settled = [] } = wanted
  const held = known.filter((row) => row.accessionNumber === accessionNumber)
  if (held.length === 0) return undefined
  const uids = [...new Set([...settled, ...held.map(({ studyInstanceUid }) => studyInstanceUid)])]
  return { wanted, studies: labelStudies(sessionLabelOf(accessionNumber), uids, labels), imports: [] }
}

async function askFor(
  deps: RequestDeps,
  order: StudiesOrder,
  wanted: Wanted,
  { slots, known, pacs }: { slots: FindSlots; known: readonly QueuedRequest[]; pacs: { isSilent: boolean } },
): Promise<Answer> {
  const { accessionNumber, known: labels = [], settled = [] } = wanted
  const isDone = new Set([...settled, ...known.map(({ studyInstanceUid }) => studyInstanceUid)])
  const found = await find(deps, order, accessionNumber, slots, pacs)
  if (found.kind === 'none') return { wanted, code: found.code, studies: [], imports: [] }
  const studies = labelStudies(sessionLabelOf(accessionNumber), found.studyInstanceUids, labels)
  const imports = studies
    .filter(([uid]) => !isDone.has(uid))
    .map(([studyInstanceUid, sessionLabel]) => ({ studyInstanceUid, sessionLabel, subjectLabel: wanted.subjectLabel }))
  return { wanted, studies, imports }
}

type Found = { kind: 'chosen'; studyInstanceUids: string[] } | { kind: 'none'; code: OutcomeCode }

async function find(
  { xnat, signal, asking }: RequestDeps,
  { pacsId }: StudiesOrder,
  accessionNumber: string,
  slots: FindSlots,
  pacs: { isSilent: boolean },
): Promise<Found> {
  const unreachable: Found = { kind: 'none', code: 'PACS_UNREACHABLE' }
  return slots.find(async () => {
    if (pacs.isSilent) return unreachable
    try {
      const outcome = await queryStudies(xnat, { pacsId, accessionNumber }, { signal })
      if (outcome.kind === 'answered') return chooseStudies(asking.studyChoice, accessionNumber, outcome)
      pacs.isSilent = true
      return unreachable
    } catch (error) {
      if (!(error instanceof XnatError)) throw error
      // DQR: 404 for a PACS that XNAT does not know, 409 for one that it may not query.
      if (error.code === 'XNAT_NOT_FOUND' || error.code === 'XNAT_CONFLICT')
        return { kind: 'none', code: 'PACS_UNKNOWN' }
      if (error.status === 500) return { kind: 'none', code: 'QUERY_FAILED' }
      throw error
    }
  })
}

async function requestAll(
  deps: RequestDeps,
  order: StudiesOrder,
  answers: readonly Answer[],
  { slots, pacs }: { slots: FindSlots; pacs: { isSilent: boolean } },
): Promise<Outcome[]> {
  const { xnat, signal, imaging } = deps
  const { projectId, pacsId, requestId } = order
  const wanted = new Map(answers.flatMap(({ imports }) => imports.map((each) => [each.studyInstanceUid, each])))
  const queued = new Set<string>()
  let refusal: OutcomeCode | undefined
  // DQR would ask the silent PACS for each study once more, one after the other.
  const askable = pacs.isSilent ? [] : [...wanted.values()]
  for (const studies of parts(askable, maxStudiesPerOrder)) {
    const request = { pacsId, receiver: imaging.receiver, projectId, requestId, studies, force: true }
    try {
      const rows = await slots.request(() => requestImport(xnat, request, { signal }))
      for (const { studyInstanceUid } of rows) queued.add(studyInstanceUid)
    } catch (error) {
      // DQR: the project may not import, or is gone (404, 403); the PACS may not be queried (409); bad settings (400).
      if (!(error instanceof XnatError) || error.retry !== 'never' || error.code === 'XNAT_UNAUTHORIZED') throw error
      deps.log.warn('import refused', { projectId, code: error.code, ...(error.status && { status: error.status }) })
      refusal = 'IMPORT_REFUSED'
    }
  }
  const isWhole = ({ imports }: Answer) => imports.every(({ studyInstanceUid }) => queued.has(studyInstanceUid))
  const otherwise = answers.every(isWhole) ? 'REQUESTED' : (refusal ?? (await whyLeftOut(deps, pacsId, pacs)))
  return answers.map((answer) => {
    const { wanted: each, code, studies } = answer
    const { accessionNumber } = each
    if (code !== undefined) return { accessionNumber, code }
    return { accessionNumber, code: isWhole(answer) ? 'REQUESTED' : otherwise, studies }
  })
}

// DQR: a study that the PACS does not answer for is left out like one that it does not have
// (D:services/impl/basic/BasicDicomQueryRetrieveService.java).
async function whyLeftOut(
  { xnat, signal }: RequestDeps,
  pacsId: number,
  pacs: { isSilent: boolean },
): Promise<OutcomeCode> {
  const isThere = !pacs.isSilent && (await pingPacs(xnat, pacsId, { signal }))
  return isThere ? 'LEFT_OUT_BY_XNAT' : 'PACS_UNREACHABLE'
}
