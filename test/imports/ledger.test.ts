import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { beginAttempts, endClearing, keepOutcomes, rebuildLedger } from '../../lib/imports/keep-ledger.ts'
import {
  forgetLedger,
  type Ledger,
  type LedgerEntry,
  lastLease,
  newLedger,
  readLedger,
  writeLedger,
} from '../../lib/imports/ledger.ts'
import type { Leftover } from '../../lib/imports/leftovers.ts'
import type { Outcome } from '../../lib/imports/messages.ts'
import {
  evidenceOf,
  executed,
  hourMs,
  ledgerWith,
  minuteMs,
  nowMs,
  queued,
  requestIdOf,
  standingOf,
  standingsOf,
} from '../support/import-case.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'

let aws: LocalAws
let state: ObjectStore
beforeAll(async () => {
  aws = await startLocalAws()
  state = await aws.bucket('state')
})
afterAll(() => aws.stop())

async function found(projectId: string): Promise<{ ledger: Ledger; etag: string }> {
  const stored = await readLedger(state, projectId)
  if (stored.kind === 'none') throw new Error('there is no ledger that can be read')
  return stored
}

describe('a ledger that was written', () => {
  it('is read as it was, with every field and any text as an accession number', async () => {
    const entry: LedgerEntry = {
      attempts: [[0, 'REQUESTED']],
      studies: [['2.25.1', 'A1']],
      verified: ['E1'],
      seen: [['2.25.1', 7, 'FAILED', nowMs, true]],
      moving: ['a mark', nowMs],
      held: 'PACS_UNREACHABLE',
      cleared: [[0, 'empty-session']],
      restartedAt: 1,
    }
    const ledger: Ledger = {
      ...ledgerWith([[hourMs, 'REQUESTED']]),
      unsent: [0],
      historyReadTo: 41,
      waiting: { code: 'PACS_CLOSED', sinceMs: nowMs },
      lookedAtMs: nowMs,
      isSettled: true,
      entries: new Map(['__proto__', 'constructor', 'A1', 'Ä "1"\n'].map((number) => [number, entry])),
    }
    await writeLedger(state, 'whole', ledger, undefined)

    expect((await found('whole')).ledger).toEqual(ledger)
  })

  it('of 100,000 accession numbers with two attempts each is read as it was, and is below 20 MB', async () => {
    const ledger = newLedger()
    for (let lease = 0; lease < 2_000; lease += 1) {
      ledger.leases.push({ requestId: requestIdOf(lease), atMs: nowMs, expiresAtMs: nowMs + hourMs, pacsId: 1 })
    }
    for (let number = 0; number < 100_000; number += 1) {
      const label = `ACC${String(number).padStart(10, '0')}`
      ledger.entries.set(label, {
        attempts: [
          [number % 1_000, 'RETRIEVE_FAILED'],
          [1_000 + (number % 1_000), 'VERIFIED'],
        ],
        studies: [[`2.25.${10n ** 37n + BigInt(number)}`, label]],
        verified: [`XNAT_E${String(number).padStart(6, '0')}`],
      })
    }
    await writeLedger(state, 'large', ledger, undefined)

    expect((await found('large')).ledger).toEqual(ledger)
    expect((await state.find('ledgers/large.json'))?.sizeBytes).toBeLessThan(20_000_000)
  })

  it('is not written over by a run that has read another version', async () => {
    const etag = await writeLedger(state, 'busy', newLedger(), undefined)
    const { ledger } = await found('busy')
    await writeLedger(state, 'busy', { ...ledger, lookedAtMs: nowMs }, etag)

    const tooLate = { code: 'LEDGER_BUSY', retry: 'later' }
    await expect(writeLedger(state, 'busy', newLedger(), etag)).rejects.toMatchObject(tooLate)
    await expect(writeLedger(state, 'busy', newLedger(), undefined)).rejects.toMatchObject(tooLate)
    expect((await found('busy')).ledger.id).toBe(ledger.id)
  })

  it('is not written again behind its deletion', async () => {
    const etag = await writeLedger(state, 'deleted', newLedger(), undefined)
    await forgetLedger(state, 'deleted')

    await expect(writeLedger(state, 'deleted', newLedger(), etag)).rejects.toMatchObject({ code: 'LEDGER_BUSY' })
    expect(await readLedger(state, 'deleted')).toEqual({ kind: 'none' })
  })
})

describe('a ledger that cannot be read', () => {
  it.each([
    ['is cut off', '{"version":1,"id":"x"'],
    ['is empty', ''],
    ['is of a version to come', JSON.stringify({ ...newLedger(), version: 2, entries: [] })],
    ['lacks its salt', JSON.stringify({ ...newLedger(), salt: undefined, entries: [] })],
  ])('because it %s is as good as none, and is replaced', async (name, text) => {
    const written = await state.writeText(`ledgers/${name}.json`, text)
    const stored = await readLedger(state, name)

    expect(stored).toEqual({ kind: 'none', etag: written.kind === 'written' ? written.etag : undefined })
    const ledger = newLedger()
    await writeLedger(state, name, ledger, stored.etag)
    expect((await found(name)).ledger).toEqual(ledger)
  })
})

describe("a ledger made from DQR's rows", () => {
  const [lost1, lost2] = ['xnat-conduit-lost-1', 'xnat-conduit-lost-2']
  const rows = {
    history: [
      executed('FAILED', { id: 1, requestId: lost1, queuedAtMs: nowMs - 3 * hourMs, executedAtMs: nowMs - 2 * hourMs }),
      // DQR's own further attempt at the same request.
      executed('FAILED', { id: 2, requestId: lost1, queuedAtMs: nowMs - 3 * hourMs, executedAtMs: nowMs - 2 * hourMs }),
      executed('ISSUED', {
        id: 3,
        requestId: lost1,
        queuedAtMs: nowMs - 3 * hourMs,
        studyInstanceUid: '2.25.7',
        accessionNumber: 'A7',
      }),
      executed('ISSUED', { id: 4, requestId: 'by-hand', studyInstanceUid: '2.25.8', accessionNumber: 'A8' }),
      executed('ISSUED', { id: 5, requestId: lost1, studyInstanceUid: '2.25.9', accessionNumber: undefined }),
    ],
    queue: [queued({ id: 1, requestId: lost2, queuedAtMs: nowMs - minuteMs })],
  }

  it('has an attempt for each request of ours, in their order', () => {
    const ledger = rebuildLedger(evidenceOf(rows))

    expect(ledger.leases).toEqual([
      { requestId: lost1, atMs: nowMs - 3 * hourMs, expiresAtMs: nowMs - 3 * hourMs },
      { requestId: lost2, atMs: nowMs - minuteMs, expiresAtMs: nowMs - minuteMs },
    ])
    expect(ledger.entries).toEqual(
      new Map<string, LedgerEntry>([
        [
          'A1',
          {
            attempts: [
              [0, 'REQUESTED'],
              [1, 'REQUESTED'],
            ],
            studies: [['2.25.1', 'A1']],
          },
        ],
        ['A7', { attempts: [[0, 'REQUESTED']], studies: [['2.25.7', 'A7']] }],
      ]),
    )
  })

  it('shows the studies where they stand, with their attempts counted', () => {
    const standings = standingsOf({
      cohort: ['A1', 'A7', 'A8', 'A9'],
      ledger: rebuildLedger(evidenceOf(rows)),
      ...rows,
    })

    expect(standings.map(({ state: at, reason, attempts }) => [at, reason, attempts])).toEqual([
      ['queued', 'IN_DQR_QUEUE', 2],
      ['processing', 'RETRIEVING', 1],
      ['processing', 'RETRIEVING', 0],
      ['waiting', 'NOT_REQUESTED_YET', 0],
    ])
  })

  it('asks under names that the lost one never used', () => {
    expect(rebuildLedger(evidenceOf(rows)).id).not.toBe(rebuildLedger(evidenceOf(rows)).id)
  })
})

describe('what became of an order', () => {
  const begun = (ledger = newLedger()) => {
    const standings = standingsOf({ cohort: ['A1', 'A2'], ledger })
    const lease = { requestId: 'R1', atMs: nowMs, expiresAtMs: nowMs + hourMs, pacsId: 1, cleared: new Map() }
    beginAttempts(ledger, standings, lease)
    return ledger
  }
  const outcome = (code: Outcome['code']): Outcome => ({ accessionNumber: 'A1', code, studies: [['2.25.1', 'A1']] })
  const attemptsOf = (ledger: Ledger) => ledger.entries.get('A1')?.attempts.map(([, code]) => code)

  it.each(['REQUESTED', 'NOT_ON_PACS', 'SEVERAL_STUDIES', 'LEFT_OUT_BY_XNAT', 'QUERY_FAILED'] as const)(
    'costs an attempt: %s',
    (code) => {
      const ledger = begun()
      keepOutcomes(ledger, 'R1', [outcome(code)])

      expect(attemptsOf(ledger)).toEqual([code])
      expect(ledger.entries.get('A2')?.attempts).toEqual([[0, 'SENT']])
    },
  )

  it.each(['PACS_UNREACHABLE', 'PACS_UNKNOWN', 'IMPORT_REFUSED', 'LEASE_EXPIRED'] as const)(
    'costs none, and says why it waits: %s',
    (code) => {
      const ledger = begun()
      keepOutcomes(ledger, 'R1', [outcome(code)])

      expect(attemptsOf(ledger)).toEqual([])
      expect(standingOf({ ledger })).toMatchObject({ state: 'waiting', reason: code, attempts: 0, nextAttemptMs: 0 })
    },
  )

  it('is taken down once, and not when a newer attempt is under way', () => {
    const ledger = begun()
    keepOutcomes(ledger, 'R1', [outcome('PACS_UNREACHABLE')])
    keepOutcomes(ledger, 'R1', [outcome('PACS_UNREACHABLE')])
    expect(attemptsOf(ledger)).toEqual([])

    const next = { requestId: 'R2', atMs: nowMs, expiresAtMs: nowMs + hourMs }
    beginAttempts(ledger, standingsOf({ ledger }), next)
    keepOutcomes(ledger, 'R1', [outcome('NOT_ON_PACS'), { accessionNumber: 'A3', code: 'NOT_ON_PACS' }])
    expect(attemptsOf(ledger)).toEqual(['SENT'])
    expect(ledger.entries.has('A3')).toBe(false)
  })

  it('is kept with the reason that ended each attempt', () => {
    const ledger = ledgerWith([[hourMs, 'REQUESTED']])
    const history = [executed('FAILED', { requestId: requestIdOf(1) })]
    beginAttempts(ledger, standingsOf({ ledger, history }), secondLease)

    const entry = ledger.entries.get('A1')
    expect(entry?.attempts).toEqual([
      [0, 'RETRIEVE_FAILED'],
      [1, 'SENT'],
    ])
    expect(lastLease(ledger, entry)?.requestId).toBe('R2')
  })
})

const secondLease = { requestId: 'R2', atMs: nowMs, expiresAtMs: nowMs + hourMs }

describe('what is in the way of an attempt', () => {
  const inTheWay: Leftover[] = [
    { kind: 'queued-request', id: 7 },
    { kind: 'direct-archive', id: 8, because: 'error' },
  ]

  /** A study that failed, and whose next attempt has begun. */
  function begunAgain(): Ledger {
    const ledger = ledgerWith([[hourMs, 'REQUESTED']])
    const history = [executed('FAILED', { requestId: requestIdOf(1) })]
    const standings = standingsOf({ ledger, history }).map((standing) => ({ ...standing, leftovers: inTheWay }))
    beginAttempts(ledger, standings, secondLease)
    expect(ledger.entries.get('A1')?.clearing).toEqual(inTheWay)
    return ledger
  }

  it('is written down before it is cleared away, and that it was', () => {
    const ledger = begunAgain()
    endClearing(ledger, 'A1', inTheWay)

    expect(ledger.entries.get('A1')).toMatchObject({
      attempts: [
        [0, 'RETRIEVE_FAILED'],
        [1, 'SENT'],
      ],
      cleared: [
        [1, 'queued-request'],
        [1, 'direct-archive'],
      ],
    })
    expect(ledger.entries.get('A1')?.clearing).toBeUndefined()
  })

  it('ends the attempt when some of it stays, and says what went', () => {
    const ledger = begunAgain()
    endClearing(ledger, 'A1', inTheWay.slice(0, 1))

    expect(ledger.entries.get('A1')).toMatchObject({
      attempts: [[0, 'RETRIEVE_FAILED']],
      cleared: [[1, 'queued-request']],
    })
  })
})
