// Each reason that a study can have, with the state it goes with, when it is tried again, and what is cleared away first.
import { describe, expect, it } from 'vitest'
import type { Leftover } from '../../lib/imports/leftovers.ts'
import { type ReasonCode, reasonCodes, type StudyState } from '../../lib/imports/study-state.ts'
import {
  direct,
  executed,
  hourMs,
  ledgerWith,
  type Moment,
  minuteMs,
  nowMs,
  queued,
  requestIdOf,
  standingOf,
  waiting,
} from '../support/import-case.ts'

interface Case extends Moment {
  state: StudyState
  /** When it is asked for again: `plan` after the wait that the plan has, `never` as long as it stands so. */
  again: 'at once' | 'plan' | 'never'
  leftovers?: readonly Leftover[]
}

const long = 7 * hourMs
const tried = (code: string, agoMs = long) => ledgerWith([[agoMs, code]])
const held = (code: ReasonCode) => ledgerWith([], { held: code })
const requestId = requestIdOf(1)
const entry = { projectId: 'P1', timestamp: '20260105_095900000', folder: 'A1' }

const cases: Record<ReasonCode, Case> = {
  SESSION_EMPTY: {
    ledger: tried('REQUESTED'),
    sessions: { A1: 'E1' },
    checks: { E1: 'empty' },
    state: 'incomplete',
    again: 'plan',
    leftovers: [{ kind: 'empty-session', experimentId: 'E1' }],
  },
  SCANS_WITHOUT_FILES: {
    ledger: tried('REQUESTED'),
    sessions: { A1: 'E1' },
    checks: { E1: 'partly' },
    state: 'incomplete',
    again: 'never',
  },
  DIRECT_ARCHIVE_ERROR: {
    ledger: tried('REQUESTED'),
    directArchive: [direct('ERROR', { id: 7 })],
    state: 'failed',
    again: 'plan',
    leftovers: [{ kind: 'direct-archive', id: 7, because: 'error' }],
  },
  PREARCHIVE_ERROR: {
    ledger: tried('REQUESTED'),
    prearchive: [waiting('ERROR')],
    state: 'failed',
    again: 'plan',
    leftovers: [{ kind: 'prearchive', ref: entry, because: 'error' }],
  },
  PREARCHIVE_CONFLICT: {
    ledger: tried('REQUESTED'),
    prearchive: [waiting('CONFLICT')],
    state: 'failed',
    again: 'never',
  },
  UNASSIGNED: {
    ledger: tried('REQUESTED'),
    prearchive: [waiting('READY', { projectId: 'Unassigned' })],
    state: 'failed',
    again: 'plan',
  },
  RETRIEVE_FAILED: {
    ledger: tried('REQUESTED'),
    history: [executed('FAILED', { requestId, errorMessage: 'C-MOVE failed with status a702' })],
    state: 'failed',
    again: 'plan',
  },
  NO_FILES_RECEIVED: {
    ledger: tried('REQUESTED'),
    history: [executed('FAILED', { requestId, errorMessage: 'Received zero files for study 2.25.1 in project P1' })],
    state: 'failed',
    again: 'plan',
  },
  LEFT_OUT_BY_XNAT: { ledger: tried('LEFT_OUT_BY_XNAT'), state: 'failed', again: 'plan' },
  QUERY_FAILED: { ledger: tried('QUERY_FAILED'), state: 'failed', again: 'plan' },
  REQUEST_LOST: { ledger: tried('SENT', hourMs + 1), state: 'stalled', again: 'plan' },
  RETRIEVE_STALLED: {
    ledger: tried('REQUESTED'),
    queue: [queued({ id: 9, status: 'PROCESSING', requestId, queuedAtMs: nowMs - long })],
    state: 'stalled',
    again: 'plan',
    leftovers: [{ kind: 'queued-request', id: 9 }],
  },
  NOTHING_ARRIVED: {
    ledger: tried('REQUESTED'),
    history: [executed('ISSUED', { requestId, executedAtMs: nowMs - long })],
    state: 'stalled',
    again: 'plan',
  },
  ARRIVED_AND_GONE: {
    ledger: tried('REQUESTED'),
    history: [executed('RECEIVED', { requestId, executedAtMs: nowMs - long })],
    state: 'stalled',
    again: 'plan',
  },
  PREARCHIVE_STALLED: {
    ledger: tried('REQUESTED'),
    prearchive: [waiting('RECEIVING')],
    forMs: long,
    state: 'stalled',
    again: 'plan',
    leftovers: [{ kind: 'prearchive', ref: entry, because: 'error' }],
  },
  QUEUE_NOT_MOVING: {
    ledger: tried('REQUESTED'),
    queue: [queued({ requestId, queuedAtMs: nowMs - long })],
    lastRetrieveAtMs: nowMs - long,
    state: 'stalled',
    again: 'never',
  },
  DIRECT_ARCHIVE_STALLED: {
    ledger: tried('REQUESTED'),
    directArchive: [direct('BUILDING', { id: 7, uploadedAtMs: nowMs - 2 * long, lastBuiltAtMs: nowMs - long })],
    state: 'stalled',
    again: 'plan',
    leftovers: [{ kind: 'direct-archive', id: 7, because: 'error' }],
  },
  NOT_ARCHIVED: {
    ledger: tried('REQUESTED'),
    prearchive: [waiting('READY')],
    forMs: long,
    state: 'stalled',
    again: 'never',
  },
  RETRIEVING: {
    ledger: tried('REQUESTED', minuteMs),
    history: [executed('ISSUED', { requestId })],
    state: 'processing',
    again: 'never',
  },
  ARRIVING: {
    ledger: tried('REQUESTED', minuteMs),
    history: [executed('RECEIVED', { requestId })],
    directArchive: [direct('RECEIVING')],
    state: 'processing',
    again: 'never',
  },
  AWAITING_CHECK: { ledger: tried('REQUESTED'), sessions: { A1: 'E1' }, state: 'processing', again: 'never' },
  IN_DQR_QUEUE: {
    ledger: tried('REQUESTED', minuteMs),
    queue: [queued({ requestId })],
    state: 'queued',
    again: 'never',
  },
  REQUESTED: { ledger: tried('REQUESTED', minuteMs), state: 'queued', again: 'never' },
  NOT_ON_PACS: { ledger: tried('NOT_ON_PACS', minuteMs), state: 'not-found', again: 'plan' },
  SEVERAL_STUDIES: { ledger: tried('SEVERAL_STUDIES', minuteMs), state: 'ambiguous', again: 'plan' },
  UNSAFE_NUMBER: { cohort: ['A 1'], state: 'refused', again: 'never' },
  NOT_REQUESTED_YET: { state: 'waiting', again: 'at once' },
  PACS_UNREACHABLE: { ledger: held('PACS_UNREACHABLE'), state: 'waiting', again: 'at once' },
  PACS_CLOSED: { ledger: held('PACS_CLOSED'), state: 'waiting', again: 'at once' },
  PACS_UNKNOWN: { ledger: held('PACS_UNKNOWN'), state: 'waiting', again: 'at once' },
  IMPORT_REFUSED: { ledger: held('IMPORT_REFUSED'), state: 'waiting', again: 'at once' },
  LEASE_EXPIRED: { ledger: held('LEASE_EXPIRED'), state: 'waiting', again: 'at once' },
}

describe('the reason', () => {
  it.each(reasonCodes)('%s', (reason) => {
    const { state, again, leftovers = [], ...moment } = cases[reason]
    const standing = standingOf(moment)

    expect(standing).toMatchObject({ state, reason })
    expect(standing.leftovers).toEqual(leftovers)
    const due = { 'at once': 0, plan: (standing.lastAttemptMs ?? 0) + 5 * minuteMs, never: undefined }
    expect(standing.nextAttemptMs).toBe(due[again])
  })
})

it('a session whose files are there needs no reason', () => {
  const moment = { ledger: tried('REQUESTED'), sessions: { A1: 'E1' }, checks: { E1: 'filled' as const } }
  const standing = standingOf(moment)

  expect([standing.state, standing.reason, standing.nextAttemptMs]).toEqual(['verified', undefined, undefined])
  expect(standing.leftovers).toEqual([])
})
