import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ReasonCode, StudyState } from '../../lib/imports/study-state.ts'
import { type CohortScenario, hourMs, minuteMs, startCohortScenario } from '../support/cohort-scenario.ts'

const mostOutstanding = 700
const stallAfterMs = 2 * hourMs

let scenario: CohortScenario
beforeEach(async () => {
  const retryPlan = Array<number>(4).fill(6 * hourMs)
  scenario = await startCohortScenario({ threads: 8, settings: { mostOutstanding, stallAfterMs, retryPlan } })
})
afterEach(() => scenario.stop())

const studies = 2_000
const cohort = Array.from({ length: studies }, (_, index) => `ACC${String(index).padStart(5, '0')}`)

/** Of every two hundred studies so many meet this misfortune. */
const lots = { lost: 20, receiving: 3, building: 3, failing: 4, shells: 5, missing: 10, ambiguous: 2 } as const
type Lot = keyof typeof lots | 'well'

function lotOf(index: number): Lot {
  let place = index % 200
  for (const [lot, share] of Object.entries(lots)) {
    if (place < share) return lot as Lot
    place -= share
  }
  return 'well'
}

const membersOf = (lot: Lot) => cohort.filter((_, index) => lotOf(index) === lot)

const fates = {
  lost: { kind: 'sends-nothing', history: 'ISSUED' },
  receiving: { kind: 'gets-stuck', in: 'RECEIVING', attempts: 1_000 },
  building: { kind: 'gets-stuck', in: 'BUILDING', attempts: 1_000 },
  failing: { kind: 'move-fails' },
  shells: { kind: 'empty-shell', without: 'files', attempts: 1_000 },
} as const

const truth: Readonly<Record<Lot, { state: StudyState; reason?: ReasonCode }>> = {
  well: { state: 'verified' },
  lost: { state: 'stalled', reason: 'NOTHING_ARRIVED' },
  receiving: { state: 'stalled', reason: 'PREARCHIVE_STALLED' },
  building: { state: 'stalled', reason: 'PREARCHIVE_STALLED' },
  failing: { state: 'failed', reason: 'RETRIEVE_FAILED' },
  shells: { state: 'incomplete', reason: 'SESSION_EMPTY' },
  missing: { state: 'not-found', reason: 'NOT_ON_PACS' },
  ambiguous: { state: 'ambiguous', reason: 'SEVERAL_STUDIES' },
}

/** The second study under the number of an ambiguous one. */
const doubleOf = (accessionNumber: string) => `1.2.3.${Number(accessionNumber.slice(3)) + 1}`
const series = [{ instances: 1 }]

function fillPacs(): void {
  const { pacs } = scenario.standIn
  cohort.forEach((accessionNumber, index) => {
    const lot = lotOf(index)
    if (lot === 'missing') return
    pacs.add({ accessionNumber, series, ...(lot in fates && { fate: fates[lot as keyof typeof fates] }) })
    if (lot === 'ambiguous') pacs.add({ accessionNumber, series, studyInstanceUid: doubleOf(accessionNumber) })
  })
}

function liftFaults(): void {
  const { pacs, state } = scenario.standIn
  pacs.decree({ kind: 'arrives' })
  pacs.add(...membersOf('missing').map((accessionNumber) => ({ accessionNumber, series })))
  for (const accessionNumber of membersOf('ambiguous')) state.dqr.pacsStudies.delete(doubleOf(accessionNumber))
}

/** How many import requests each study got, by accession number. */
function requestsMade(): Map<string, number> {
  const requests = new Map<string, Set<string>>()
  for (const { accessionNumber = '', requestId = '' } of scenario.standIn.state.dqr.history.all()) {
    requests.set(accessionNumber, (requests.get(accessionNumber) ?? new Set()).add(requestId))
  }
  return new Map([...requests].map(([accessionNumber, ids]) => [accessionNumber, ids.size]))
}

async function expectToAddUp(): Promise<void> {
  const { standings, states, classes } = await scenario.status()
  expect(standings).toHaveLength(studies)
  for (const counts of [states, classes]) {
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(studies)
  }
  expect(scenario.outstanding()).toBeLessThanOrEqual(mostOutstanding)
}

describe('a cohort of 2,000 studies, one in four of them unlucky', () => {
  it('has each classified right within a sweep of its limit, and ends verified once the faults are lifted', async () => {
    const passing = { everyMs: 5 * minuteMs, afterEach: expectToAddUp }
    fillPacs()
    // XNAT tries no retrieve a second time by itself: what is made again is of our plan.
    await scenario.configureDqr({ dqrMaxPacsRequestAttempts: '1' })

    await scenario.name([...cohort, ...cohort.slice(0, 50)])
    await expectToAddUp()
    await scenario.pass(20 * minuteMs, passing)
    expect(scenario.outstanding()).toBe(0)
    await scenario.pass(stallAfterMs, { ...passing, everyMs: 20 * minuteMs })
    const { standings } = await scenario.status()
    const told = new Map(standings.map(({ accessionNumber, state, reason }) => [accessionNumber, { state, reason }]))
    for (const lot of ['well', ...Object.keys(lots)] as Lot[]) {
      const different = membersOf(lot).filter((each) => told.get(each)?.state !== truth[lot].state)
      expect(
        different.map((each) => [each, told.get(each)]),
        lot,
      ).toEqual([])
      expect(told.get(membersOf(lot)[0] ?? ''), lot).toMatchObject(truth[lot])
    }

    liftFaults()
    await scenario.pass(5 * hourMs, { ...passing, everyMs: 30 * minuteMs })
    expect((await scenario.status()).states).toEqual({ verified: studies })
    const requests = requestsMade()
    expect(membersOf('well').filter((each) => requests.get(each) !== 1)).toEqual([])
    expect(membersOf('lost').filter((each) => requests.get(each) !== 2)).toEqual([])

    scenario.standIn.requests.clear()
    await scenario.pass(hourMs)
    expect(scenario.standIn.requests.list()).toEqual([])
  }, 300_000)
})
