// What keeps a cohort waiting: it costs no attempt, its reason is told, and the import goes on by itself.
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ImportRun, importRequests, questions, startImportRun } from '../support/import-run.ts'

const query = 'SELECT accession_id FROM omop.image_occurrence'
const minuteMs = 60_000

let run: ImportRun
beforeEach(async () => {
  run = await startImportRun()
  run.declare(3)
  run.cohorts.arrange({ query, accessionIds: cohort })
  await run.register(query)
  run.standIn.requests.clear()
})
afterEach(() => run.stop())

const cohort = ['ACC000001', 'ACC000002', 'ACC000003']

async function sweep(): Promise<void> {
  await run.advance(minuteMs)
  await run.sweep()
  expect(await run.settle()).toBe(0)
}

interface Told {
  studies_count: number
  states: Record<string, number>
  waiting: { code: string; since: string } | null
  studies: { attempts: number; reason: string; next_attempt: string | null }[]
}

async function told(): Promise<Told> {
  const { status, body } = await run.ask({ method: 'GET', path: '/retrieval/import_status/P1' })
  expect(status).toBe(200)
  return body as Told
}

/** Nothing was asked of the PACS, and nobody was given up; once the cause is gone, all are asked for. */
async function expectToWait(code: string, mend: () => unknown): Promise<void> {
  await sweep()
  const first = await told()
  expect(first).toMatchObject({ studies_count: 3, states: { waiting: 3 }, waiting: { code } })
  expect(first.studies.map(({ attempts }) => attempts)).toEqual([0, 0, 0])
  await sweep()
  expect((await told()).waiting).toEqual(first.waiting)
  expect(run.asked(questions)).toHaveLength(0)
  expect(run.asked(importRequests)).toHaveLength(0)
  expect(run.letters()).toEqual([])

  await mend()
  await sweep()
  expect(await told()).toMatchObject({ states: { queued: 3 }, waiting: null })
}

describe('a cohort waits', () => {
  it('while the PACS is down', async () => {
    run.standIn.state.arrange({ pacsDown: true })
    await expectToWait('PACS_UNREACHABLE', () => run.standIn.state.arrange({ pacsDown: false }))
  })

  it('while no availability window of the PACS is open', async () => {
    const { availability } = run.standIn.state.dqr
    const all = availability.all()
    for (const interval of all) availability.put({ ...interval, threads: 0, utilizationPercent: 0 })
    await expectToWait('PACS_CLOSED', () => {
      for (const interval of all) availability.put(interval)
    })
  })

  it('while XNAT knows no PACS', async () => {
    const { pacs } = run.standIn.state.dqr
    const all = pacs.all()
    for (const { id } of all) pacs.delete(String(id))
    await expectToWait('PACS_UNKNOWN', () => {
      for (const each of all) pacs.put(each)
    })
  })

  it('while XNAT has no DQR plug-in', async () => {
    run.standIn.faults.next({ when: { path: /^\/xapi\/(dqr|pacs)/ }, kind: 'status', status: 404, times: 1_000 })
    await expectToWait('PACS_UNKNOWN', () => run.standIn.faults.clear())
  })

  it('while the project is not there, or not to be seen', async () => {
    const project = run.standIn.state.projects.get('P1')!
    run.standIn.state.projects.delete('P1')
    await sweep()
    expect(run.letters()).toEqual([])
    expect(run.asked(questions)).toHaveLength(0)

    run.standIn.state.projects.put(project)
    await sweep()
    expect(await told()).toMatchObject({ states: { queued: 3 }, waiting: null })
  })
})

describe('an order finds', () => {
  it('that the PACS has gone silent: all that it was not asked for waits, and costs no attempt', async () => {
    await run.sweep()
    await run.step('imports')
    run.standIn.state.arrange({ pacsDown: true })
    expect(await run.settle()).toBe(0)

    expect(await told()).toMatchObject({ states: { waiting: 3 } })
    expect(new Set(Object.values(await run.standings()))).toEqual(new Set(['waiting PACS_UNREACHABLE']))
    expect((await told()).studies.map(({ attempts }) => attempts)).toEqual([0, 0, 0])
    // As many as were under way at once, and none behind them.
    expect(run.asked(questions).length).toBeLessThanOrEqual(4)
    run.standIn.state.arrange({ pacsDown: false })
    await sweep()
    expect(await told()).toMatchObject({ states: { queued: 3 }, waiting: null })
  })

  it('that the PACS falls silent half-way: nothing more is asked of it, and no attempt is lost', async () => {
    run.cohorts.arrange({ query, accessionIds: run.declare(60).map(({ accessionNumber }) => accessionNumber) })
    await run.sweep()
    await run.step('imports')
    const settled = run.settle()
    while (run.asked(questions).length < 20) await turn()
    run.standIn.state.arrange({ pacsDown: true })
    await settled

    expect(await told()).toMatchObject({ states: { waiting: 60 } })
    expect(run.asked(questions).length).toBeLessThan(60)
    expect(run.asked(importRequests)).toHaveLength(0)
    run.standIn.state.arrange({ pacsDown: false })
    await sweep()
    expect(await told()).toMatchObject({ states: { queued: 60 } })
    expect((await told()).studies.every(({ attempts }) => attempts === 1)).toBe(true)
  })

  it('that the PACS is gone when the import is requested: what XNAT leaves out waits, and no attempt is lost', async () => {
    await run.sweep()
    await run.step('imports')
    const settled = run.settle()
    while (run.asked(importRequests).length < 1) {
      if (run.asked(questions).filter(({ status }) => status === 200).length === cohort.length) {
        run.standIn.state.arrange({ pacsDown: true })
      }
      await turn()
    }
    await settled

    expect(new Set(Object.values(await run.standings()))).toEqual(new Set(['waiting PACS_UNREACHABLE']))
    expect((await told()).studies.map(({ attempts }) => attempts)).toEqual([0, 0, 0])
  })

  it('that the project may not import: it waits until somebody lets it', async () => {
    const { projectSettings } = run.standIn.state.dqr
    const [settings] = projectSettings.all()
    projectSettings.put({ ...settings!, dqrEnabled: false })
    await sweep()

    expect(new Set(Object.values(await run.standings()))).toEqual(new Set(['waiting IMPORT_REFUSED']))
    expect((await told()).studies.map(({ attempts }) => attempts)).toEqual([0, 0, 0])
    expect(run.letters()).toEqual([])
    projectSettings.put(settings!)
    await sweep()
    expect(await told()).toMatchObject({ states: { queued: 3 } })
  })

  it('that it lay for too long: its studies are ordered anew, and nothing is asked twice', async () => {
    await run.sweep()
    await run.step('imports')
    await run.advance(61 * minuteMs)
    await run.settle()

    expect(run.asked(questions)).toHaveLength(0)
    expect(new Set(Object.values(await run.standings()))).toEqual(new Set(['waiting LEASE_EXPIRED']))
    await sweep()
    expect(await told()).toMatchObject({ states: { queued: 3 } })
  })
})

describe("a cohort's source", () => {
  it('that is down at first is asked again by each sweep, and by none when it was heard', async () => {
    run.cohorts.configure({ isDown: true })
    await sweep()
    expect((await run.ledger()).waiting?.code).toBe('COHORT_SOURCE_UNAVAILABLE')
    expect(run.letters()).toEqual([])

    run.cohorts.configure({ isDown: false })
    await sweep()
    expect(await told()).toMatchObject({ states: { queued: 3 }, waiting: null })
    run.cohorts.configure({ isDown: true })
    await sweep()
    expect((await told()).waiting).toBeNull()
  })

  it('that releases no small cohorts keeps it waiting, by sweeps too', async () => {
    run.cohorts.configure({ threshold: 10 })
    await sweep()
    expect((await run.ledger()).waiting?.code).toBe('COHORT_BELOW_THRESHOLD')
    expect(run.asked(questions)).toHaveLength(0)

    run.cohorts.configure({ threshold: 1 })
    await sweep()
    expect(await told()).toMatchObject({ states: { queued: 3 }, waiting: null })
  })

  it('that begins to refuse the cohort ends the asking for more of it, and what was asked for is told', async () => {
    await sweep()
    run.cohorts.configure({ threshold: 10 })
    const path = '/retrieval/reimport_imaging_project_studies/P1'
    const encoded_query = Buffer.from(query).toString('base64url')
    expect((await run.ask({ method: 'PUT', path, query: { encoded_query } })).status).toBe(202)
    await run.settle()

    expect(await told()).toMatchObject({ states: { queued: 3 }, waiting: { code: 'COHORT_BELOW_THRESHOLD' } })
  })

  it('that cannot read the query is a fault of the query, which is told', async () => {
    run.cohorts.arrange({ query, invalidSql: 'no such column' })
    await sweep()

    expect((await run.ledger()).waiting?.code).toBe('COHORT_QUERY_REFUSED')
    expect(run.letters()).toEqual([])
  })

  it('that is slow is waited for, and changes nothing', async () => {
    run.cohorts.configure({ answersAfterMs: 300 })
    await sweep()

    expect(await told()).toMatchObject({ states: { queued: 3 }, waiting: null })
  })
})

describe('XNAT that is away for a while', () => {
  const goAway = () =>
    run.standIn.faults.next({ when: { path: /^\/(data|xapi)\// }, kind: 'status', status: 503, times: 10_000 })

  it('costs the look of a sweep, and the next sweep goes on', async () => {
    goAway()
    await sweep()
    expect(run.letters()).toEqual([])

    run.standIn.faults.clear()
    await sweep()
    expect(await told()).toMatchObject({ states: { queued: 3 }, waiting: null })
  })

  it('hands an order back to its queue, and no attempt is lost', async () => {
    await run.sweep()
    await run.step('imports')
    goAway()
    expect(await run.step('studies')).toBe('handed back')
    expect(run.letters()).toEqual([])

    run.standIn.faults.clear()
    expect((await told()).studies.map(({ attempts }) => attempts)).toEqual([1, 1, 1])
    expect(new Set(Object.values(await run.standings()))).toEqual(new Set(['queued REQUESTED']))
  })
})
