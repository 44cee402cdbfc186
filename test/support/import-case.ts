// One moment of an import, made of rows as XNAT's answers become and a ledger: what is said of it is pure.
import { type AssessRules, assessCohort, type Standing } from '../../lib/imports/assess.ts'
import type { Evidence } from '../../lib/imports/evidence.ts'
import { keepStandings } from '../../lib/imports/keep-ledger.ts'
import { type Ledger, type LedgerEntry, newLedger, requestIdPrefix } from '../../lib/imports/ledger.ts'
import type { SessionCheck } from '../../lib/imports/session-check.ts'
import type { DirectArchiveSession } from '../../lib/xnat/direct-archive.ts'
import type { ExecutedRequest, QueuedRequest } from '../../lib/xnat/dqr-import.ts'
import type { PrearchiveSession } from '../../lib/xnat/prearchive.ts'

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const nowMs = Date.parse('2026-01-05T10:00:00Z')
export const projectId = 'P1'

export const rules: AssessRules = {
  retryPlan: [5 * minuteMs, hourMs],
  stallAfterMs: 6 * hourMs,
  leftovers: { conflict: 'leave', error: 'delete-and-retry', emptySession: 'delete-and-retry' },
}

export interface Moment {
  cohort?: readonly string[]
  ledger?: Ledger
  /** Experiment IDs by label. */
  sessions?: Readonly<Record<string, string>>
  /** What counting the files of these experiments gave. */
  checks?: Readonly<Record<string, SessionCheck>>
  queue?: readonly QueuedRequest[]
  history?: readonly ExecutedRequest[]
  directArchive?: readonly DirectArchiveSession[]
  prearchive?: readonly PrearchiveSession[]
  lastRetrieveAtMs?: number
  historyReadTo?: number
  rules?: Partial<AssessRules>
  /** It has looked so for this long, and was looked at then. */
  forMs?: number
}

/** Where the cohort of a moment stands, `A1` alone unless it is said. */
export function standingsOf(moment: Moment): Standing[] {
  const { cohort = ['A1'], ledger = newLedger(), checks = {}, forMs = 0 } = moment
  const input = {
    cohort,
    ledger,
    evidence: evidenceOf(moment),
    checks: new Map(Object.entries(checks)),
    rules: { ...rules, ...moment.rules },
  }
  if (forMs > 0) {
    const beforeMs = nowMs - forMs
    keepStandings(ledger, assessCohort({ ...input, nowMs: beforeMs }), { ...input, nowMs: beforeMs })
  }
  return assessCohort({ ...input, nowMs })
}

export function standingOf(moment: Moment): Standing {
  const [standing] = standingsOf(moment)
  if (standing === undefined) throw new Error('the cohort is empty')
  return standing
}

export function evidenceOf(moment: Moment): Evidence {
  const { sessions = {}, queue = [], history = [], directArchive = [], prearchive = [] } = moment
  return {
    sessions: new Map(Object.entries(sessions)),
    queue,
    history: history.toSorted((one, other) => other.id - one.id),
    directArchive,
    prearchive,
    outstanding: queue.length,
    lastRetrieveAtMs: moment.lastRetrieveAtMs ?? 0,
    historyReadTo: moment.historyReadTo ?? 0,
  }
}

/** A ledger that knows one accession number, `A1` of one study, by its attempts: how long ago, and what became of each. */
export function ledgerWith(
  attempts: readonly (readonly [agoMs: number, code: string])[],
  { accessionNumber = 'A1', ...rest }: Partial<LedgerEntry> & { accessionNumber?: string } = {},
): Ledger {
  const ledger = newLedger()
  ledger.leases = attempts.map(([agoMs], index) => {
    const atMs = nowMs - agoMs
    return { requestId: requestIdOf(index + 1), atMs, expiresAtMs: atMs + hourMs, pacsId: 1 }
  })
  ledger.entries.set(accessionNumber, {
    attempts: attempts.map(([, code], index) => [index, code]),
    studies: [['2.25.1', accessionNumber]],
    ...rest,
  })
  return ledger
}

/** Of the attempt of this number, from 1, in a ledger that is made here. */
export const requestIdOf = (attempt: number) => `${requestIdPrefix}test-${attempt}`

const requestRow = (over: Partial<QueuedRequest>): QueuedRequest => ({
  id: 1,
  pacsId: 1,
  projectId,
  studyInstanceUid: '2.25.1',
  accessionNumber: 'A1',
  status: 'QUEUED',
  createdAtMs: undefined,
  queuedAtMs: nowMs - minuteMs,
  executedAtMs: undefined,
  ...over,
})

export const queued = (over: Partial<QueuedRequest> = {}) => requestRow(over)

export const executed = (status: string, over: Partial<ExecutedRequest> = {}): ExecutedRequest =>
  requestRow({ status, executedAtMs: nowMs - minuteMs, ...over })

export const direct = (status: string, over: Partial<DirectArchiveSession> = {}): DirectArchiveSession => ({
  id: 1,
  projectId,
  subjectLabel: 'S1',
  label: 'A1',
  folder: 'A1',
  studyInstanceUid: '2.25.1',
  status,
  uploadedAtMs: nowMs - minuteMs,
  lastBuiltAtMs: undefined,
  message: undefined,
  ...over,
})

export const waiting = (status: string, over: Partial<PrearchiveSession> = {}): PrearchiveSession => ({
  projectId,
  timestamp: '20260105_095900000',
  folder: 'A1',
  label: 'A1',
  subjectLabel: 'S1',
  studyInstanceUid: '2.25.1',
  status,
  isLocked: false,
  uploadedAt: '2026-01-05 09:59:00.0',
  lastModifiedAt: '2026-01-05 09:59:00.0',
  scanDate: undefined,
  scanTime: undefined,
  preventsAnonymization: false,
  preventsAutoCommit: false,
  autoArchive: undefined,
  source: undefined,
  ...over,
})
