// Which of several facts about a study counts: FLIP's order where both know it (flip-contract 2.6), and where we go on.
import { describe, expect, it } from 'vitest'
import { newLedger } from '../../lib/imports/ledger.ts'
import { flipClassOf, type StudyState, studyStates } from '../../lib/imports/study-state.ts'
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
  standingsOf,
  waiting,
} from '../support/import-case.ts'

const inArchive = { sessions: { A1: 'E1' }, checks: { E1: 'filled' as const } }
/** Told by its folder alone. */
const unnamed = { studyInstanceUid: undefined }
const flipClass = (moment: Moment) => flipClassOf[standingOf(moment).state]

describe("FLIP's classes, for requests that are nobody's of ours", () => {
  it.each<[title: string, expected: string, Moment]>([
    ['an experiment of this label', 'successful', inArchive],
    ['an ERROR left over beside an experiment', 'successful', { ...inArchive, directArchive: [direct('ERROR')] }],
    ['a FAILED row beside an experiment', 'successful', { ...inArchive, history: [executed('FAILED')] }],
    ['a queued row beside an experiment', 'successful', { ...inArchive, queue: [queued()] }],
    ['ERROR in direct archive', 'failed', { directArchive: [direct('ERROR')] }],
    ['a FAILED row', 'failed', { history: [executed('FAILED')] }],
    [
      'RECEIVED, and ERROR in direct archive',
      'failed',
      { history: [executed('RECEIVED')], directArchive: [direct('ERROR')] },
    ],
    ['a FAILED row beside a fresh queued row', 'failed', { history: [executed('FAILED')], queue: [queued()] }],
    [
      'a direct-archive row without a name',
      'failed',
      { directArchive: [direct('ERROR', { ...unnamed, label: undefined })] },
    ],
    [
      'a direct-archive row of an empty name',
      'failed',
      { directArchive: [direct('ERROR', { ...unnamed, label: '' })] },
    ],
    ['RECEIVING in direct archive', 'processing', { directArchive: [direct('RECEIVING')] }],
    ['BUILDING in direct archive', 'processing', { directArchive: [direct('BUILDING')] }],
    ['an ISSUED row', 'processing', { history: [executed('ISSUED')] }],
    ['a RECEIVED row', 'processing', { history: [executed('RECEIVED')] }],
    ['a RECEIVED row beside a queued row', 'processing', { history: [executed('RECEIVED')], queue: [queued()] }],
    ['a QUEUED row', 'queued', { queue: [queued()] }],
    ['a queued row that waits after a failure', 'queued', { queue: [queued({ status: 'FAILED' })] }],
    ['nothing at all', 'queue_failed', {}],
    ['a number that cannot be asked for', 'queue_failed', { cohort: ['A*1'] }],
  ])('%s: %s', (_, expected, moment) => {
    expect(flipClass(moment)).toBe(expected)
  })

  it('are compared by labels letter by letter', () => {
    expect(flipClass({ sessions: { a1: 'E1' }, checks: { E1: 'filled' } })).toBe('queue_failed')
  })

  it('leave out experiments that the cohort does not name, and count each of the cohort once', () => {
    const standings = standingsOf({
      cohort: ['A1', 'A2'],
      sessions: { A1: 'E1', B1: 'E2' },
      checks: { E1: 'filled', E2: 'filled' },
    })

    expect(standings.map(({ accessionNumber, state }) => [accessionNumber, state])).toEqual([
      ['A1', 'verified'],
      ['A2', 'waiting'],
    ])
    expect(standingsOf({ cohort: [] })).toEqual([])
  })

  it('take in every state', () => {
    const expected: Record<StudyState, string> = {
      verified: 'successful',
      incomplete: 'failed',
      failed: 'failed',
      stalled: 'failed',
      processing: 'processing',
      queued: 'queued',
      'not-found': 'queue_failed',
      ambiguous: 'queue_failed',
      refused: 'queue_failed',
      exhausted: 'queue_failed',
      waiting: 'queue_failed',
    }
    expect(flipClassOf).toEqual(expected)
    expect(studyStates.toSorted()).toEqual(Object.keys(expected).toSorted())
  })
})

const state = (moment: Moment) => {
  const standing = standingOf(moment)
  return [standing.state, standing.reason]
}
const again = ledgerWith([
  [8 * hourMs, 'RETRIEVE_FAILED'],
  [minuteMs, 'REQUESTED'],
])
const failedFirst = executed('FAILED', { id: 5, requestId: requestIdOf(1), executedAtMs: nowMs - 8 * hourMs })

describe('a newer request of ours', () => {
  it('leaves the failure of an older one behind', () => {
    const moment = { ledger: again, history: [failedFirst] }

    expect(state({ ...moment, queue: [queued({ requestId: requestIdOf(2) })] })).toEqual(['queued', 'IN_DQR_QUEUE'])
    expect(state(moment)).toEqual(['queued', 'REQUESTED'])
  })

  it('fails by its own row, and by none of an older one', () => {
    const own = executed('FAILED', { id: 6, requestId: requestIdOf(2) })

    expect(state({ ledger: again, history: [failedFirst, own] })).toEqual(['failed', 'RETRIEVE_FAILED'])
  })

  it('is followed by what somebody else asks for later, and not by what somebody else asked for earlier', () => {
    const foreign = (agoMs: number) => executed('FAILED', { id: 9, requestId: 'by-hand', executedAtMs: nowMs - agoMs })

    expect(state({ ledger: again, history: [foreign(0)] })).toEqual(['failed', 'RETRIEVE_FAILED'])
    expect(state({ ledger: again, history: [foreign(hourMs)] })).toEqual(['queued', 'REQUESTED'])
  })

  it('does not move by requests of another ledger of ours, such as one that was lost', () => {
    const lost = executed('ISSUED', { id: 9, requestId: 'xnat-conduit-lost-1' })

    expect(state({ ledger: again, history: [lost] })).toEqual(['queued', 'REQUESTED'])
  })

  it('goes by the newest of its rows', () => {
    const requestId = requestIdOf(2)
    const history = [executed('FAILED', { id: 6, requestId }), executed('ISSUED', { id: 7, requestId })]

    expect(state({ ledger: again, history })).toEqual(['processing', 'RETRIEVING'])
  })
})

describe('a study that DQR tries again by itself', () => {
  it('is failed, as FLIP has it, and not asked for beside it', () => {
    const requestId = requestIdOf(1)
    const standing = standingOf({
      ledger: ledgerWith([[7 * hourMs, 'REQUESTED']]),
      history: [executed('FAILED', { requestId })],
      queue: [queued({ requestId })],
    })

    expect([standing.state, standing.nextAttemptMs]).toEqual(['failed', undefined])
  })
})

describe('a session without all its files', () => {
  const shell = { sessions: { A1: 'E1' }, checks: { E1: 'empty' as const } }
  const tried = ledgerWith([[7 * hourMs, 'REQUESTED']])

  it.each<[string, Moment]>([
    ['DQR retrieves', { queue: [queued({ status: 'PROCESSING', requestId: requestIdOf(1) })] }],
    ['direct archive builds', { directArchive: [direct('BUILDING')] }],
    ['the prearchive receives', { prearchive: [waiting('RECEIVING')] }],
  ])('is on its way while %s', (_, moment) => {
    expect(standingOf({ ledger: tried, ...shell, ...moment }).state).toBe('processing')
  })

  it('is on its way while DQR holds a request for it', () => {
    expect(state({ ledger: tried, ...shell, queue: [queued({ requestId: requestIdOf(1) })] })).toEqual([
      'queued',
      'IN_DQR_QUEUE',
    ])
  })

  it('that stays empty beside a stalled entry has both cleared away', () => {
    const standing = standingOf({ ledger: tried, ...shell, directArchive: [direct('BUILDING', { uploadedAtMs: 0 })] })

    expect(standing.state).toBe('incomplete')
    expect(standing.leftovers).toEqual([
      { kind: 'direct-archive', id: 1, because: 'error' },
      { kind: 'empty-session', experimentId: 'E1' },
    ])
  })

  it.each<[string, Moment]>([
    [
      'an entry that is to be left',
      {
        directArchive: [direct('BUILDING', { uploadedAtMs: 0 })],
        rules: { leftovers: { conflict: 'leave', error: 'leave', emptySession: 'delete-and-retry' } },
      },
    ],
    ['the whole study, which XNAT does not archive by itself', { prearchive: [waiting('READY')], forMs: 7 * hourMs }],
    ['a request that DQR holds and does not get to', { queue: [queued({ requestId: requestIdOf(1), queuedAtMs: 0 })] }],
  ])('is neither deleted nor asked for beside %s', (_, moment) => {
    const standing = standingOf({ ledger: tried, ...shell, ...moment })

    expect(standing).toMatchObject({ state: 'incomplete', reason: 'SESSION_EMPTY', leftovers: [] })
    expect(standing.nextAttemptMs).toBeUndefined()
  })

  it('was seen to have them once, and is not counted again', () => {
    const ledger = ledgerWith([[7 * hourMs, 'VERIFIED']], { verified: ['E1'] })

    expect(state({ ledger, sessions: { A1: 'E1' } })).toEqual(['verified', undefined])
    // Deleted and imported anew under the same label.
    expect(state({ ledger, sessions: { A1: 'E2' } })).toEqual(['processing', 'AWAITING_CHECK'])
  })
})

describe('what lies in the prearchive', () => {
  const tried = ledgerWith([[minuteMs, 'REQUESTED']])

  it.each([
    ['by its name', { folder: 'other', studyInstanceUid: undefined }],
    ['by its folder', { label: undefined, studyInstanceUid: undefined }],
    [
      'by its folder with the suffix of a second one',
      { label: undefined, folder: 'A1_1', studyInstanceUid: undefined },
    ],
    ['by its study', { label: 'other', folder: 'other' }],
  ])('is found %s', (_, over) => {
    expect(state({ ledger: tried, prearchive: [waiting('ERROR', over)] })).toEqual(['failed', 'PREARCHIVE_ERROR'])
  })

  it('under a suffix belongs to the accession number that is spelt so, if there is one', () => {
    const prearchive = [waiting('ERROR', { label: undefined, folder: 'A1_1', studyInstanceUid: undefined })]
    const standings = standingsOf({ cohort: ['A1', 'A1_1'], ledger: tried, prearchive })

    expect(standings.map((standing) => standing.state)).toEqual(['queued', 'failed'])
  })

  it('without a project is ours by its study alone: another project may want the same number', () => {
    const foreign = waiting('READY', { projectId: 'Unassigned', studyInstanceUid: '2.25.99' })

    expect(state({ ledger: tried, prearchive: [foreign] })).toEqual(['queued', 'REQUESTED'])
  })

  it('is a conflict before it is an error', () => {
    const prearchive = [waiting('ERROR'), waiting('CONFLICT', { timestamp: '2' })]

    expect(state({ ledger: tried, prearchive })).toEqual(['failed', 'PREARCHIVE_CONFLICT'])
  })

  it('moves as long as it changes', () => {
    const ledger = ledgerWith([[8 * hourMs, 'REQUESTED']])
    standingOf({ ledger, prearchive: [waiting('RECEIVING')], forMs: 7 * hourMs })
    const changed = waiting('RECEIVING', { lastModifiedAt: '2026-01-05 10:00:00.0' })

    expect(state({ ledger, prearchive: [changed] })).toEqual(['processing', 'ARRIVING'])
  })
})

describe('what DQR said last', () => {
  it('is known from the ledger when its row is no longer read', () => {
    const requestId = requestIdOf(1)
    const ledger = ledgerWith([[7 * hourMs, 'REQUESTED']])
    const history = [executed('FAILED', { id: 4, requestId })]
    standingOf({ ledger, history, historyReadTo: 4, forMs: hourMs })

    expect(state({ ledger })).toEqual(['failed', 'RETRIEVE_FAILED'])
    const newer = executed('ISSUED', { id: 5, requestId })
    expect(state({ ledger, history: [newer] })).toEqual(['processing', 'RETRIEVING'])
  })
})

describe('requests that wait in DQR', () => {
  const old = {
    ledger: ledgerWith([[8 * hourMs, 'REQUESTED']]),
    queue: [queued({ requestId: requestIdOf(1), queuedAtMs: nowMs - 8 * hourMs })],
  }

  it('wait their turn as long as DQR retrieves anything', () => {
    expect(state({ ...old, lastRetrieveAtMs: nowMs - minuteMs })).toEqual(['queued', 'IN_DQR_QUEUE'])
  })

  it('stand still when it has begun nothing for too long', () => {
    expect(state({ ...old, lastRetrieveAtMs: nowMs - 7 * hourMs })).toEqual(['stalled', 'QUEUE_NOT_MOVING'])
  })
})

describe('the plan', () => {
  const failed = (...agoHours: number[]) =>
    ledgerWith(agoHours.map((ago): [number, string] => [ago * hourMs, 'NOT_ON_PACS']))

  it('says when the next attempt is due, counted from the last', () => {
    expect(standingOf({ ledger: failed(3) })).toMatchObject({
      attempts: 1,
      nextAttemptMs: nowMs - 3 * hourMs + 5 * minuteMs,
    })
    expect(standingOf({ ledger: failed(3, 2) })).toMatchObject({ attempts: 2, nextAttemptMs: nowMs - hourMs })
  })

  it('is spent after one attempt more than it has waits, and the reason stays', () => {
    const standing = standingOf({ ledger: failed(3, 2, 1) })

    expect(standing).toMatchObject({ state: 'exhausted', reason: 'NOT_ON_PACS', attempts: 3 })
    expect(standing.nextAttemptMs).toBeUndefined()
  })

  it('begins anew for a study that was asked for by name, and its attempts are still told', () => {
    const ledger = failed(3, 2, 1)
    ledger.entries.get('A1')!.restartedAt = 3

    expect(standingOf({ ledger })).toMatchObject({ state: 'not-found', attempts: 3, nextAttemptMs: 0 })
  })

  it('is left alone while an order is on its way, also when XNAT shows a failure', () => {
    const ledger = ledgerWith([[30 * minuteMs, 'SENT']])

    expect(standingOf({ ledger }).nextAttemptMs).toBeUndefined()
    expect(standingOf({ ledger, directArchive: [direct('ERROR')] }).nextAttemptMs).toBeUndefined()
  })

  it('ends, and a session that comes after all is told', () => {
    expect(standingOf({ ledger: failed(3, 2, 1), ...inArchive })).toMatchObject({ state: 'verified' })
  })
})

describe('an accession number of several studies', () => {
  const studies: [string, string][] = [
    ['2.25.1', 'A1'],
    ['2.25.2', 'A1__2'],
  ]
  const ledger = () => ledgerWith([[7 * hourMs, 'REQUESTED']], { studies })
  const second = { studyInstanceUid: '2.25.2', label: 'A1__2', folder: 'A1__2' }

  it('is verified when each of them is', () => {
    const sessions = { A1: 'E1', A1__2: 'E2' }

    expect(state({ ledger: ledger(), sessions, checks: { E1: 'filled', E2: 'filled' } })).toEqual([
      'verified',
      undefined,
    ])
    expect(state({ ledger: ledger(), sessions, checks: { E1: 'filled', E2: 'empty' } })).toEqual([
      'incomplete',
      'SESSION_EMPTY',
    ])
  })

  it('stands where the worst of them stands, and the others are not asked for again', () => {
    const standing = standingOf({
      ledger: ledger(),
      sessions: { A1: 'E1' },
      checks: { E1: 'filled' },
      directArchive: [direct('ERROR', second)],
    })

    expect(standing).toMatchObject({ state: 'failed', settledStudies: ['2.25.1'] })
  })

  it('tells by the study which rows are whose', () => {
    const requestId = requestIdOf(1)
    const history = [
      executed('FAILED', { id: 1, requestId }),
      executed('ISSUED', { id: 2, requestId, studyInstanceUid: '2.25.2' }),
    ]

    expect(standingOf({ ledger: ledger(), history })).toMatchObject({ state: 'failed', settledStudies: ['2.25.2'] })
  })

  it('keeps what a policy says to leave of one, while another is tried again', () => {
    const standing = standingOf({
      ledger: ledger(),
      prearchive: [waiting('CONFLICT')],
      directArchive: [direct('ERROR', second)],
    })

    expect(standing.nextAttemptMs).toBe(nowMs - 7 * hourMs + 5 * minuteMs)
    expect(standing.leftovers).toEqual([{ kind: 'direct-archive', id: 1, because: 'error' }])
    expect(standing.settledStudies).toEqual(['2.25.1'])
  })

  it('is tried again for one that may be, also when a worse one must wait for a person', () => {
    const standing = standingOf({
      ledger: ledger(),
      prearchive: [waiting('CONFLICT')],
      sessions: { A1__2: 'E2' },
      checks: { E2: 'empty' },
    })

    expect(standing).toMatchObject({ state: 'failed', reason: 'PREARCHIVE_CONFLICT', settledStudies: ['2.25.1'] })
    expect(standing.leftovers).toEqual([{ kind: 'empty-session', experimentId: 'E2' }])
    expect(standing.nextAttemptMs).toBe(nowMs - 7 * hourMs + 5 * minuteMs)
  })
})

it('any text may be an accession number, also one that objects know', () => {
  const ledger = newLedger()
  ledger.entries.set('__proto__', { attempts: [] })
  const standings = standingsOf({
    cohort: ['__proto__', 'constructor'],
    ledger,
    sessions: { constructor: 'E1' },
    checks: { E1: 'filled' },
  })

  expect(standings.map((standing) => standing.state)).toEqual(['waiting', 'verified'])
})
