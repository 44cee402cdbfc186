// Where one study stands. What failed comes before what moves, what moves before what waits, as FLIP has it
// (flip-contract 2.6); but a request that is newer than a failure leaves it behind.
import type { ExecutedRequest, QueuedRequest } from '../xnat/dqr-import.ts'
import type { AssessInput } from './assess.ts'
import { unassigned } from './evidence.ts'
import type { StudyRows } from './evidence-index.ts'
import { type Lease, type LedgerEntry, requestIdPrefix } from './ledger.ts'
import { isLeft, type Leftover } from './leftovers.ts'
import type { ReasonCode, StudyState } from './study-state.ts'

/** All that is known of one study of an accession number. */
export interface StudyView {
  accessionNumber: string
  uid: string | undefined
  label: string
  entry: LedgerEntry | undefined
  /** Of the newest attempt. */
  lease: Lease | undefined
  /** The order of the newest attempt has not ended. */
  isUnderWay: boolean
  rows: StudyRows
}

export interface StudyFinding {
  uid: string | undefined
  state: StudyState
  reason?: ReasonCode
  /** No attempt is to be made although the state would allow one: it would change nothing, or destroy something. */
  isBlocked: boolean
  leftovers: readonly Leftover[]
  /** The session that was found under its label, and whether its files are still to be counted. */
  experimentId?: string
  isUnchecked?: true
  /** Nothing is known of it but that its order has not ended. */
  isOnOrder?: true
  /** How what moves looks now, for telling later whether it has moved. */
  mark?: string
  /** The newest row of history that counts. */
  seen?: SeenRow
}

/** A row of DQR's history as far as it matters: FAILED, ISSUED or RECEIVED. */
interface SeenRow {
  id: number
  status: string
  atMs: number
  /** DQR saw no file of a retrieve that the PACS called done. */
  isEmpty: boolean
}

type Verdict = Pick<StudyFinding, 'state' | 'reason' | 'isOnOrder'> & {
  leftovers?: readonly Leftover[]
  isBlocked?: boolean
}

export function assessStudy(view: StudyView, input: AssessInput): StudyFinding {
  const { uid, rows, entry } = view
  const { experimentId } = rows
  const check = experimentId === undefined ? undefined : checkOf(experimentId, entry, input)
  const seen = newestAttempt(view)
  const verdict =
    check === 'filled' ? { state: 'verified' as const } : judge(view, seen, { ...input, experimentId, check })
  return {
    uid,
    isBlocked: verdict.isBlocked ?? false,
    leftovers: verdict.leftovers ?? [],
    state: verdict.state,
    ...(verdict.reason !== undefined && { reason: verdict.reason }),
    ...(verdict.isOnOrder && { isOnOrder: true as const }),
    ...(experimentId !== undefined && { experimentId }),
    ...(experimentId !== undefined && check === undefined && { isUnchecked: true as const }),
    ...(rows.prearchive.length > 0 && { mark: markOf(rows) }),
    ...(seen !== undefined && { seen }),
  }
}

type Judging = AssessInput & { experimentId: string | undefined; check: 'empty' | 'partly' | undefined }

function checkOf(experimentId: string, entry: LedgerEntry | undefined, { checks }: AssessInput) {
  return entry?.verified?.includes(experimentId) === true ? 'filled' : checks.get(experimentId)
}

function judge(view: StudyView, seen: SeenRow | undefined, input: Judging): Verdict {
  const { rows } = view
  const queue = rows.queue.filter((row) => isCurrent(row, view))
  const isHeld = queue.some(({ status }) => status !== 'PROCESSING')
  if (input.experimentId !== undefined) return judgeSession(view, queue, input)
  // A request that DQR holds will be tried by itself: another beside it would fetch the study twice.
  const failure = failureOf(view, seen, input)
  if (failure !== undefined) return isHeld ? { ...failure, isBlocked: true } : failure
  return movingOf(view, seen, queue, input) ?? waitingOf(queue, input) ?? judgeLedger(view, input)
}

/** There is a session whose files are not all there: they may be about to come. */
function judgeSession(view: StudyView, queue: readonly QueuedRequest[], input: Judging): Verdict {
  const { experimentId = '', check } = input
  if (check === undefined) return { state: 'processing', reason: 'AWAITING_CHECK' }
  const moving = movingOf(view, undefined, queue, input) ?? waitingOf(queue, input)
  if (moving !== undefined && moving.state !== 'stalled') return moving
  if (check === 'partly') return { state: 'incomplete', reason: 'SCANS_WITHOUT_FILES', isBlocked: true }
  const shell: Leftover = { kind: 'empty-session', experimentId }
  return {
    state: 'incomplete',
    reason: 'SESSION_EMPTY',
    leftovers: [...(moving?.leftovers ?? []), shell],
    isBlocked: moving?.isBlocked === true || isLeft(shell, input.rules.leftovers),
  }
}

const skewMs = 5 * 60_000

/**
 * Whether a row of DQR speaks of the newest attempt. One of an earlier attempt of ours does not; one that somebody else
 * asked for does when it is not older.
 */
function isCurrent(row: QueuedRequest | ExecutedRequest, { lease }: StudyView): boolean {
  if (lease === undefined || row.requestId === lease.requestId) return true
  if (row.requestId?.startsWith(requestIdPrefix) === true) return false
  return (row.executedAtMs ?? row.queuedAtMs ?? 0) >= lease.atMs - skewMs
}

// DQR: D:services/impl/basic/BasicDicomQueryRetrieveService.java
const zeroFiles = /^Received zero files/

function newestAttempt(view: StudyView): SeenRow | undefined {
  const [row] = view.rows.history.filter((each) => isCurrent(each, view))
  const [, ...known] = view.entry?.seen?.find(([uid]) => view.uid === undefined || uid === view.uid) ?? []
  const [id, status, atMs, isEmpty] = known
  const kept = id === undefined ? undefined : { id, status: status ?? '', atMs: atMs ?? 0, isEmpty: isEmpty ?? false }
  if (row === undefined || (kept !== undefined && kept.id > row.id)) return kept
  const { errorMessage = '' } = row
  return { id: row.id, status: row.status, atMs: row.executedAtMs ?? 0, isEmpty: zeroFiles.test(errorMessage) }
}

function failureOf(view: StudyView, seen: SeenRow | undefined, { rules }: Judging): Verdict | undefined {
  const { directArchive, prearchive } = view.rows
  const failed = (reason: ReasonCode, leftovers: readonly Leftover[] = []): Verdict => ({
    state: 'failed',
    reason,
    leftovers,
    isBlocked: leftovers.some((leftover) => isLeft(leftover, rules.leftovers)),
  })
  const direct = directArchive.filter(({ status }) => status === 'ERROR')
  if (direct.length > 0) {
    const leftovers = direct.map(({ id }) => ({ kind: 'direct-archive', id, because: 'error' }) as const)
    return failed('DIRECT_ARCHIVE_ERROR', leftovers)
  }
  const own = prearchive.filter(({ projectId }) => projectId !== unassigned)
  for (const [status, reason] of [
    ['CONFLICT', 'PREARCHIVE_CONFLICT'],
    ['ERROR', 'PREARCHIVE_ERROR'],
  ] as const) {
    const entries = own.filter((entry) => entry.status === status)
    if (entries.length === 0) continue
    const because = status === 'CONFLICT' ? 'conflict' : 'error'
    return failed(
      reason,
      entries.map(({ projectId, timestamp, folder }) => ({
        kind: 'prearchive',
        ref: { projectId, timestamp, folder },
        because,
      })),
    )
  }
  // XNAT: a retry finds its project again; what lies here is for a person to look at, and in nobody's way.
  if (prearchive.some(({ projectId, status }) => projectId === unassigned && settledInPrearchive.has(status))) {
    return failed('UNASSIGNED')
  }
  if (seen?.status === 'FAILED') return failed(seen.isEmpty ? 'NO_FILES_RECEIVED' : 'RETRIEVE_FAILED')
  return undefined
}

const settledInPrearchive: ReadonlySet<string> = new Set(['READY', 'CONFLICT', 'ERROR'])

function movingOf(
  view: StudyView,
  seen: SeenRow | undefined,
  queue: readonly QueuedRequest[],
  input: Judging,
): Verdict | undefined {
  const { directArchive, prearchive } = view.rows
  const retrieving = queue.filter(({ status }) => status === 'PROCESSING')
  const building = directArchive.filter(({ status }) => status !== 'ERROR')
  const waiting = prearchive.filter(({ status }) => status !== 'ERROR' && status !== 'CONFLICT')
  const hasArrived = seen?.status === 'RECEIVED'
  const isIssued = seen?.status === 'ISSUED'
  if (retrieving.length + building.length + waiting.length === 0 && !hasArrived && !isIssued) return undefined

  const times = [
    ...retrieving.map(({ queuedAtMs = 0 }) => Math.max(queuedAtMs, seen?.atMs ?? 0)),
    ...building.map((row) => row.lastBuiltAtMs ?? row.uploadedAtMs ?? 0),
    ...(waiting.length > 0 ? [prearchiveSince(view, input)] : []),
    ...(seen === undefined ? [] : [seen.atMs]),
  ]
  const isStalled = input.nowMs - Math.max(...times) > input.rules.stallAfterMs
  if (!isStalled) return { state: 'processing', reason: movingReason({ retrieving, building, waiting }) }

  const stalled = (reason: ReasonCode, leftovers: readonly Leftover[], isBlocked = false): Verdict => ({
    state: 'stalled',
    reason,
    leftovers,
    isBlocked: isBlocked || leftovers.some((leftover) => isLeft(leftover, input.rules.leftovers)),
  })
  const requests = retrieving.map(({ id }) => ({ kind: 'queued-request', id }) as const)
  // It holds the study whole; only XNAT's rules keep it from the archive, and those are for a person to change.
  if (waiting.some(({ status }) => status === 'READY')) return stalled('NOT_ARCHIVED', [], true)
  if (waiting.length > 0) {
    const entries = waiting.map(
      ({ projectId, timestamp, folder }) =>
        ({ kind: 'prearchive', ref: { projectId, timestamp, folder }, because: 'error' }) as const,
    )
    return stalled('PREARCHIVE_STALLED', [...requests, ...entries])
  }
  if (building.length > 0) {
    const entries = building.map(({ id }) => ({ kind: 'direct-archive', id, because: 'error' }) as const)
    return stalled('DIRECT_ARCHIVE_STALLED', [...requests, ...entries])
  }
  if (requests.length > 0) return stalled('RETRIEVE_STALLED', requests)
  return stalled(hasArrived ? 'ARRIVED_AND_GONE' : 'NOTHING_ARRIVED', [])
}

function movingReason(rows: {
  retrieving: readonly unknown[]
  building: readonly unknown[]
  waiting: readonly { status: string }[]
}): ReasonCode {
  if (rows.waiting.some(({ status }) => status === 'READY')) return 'NOT_ARCHIVED'
  if (rows.building.length > 0 || rows.waiting.length > 0) return 'ARRIVING'
  return 'RETRIEVING'
}

/** XNAT: the prearchive's times are local to the server and name no zone, so movement is told by change. */
function prearchiveSince({ rows, entry }: StudyView, { nowMs }: Judging): number {
  const [mark, sinceMs] = entry?.moving ?? []
  return mark === markOf(rows) && sinceMs !== undefined ? sinceMs : nowMs
}

function markOf({ prearchive }: StudyRows): string {
  const marks = prearchive.map(({ timestamp, folder, status, lastModifiedAt }) =>
    [timestamp, folder, status, lastModifiedAt].join(' '),
  )
  return marks.toSorted().join('\n')
}

/** DQR holds the request. It leaves its queue by itself, unless nothing at all does. */
function waitingOf(queue: readonly QueuedRequest[], { evidence, rules, nowMs }: Judging): Verdict | undefined {
  const held = queue.filter(({ status }) => status !== 'PROCESSING')
  if (held.length === 0) return undefined
  const lastMoveMs = Math.max(evidence.lastRetrieveAtMs, ...held.map(({ queuedAtMs = 0 }) => queuedAtMs))
  if (nowMs - lastMoveMs <= rules.stallAfterMs) return { state: 'queued', reason: 'IN_DQR_QUEUE' }
  return { state: 'stalled', reason: 'QUEUE_NOT_MOVING', isBlocked: true }
}

/** XNAT shows nothing of the study: what is left is what the ledger says of its last attempt. */
function judgeLedger({ entry, lease, isUnderWay }: StudyView, { rules, nowMs }: Judging): Verdict {
  const code = entry?.attempts.at(-1)?.[1]
  if (entry === undefined || lease === undefined || entry.held !== undefined) {
    return { state: 'waiting', reason: entry?.held ?? 'NOT_REQUESTED_YET' }
  }
  if (code === 'NOT_ON_PACS') return { state: 'not-found', reason: code }
  if (code === 'SEVERAL_STUDIES') return { state: 'ambiguous', reason: code }
  if (code === 'LEFT_OUT_BY_XNAT' || code === 'QUERY_FAILED') return { state: 'failed', reason: code }
  const isLost = code === 'SENT' ? !isUnderWay : nowMs - lease.atMs > rules.stallAfterMs
  if (isLost) return { state: 'stalled', reason: 'REQUEST_LOST' }
  return { state: 'queued', reason: 'REQUESTED', ...(isUnderWay && { isOnOrder: true }) }
}
