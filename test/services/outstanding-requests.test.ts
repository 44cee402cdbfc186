import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type ImportRun, questions, startImportRun } from '../support/import-run.ts'
import { basic } from '../support/plain-http.ts'

const minuteMs = 60_000

let run: ImportRun
afterEach(() => run.stop())

const numbersOf = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`)

async function name(projectId: string, accession_numbers: readonly string[]): Promise<void> {
  const reply = await run.ask({ method: 'POST', path: `/retrieval/imports/${projectId}`, body: { accession_numbers } })
  expect(reply.status).toBe(202)
}

const outstanding = () => run.standIn.state.dqr.queue.all().length

describe('DQR_MAX_OUTSTANDING', () => {
  it('bounds what DQR holds for two projects together that are planned at once, and both come to their end', async () => {
    run = await startImportRun({ DQR_MAX_OUTSTANDING: '30' }, { threads: 8 })
    await run.addProject('P2')
    const cohorts = { P1: numbersOf('A', 80), P2: numbersOf('B', 80) }
    for (const [projectId, cohort] of Object.entries(cohorts)) {
      run.standIn.pacs.add(...cohort.map((accessionNumber) => ({ accessionNumber, series: [{ instances: 1 }] })))
      await name(projectId, cohort)
    }
    let highest = 0
    const reached = new Map<string, number>()
    for (let round = 0; round < 60 && reached.size < 2; round += 1) {
      for (;;) {
        const planners = await Promise.all([run.step('imports'), run.step('imports')])
        highest = Math.max(highest, outstanding())
        const asker = await run.step('studies')
        highest = Math.max(highest, outstanding())
        if ([...planners, asker].every((end) => end === 'nothing there')) break
      }
      expect(highest).toBeLessThanOrEqual(30)
      for (const projectId of ['P1', 'P2']) {
        const states = new Set(Object.values(await run.standings(projectId)))
        if (states.size === 1 && states.has('verified')) reached.set(projectId, round)
      }
      await run.advance(5 * minuteMs)
      await run.sweep()
    }

    expect([...reached.keys()].toSorted()).toEqual(['P1', 'P2'])
    expect(highest).toBe(30)
    expect(run.letters()).toEqual([])
  }, 120_000)

  it('counts what others have queued', async () => {
    run = await startImportRun({ DQR_MAX_OUTSTANDING: '5' })
    const [own, foreign] = [numbersOf('A', 5), numbersOf('F', 3)]
    const studies = run.standIn.pacs.add(...[...own, ...foreign].map((accessionNumber) => ({ accessionNumber })))
    const body = {
      pacsId: 1,
      aeTitle: 'XNAT',
      port: 8104,
      projectId: 'P1',
      requestId: 'by-hand',
      studies: studies.slice(5).map(({ studyInstanceUid }) => ({ studyInstanceUid })),
    }
    const { user, password, url } = run.standIn
    const headers = { ...basic(user, password), 'content-type': 'application/json' }
    await fetch(`${url}/xapi/dqr/import`, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(outstanding()).toBe(3)
    await name('P1', own)
    await run.settle()

    expect(outstanding()).toBe(5)
    const { body: told } = await run.ask({ method: 'GET', path: '/retrieval/import_status/P1' })
    expect(told).toMatchObject({ states: { queued: 2, waiting: 3 }, waiting: { code: 'NO_ROOM' } })
  })
})

describe('questions to the PACS', () => {
  it('are under way no more at a time than PACS_FIND_CONCURRENCY, over all orders of a run', async () => {
    run = await startImportRun({ PACS_FIND_CONCURRENCY: '3' })
    await name('P1', numbersOf('A', 250))
    await run.step('imports')
    run.standIn.faults.next({ when: { path: /\/dqr\/query\/studies/ }, kind: 'slow', delayMs: 2, times: 250 })
    let most = 0
    let isDone = false
    const settled = run.settle().finally(() => {
      isDone = true
    })
    while (!isDone) {
      most = Math.max(most, run.asked(questions).filter(({ status }) => status === undefined).length)
      await turn()
    }
    await settled

    expect(run.asked(questions)).toHaveLength(250)
    expect(most).toBe(3)
  })
})
