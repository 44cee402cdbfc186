import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLedger } from '../../lib/imports/ledger.ts'
import { type CohortScenario, hourMs, minuteMs, startCohortScenario } from '../support/cohort-scenario.ts'

const mostOutstanding = 60
/** `3x5m,6x30m`: ten attempts in all. */
const retryPlan = [...Array<number>(3).fill(5 * minuteMs), ...Array<number>(6).fill(30 * minuteMs)]

let scenario: CohortScenario
beforeEach(async () => {
  scenario = await startCohortScenario({ settings: { mostOutstanding, retryPlan } })
})
afterEach(() => scenario.stop())

const cohort = Array.from({ length: 200 }, (_, index) => `ACC${String(index).padStart(5, '0')}`)
/** These never come, however often they are asked for. */
const hopeless = cohort.slice(0, 5)

const setPacs = (pacsDown: boolean) => scenario.standIn.state.arrange({ pacsDown })

describe('a PACS that is away more than it is there', () => {
  it('has its studies tried by the plan, within the bound, and ends with each verified or exhausted', async () => {
    const { pacs } = scenario.standIn
    pacs.add(...cohort.map((accessionNumber) => ({ accessionNumber, series: [{ instances: 1 }] })))
    pacs.decree({ kind: 'move-fails-sometimes', probability: 0.3 })
    pacs.decree({ kind: 'move-fails' }, hopeless)
    await scenario.configureDqr({ dqrMaxPacsRequestAttempts: '1' })
    let most = 0
    const watched = async () => {
      most = Math.max(most, scenario.outstanding())
    }
    const passing = { everyMs: 5 * minuteMs, afterEach: watched }

    setPacs(true)
    await scenario.name(cohort)
    await scenario.pass(36 * hourMs, { everyMs: hourMs, afterEach: watched })
    const waiting = await scenario.status()
    expect(waiting.waiting?.code).toBe('PACS_UNREACHABLE')
    expect(waiting.states).toEqual({ waiting: cohort.length })
    expect(waiting.standings.every(({ attempts }) => attempts === 0)).toBe(true)

    setPacs(false)
    await scenario.pass(2 * hourMs, passing)
    setPacs(true)
    const before = await scenario.status()
    await scenario.pass(12 * hourMs, { everyMs: hourMs, afterEach: watched })
    const after = await scenario.status()
    const attempts = (status: typeof before) => status.standings.map((each) => each.attempts)
    expect(attempts(after)).toEqual(attempts(before))

    setPacs(false)
    await scenario.pass(8 * hourMs, passing)
    const { states, standings } = await scenario.status()
    expect(states).toEqual({ verified: cohort.length - hopeless.length, exhausted: hopeless.length })
    expect(most).toBeLessThanOrEqual(mostOutstanding)
    expect(most).toBeGreaterThan(0)
    const spent = standings.filter(({ state }) => state === 'exhausted')
    expect(spent.map(({ accessionNumber, reason }) => [accessionNumber, reason])).toEqual(
      hopeless.map((each) => [each, 'RETRIEVE_FAILED']),
    )
    await expectTriedByThePlan()
  }, 300_000)
})

/** Each attempt is in the ledger with its time and outcome, and none was made before it was due. */
async function expectTriedByThePlan(): Promise<void> {
  const stored = await readLedger(scenario.state, scenario.projectId)
  if (stored.kind !== 'found') throw new Error('there is no ledger')
  const { leases, entries } = stored.ledger
  for (const [accessionNumber, { attempts }] of entries) {
    const times = attempts.map(([lease]) => leases[lease]?.atMs ?? 0)
    for (const [index, waitMs] of retryPlan.slice(0, times.length - 1).entries()) {
      expect((times[index + 1] ?? 0) - (times[index] ?? 0), accessionNumber).toBeGreaterThanOrEqual(waitMs)
    }
    const isHopeless = hopeless.includes(accessionNumber)
    expect(attempts.at(-1)?.[1], accessionNumber).toBe(isHopeless ? 'REQUESTED' : 'VERIFIED')
    expect(
      attempts.slice(0, -1).every(([, code]) => code === 'RETRIEVE_FAILED'),
      accessionNumber,
    ).toBe(true)
    if (isHopeless) expect(attempts).toHaveLength(retryPlan.length + 1)
  }
}
