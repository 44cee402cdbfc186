import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findCohort } from '../../lib/imports/cohort.ts'
import { findRegistration } from '../../lib/provisioning/registration.ts'
import { type ImportRun, importRequests, questions, startImportRun } from '../support/import-run.ts'

const minuteMs = 60_000
const query = 'SELECT accession_id FROM omop.image_occurrence'

let run: ImportRun
beforeEach(async () => {
  run = await startImportRun({ RETRY_PLAN: '1x5m' })
  run.standIn.requests.clear()
})
afterEach(() => run.stop())

const name = (accession_numbers: unknown, projectId = 'P1') =>
  run.ask({ method: 'POST', path: `/retrieval/imports/${projectId}`, body: { accession_numbers } })

async function pass(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await run.advance(10 * minuteMs)
    await run.sweep()
    expect(await run.settle()).toBe(0)
  }
}

describe('accession numbers that are given by name', () => {
  it('are imported into a project that others made, and swept from then on', async () => {
    run.declare(1)
    const reply = await name(['ACC000001', 'ACC000002', 'ACC000001', 'ACC*', ''])
    expect(reply).toMatchObject({ status: 202, body: { projectId: 'P1', accepted: 2, dropped: 2 } })
    await run.settle()

    expect(await findRegistration(run.state, 'P1')).toMatchObject({ projectId: 'P1', secondaryId: 'hub-1' })
    expect(await run.standings()).toEqual({ ACC000001: 'queued IN_DQR_QUEUE', ACC000002: 'not-found NOT_ON_PACS' })
    run.standIn.pacs.add({ accessionNumber: 'ACC000002' })
    await pass(4)
    expect(await run.standings()).toEqual({ ACC000001: 'verified', ACC000002: 'verified' })
  })

  it('come beside those of the query, and stay when the query yields others', async () => {
    run.declare(3)
    run.cohorts.arrange({ query, accessionIds: ['ACC000001'] })
    await run.register(query)
    await name(['ACC000002'])
    await run.settle()
    expect(Object.keys(await run.standings())).toEqual(['ACC000001', 'ACC000002'])

    run.cohorts.arrange({ query, accessionIds: ['ACC000003'] })
    const encoded_query = Buffer.from(query).toString('base64url')
    await run.ask({ method: 'PUT', path: '/retrieval/reimport_imaging_project_studies/P1', query: { encoded_query } })
    await run.settle()
    expect(Object.keys(await run.standings())).toEqual(['ACC000003', 'ACC000002'])
    expect(await findCohort(run.state, 'P1')).toMatchObject({ queried: ['ACC000003'], named: ['ACC000002'] })
  })

  it('that the query yields anyway stay with it, and go when it drops them', async () => {
    run.declare(2)
    run.cohorts.arrange({ query, accessionIds: ['ACC000001', 'ACC000002'] })
    await run.register(query)
    await run.sweep()
    await run.settle()
    await name(['ACC000001'])
    await run.settle()

    run.cohorts.arrange({ query, accessionIds: ['ACC000002'] })
    const encoded_query = Buffer.from(query).toString('base64url')
    await run.ask({ method: 'PUT', path: '/retrieval/reimport_imaging_project_studies/P1', query: { encoded_query } })
    await run.settle()
    expect(Object.keys(await run.standings())).toEqual(['ACC000002'])
  })

  it('are tried at once where the plan was spent, and by the plan from then on', async () => {
    await name(['ACC000001'])
    await run.settle()
    await pass(3)
    expect(await run.standings()).toEqual({ ACC000001: 'exhausted NOT_ON_PACS' })
    const before = run.asked(questions).length
    expect(before).toBe(2)

    await name(['ACC000001'])
    await run.settle()
    expect(run.asked(questions)).toHaveLength(before + 1)
    expect(await run.standings()).toEqual({ ACC000001: 'not-found NOT_ON_PACS' })
    run.standIn.pacs.add({ accessionNumber: 'ACC000001' })
    await pass(3)
    expect(await run.standings()).toEqual({ ACC000001: 'verified' })
  })

  it('are not asked for where they are there, or on their way', async () => {
    const studies = run.declare(2)
    run.archive(studies.slice(0, 1))
    await name(['ACC000001', 'ACC000002'])
    await run.settle()
    await name(['ACC000001', 'ACC000002'])
    await run.settle()

    expect(run.asked(questions)).toHaveLength(1)
    expect(run.asked(importRequests)).toHaveLength(1)
    expect(await run.standings()).toEqual({ ACC000001: 'verified', ACC000002: 'queued IN_DQR_QUEUE' })
  })

  it('may be many thousands', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `N${index}`)
    run.standIn.state.arrange({ pacsDown: true })
    expect((await name(many)).body).toEqual({ projectId: 'P1', accepted: 5_000, dropped: 0 })
    await run.settle()

    expect(Object.keys(await run.standings())).toEqual(many)
  })

  it.each([
    ['none', []],
    ['no list', 'ACC000001'],
    ['numbers', [4711]],
    ['a text longer than any', ['x'.repeat(1_025)]],
  ])('are refused when there is %s', async (_, given) => {
    expect((await name(given)).status).toBe(422)
  })

  it('are refused for a project that XNAT does not have, and nothing is kept of it', async () => {
    expect(await name(['ACC000001'], 'NOWHERE')).toMatchObject({
      status: 404,
      body: { detail: "404: Project with ID 'NOWHERE' not found." },
    })
    expect(await run.step('imports')).toBe('nothing there')
  })
})
