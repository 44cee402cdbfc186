import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { conversionImage, prepareSite } from '../../infra/local/prepare-site.ts'
import { provisionProject } from '../../lib/services/provision-project.ts'
import { type ImportRun, importRequests, questions, startImportRun } from '../support/import-run.ts'
import { testEnvelope } from '../support/wired.ts'

const query = 'SELECT accession_id FROM omop.image_occurrence'
const minuteMs = 60_000

let run: ImportRun
beforeEach(async () => {
  run = await startImportRun()
  run.standIn.requests.clear()
})
afterEach(() => run.stop())

/** Registers the project with a cohort of these, and has it looked at. */
async function importCohort(...accessionIds: unknown[]): Promise<void> {
  run.cohorts.arrange({ query, accessionIds })
  await run.register(query)
  await run.sweep()
  expect(await run.settle()).toBe(0)
}

describe('the first import', () => {
  it('is asked for by the creation of a project, and begins at once', async () => {
    await prepareSite(run.standIn)
    run.declare(3)
    run.cohorts.arrange({ query, accessionIds: ['ACC000001', 'ACC000002', 'ACC000003'] })
    const { state, xnat, wired } = run
    const { projectId } = await provisionProject(
      {
        state,
        xnat,
        imports: wired.imports.queue,
        signal: new AbortController().signal,
        conversionImage,
        envelope: testEnvelope,
      },
      {
        hubProjectId: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
        name: 'A study',
        query,
        users: [],
        convertsToNifti: true,
      },
    )
    run.standIn.pacs.register({ projects: [projectId] })

    expect(await run.settle()).toBe(0)
    expect(await run.standings(projectId)).toEqual({
      ACC000001: 'queued IN_DQR_QUEUE',
      ACC000002: 'queued IN_DQR_QUEUE',
      ACC000003: 'queued IN_DQR_QUEUE',
    })
    await run.advance(30 * minuteMs)
    await run.sweep()
    await run.settle()
    expect(await run.standings(projectId)).toEqual({
      ACC000001: 'verified',
      ACC000002: 'verified',
      ACC000003: 'verified',
    })
  })

  it('puts each study under its accession number, and its subject under a label that says nothing', async () => {
    run.declare(1)
    await importCohort('ACC000001')

    const [row] = run.standIn.state.dqr.queue.all()
    expect(row?.remappingScript).toMatch(/\(0008,0050\) := "ACC000001"/)
    const [, subject] = /\(0010,0010\) := "([^"]+)"/.exec(row?.remappingScript ?? '') ?? []
    expect(subject).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8/)
    expect(subject).not.toContain('ACC')
  })

  it('tells of each number where it stands: not on the PACS, of several studies, or not to be asked for', async () => {
    run.declare(2)
    run.standIn.pacs.add({ accessionNumber: 'TWICE', studyInstanceUid: '2.25.1' })
    run.standIn.pacs.add({ accessionNumber: 'TWICE', studyInstanceUid: '2.25.2' })
    await importCohort('ACC000001', 'ACC000002', 'ACC000001', 'NOWHERE', 'TWICE', 'A 1', 'ACC*', '', null)

    expect(await run.standings()).toEqual({
      ACC000001: 'queued IN_DQR_QUEUE',
      ACC000002: 'queued IN_DQR_QUEUE',
      NOWHERE: 'not-found NOT_ON_PACS',
      TWICE: 'ambiguous SEVERAL_STUDIES',
      'A 1': 'refused UNSAFE_NUMBER',
    })
  })

  it('asks the PACS once for each number, and XNAT once for each hundred studies, each row by the name of its attempt', async () => {
    run.declare(250)
    await importCohort(
      ...Array.from({ length: 250 }, (_, index) => `ACC${String(index + 1).padStart(6, '0')}`),
      'NOWHERE',
    )

    expect(run.asked(questions)).toHaveLength(251)
    expect(run.asked(importRequests)).toHaveLength(3)
    const rows = run.standIn.state.dqr.queue.all()
    expect(rows).toHaveLength(250)
    const { leases } = await run.ledger()
    expect(new Set(rows.map(({ requestId }) => requestId))).toEqual(new Set(leases.map(({ requestId }) => requestId)))
  })

  it('is not repeated by further sweeps, nor by one that comes twice', async () => {
    run.declare(2)
    await importCohort('ACC000001', 'ACC000002')
    for (let round = 0; round < 3; round += 1) {
      await run.advance(minuteMs)
      await run.sweep()
      await run.sweep()
      await run.settle()
    }

    expect(run.asked(questions)).toHaveLength(2)
    expect(run.asked(importRequests)).toHaveLength(1)
  })

  it('notices a study that XNAT left out without a word, and asks for it again by the plan', async () => {
    run.declare(2)
    // DQR leaves out a study of which the PACS shows no series (xnat/dqr-containers-events A5).
    run.standIn.pacs.add({ accessionNumber: 'BARE', series: [] })
    await importCohort('ACC000001', 'BARE')

    expect(await run.standings()).toEqual({ ACC000001: 'queued IN_DQR_QUEUE', BARE: 'failed LEFT_OUT_BY_XNAT' })
    run.standIn.pacs.add({ accessionNumber: 'BARE' })
    await run.advance(6 * minuteMs)
    await run.sweep()
    await run.settle()
    expect((await run.standings())['BARE']).toBe('queued IN_DQR_QUEUE')
  })

  it('asks no PACS again by itself for a number at which it failed', async () => {
    run.declare(2)
    run.standIn.faults.next({ when: { path: /\/dqr\/query\/studies/ }, kind: 'status', status: 500 })
    await importCohort('ACC000001', 'ACC000002')

    expect(run.asked(questions)).toHaveLength(2)
    expect(Object.values(await run.standings()).toSorted()).toEqual(['failed QUERY_FAILED', 'queued IN_DQR_QUEUE'])
  })

  it('logs nothing that names a study, a query or a subject', async () => {
    run.declare(2)
    await importCohort('ACC000001', 'NOWHERE', 'TWICE')

    const lines = JSON.stringify([run.wired.lines, run.wired.measured])
    for (const secret of ['ACC0', 'NOWHERE', 'TWICE', 'omop', '2.25.']) expect(lines).not.toContain(secret)
    expect(lines).toContain('"import planned"')
  })
})

describe.each([
  ['newest', ['A']],
  ['all', ['A', 'A__2']],
] as const)('of several studies by STUDY_CHOICE=%s', (STUDY_CHOICE, expected) => {
  it('each chosen one gets a session, and keeps it at a later attempt', async () => {
    await run.stop()
    run = await startImportRun({ STUDY_CHOICE, RETRY_PLAN: '3x5m' })
    run.standIn.pacs.add(
      { accessionNumber: 'A', studyInstanceUid: '2.25.1', studyDate: '20240101' },
      {
        accessionNumber: 'A',
        studyInstanceUid: '2.25.2',
        studyDate: '20240102',
        fate: { kind: 'move-fails', attempts: 5 },
      },
    )
    await importCohort('A')
    for (let round = 0; round < 12; round += 1) {
      await run.advance(10 * minuteMs)
      await run.sweep()
      await run.settle()
    }

    const labels = run.standIn.state.experiments.all().map(({ label }) => label)
    expect(labels.toSorted()).toEqual(expected)
    expect(await run.standings()).toEqual({ A: 'verified' })
  })
})
