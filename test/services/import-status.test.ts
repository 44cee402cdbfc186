import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ImportRun, startImportRun } from '../support/import-run.ts'

const minuteMs = 60_000
const query = 'SELECT accession_id FROM omop.image_occurrence'
const encoded_query = Buffer.from(query).toString('base64url')

let run: ImportRun
beforeEach(async () => {
  run = await startImportRun()
})
afterEach(() => run.stop())

interface Answer {
  studies_count: number
  matching_count: number
  states: Record<string, number>
  classes: Record<string, number>
  looked_at: string | null
  studies: { accession_number: string; state: string }[]
}

async function read(parameters: Record<string, string> = {}): Promise<Answer> {
  const reply = await run.ask({ method: 'GET', path: '/retrieval/import_status/P1', query: parameters })
  expect(reply.status, reply.text).toBe(200)
  return reply.body as Answer
}

const sumOf = (counts: Record<string, number>) => Object.values(counts).reduce((sum, some) => sum + some, 0)
const numbersOf = ({ studies }: Answer) => studies.map(({ accession_number }) => accession_number)

/** Three verified, two empty, two not on the PACS, one on its way, and one that cannot be asked for. */
async function mixedCohort(): Promise<string[]> {
  const studies = run.declare(6)
  run.archive(studies.slice(0, 3))
  run.archive(studies.slice(3, 5), { without: 'files' })
  const cohort = [...studies.map(({ accessionNumber }) => accessionNumber), 'NOWHERE1', 'NOWHERE2', 'N 1']
  run.cohorts.arrange({ query, accessionIds: cohort })
  await run.register(query)
  await run.sweep()
  await run.settle()
  return cohort
}

describe('the studies of a cohort', () => {
  it('are told in its order, with counts that add up to it, in states and in classes', async () => {
    const cohort = await mixedCohort()
    const answer = await read()

    expect(numbersOf(answer)).toEqual(cohort)
    expect([answer.studies_count, answer.matching_count]).toEqual([9, 9])
    expect([sumOf(answer.states), sumOf(answer.classes)]).toEqual([9, 9])
    expect(answer.states).toEqual({ verified: 3, queued: 3, 'not-found': 2, refused: 1 })
    expect(answer.classes).toEqual({ successful: 3, failed: 0, processing: 0, queued: 3, queue_failed: 3 })
  })

  it('are told by state and by reason, and the totals stay those of the cohort', async () => {
    await mixedCohort()

    const some = await read({ state: 'not-found,refused' })
    expect(numbersOf(some)).toEqual(['NOWHERE1', 'NOWHERE2', 'N 1'])
    expect([some.studies_count, some.matching_count, sumOf(some.states)]).toEqual([9, 3, 9])
    expect(numbersOf(await read({ reason: 'UNSAFE_NUMBER' }))).toEqual(['N 1'])
    expect(numbersOf(await read({ state: 'verified', reason: 'UNSAFE_NUMBER' }))).toEqual([])
  })

  it('are told in parts that fit together', async () => {
    const cohort = await mixedCohort()
    const parts = [
      await read({ limit: '4' }),
      await read({ limit: '4', offset: '4' }),
      await read({ limit: '4', offset: '8' }),
    ]

    expect(parts.flatMap(numbersOf)).toEqual(cohort)
    expect(parts.map(({ matching_count }) => matching_count)).toEqual([9, 9, 9])
    expect(numbersOf(await read({ limit: '4', offset: '100' }))).toEqual([])
  })

  it.each([{ state: 'lost' }, { state: '' }, { limit: '0' }, { limit: '10001' }, { offset: '-1' }, { limit: 'all' }])(
    'are not told by %j',
    async (parameters) => {
      const path = '/retrieval/import_status/P1'
      expect((await run.ask({ method: 'GET', path, query: parameters })).status).toBe(422)
    },
  )

  it('of a project that nobody has asked to import are none', async () => {
    expect(await read()).toMatchObject({ studies_count: 0, states: {}, looked_at: null, studies: [] })
  })

  it('of a project that others import are told by the query, without a ledger of ours', async () => {
    run.archive(run.declare(2).slice(0, 1))
    run.cohorts.arrange({ query, accessionIds: ['ACC000001', 'ACC000002'] })

    expect(await read({ encoded_query })).toMatchObject({ states: { verified: 1, waiting: 1 }, looked_at: null })
  })

  it('are told by what the query yields now, beside those asked for by name', async () => {
    await mixedCohort()
    await run.ask({ method: 'POST', path: '/retrieval/imports/P1', body: { accession_numbers: ['BYNAME'] } })
    await run.settle()
    run.cohorts.arrange({ query, accessionIds: ['ACC000001'] })

    expect(numbersOf(await read({ encoded_query }))).toEqual(['ACC000001', 'BYNAME'])
    expect(numbersOf(await read())).toHaveLength(10)
    const count = await run.ask({
      method: 'GET',
      path: '/retrieval/import_status_count/P1',
      query: { encoded_query },
    })
    expect(count.body).toMatchObject({ import_status: { successful_count: 1, queue_failed_count: 1 } })
  })
})

describe('a cohort whose source does not answer', () => {
  it('is told as it was heard last, unless its query is to be run', async () => {
    await mixedCohort()
    run.cohorts.configure({ isDown: true })

    expect((await read()).studies_count).toBe(9)
    const asked = { method: 'GET', path: '/retrieval/import_status/P1', query: { encoded_query } } as const
    expect(await run.ask(asked)).toMatchObject({ status: 503, headers: { 'retry-after': '30' } })
    run.cohorts.configure({ isDown: false, threshold: 10 })
    expect((await run.ask(asked)).status).toBe(403)
    run.cohorts.arrange({ query, invalidSql: 'no such column' })
    expect((await run.ask(asked)).status).toBe(400)
  })
})

describe('what the status costs XNAT', () => {
  const requests = () => run.standIn.requests.list().length

  it('is nothing within STATUS_CACHE_SECONDS of an equal question, and one reading for those at the same time', async () => {
    await run.stop()
    run = await startImportRun({ STATUS_CACHE_SECONDS: '600' })
    await mixedCohort()
    run.standIn.requests.clear()
    await Promise.all([read(), read(), read({ state: 'verified' })])
    const once = requests()
    await read({ limit: '1' })
    expect(requests()).toBe(once)

    await read({ encoded_query })
    expect(requests()).toBeGreaterThan(once)
    const path = '/retrieval/import_status_count/P1'
    const twice = requests()
    expect((await run.ask({ method: 'GET', path, query: { encoded_query } })).status).toBe(200)
    expect(requests()).toBe(twice)
  })

  it('is one reading for each question where nothing is to be kept', async () => {
    await mixedCohort()
    run.standIn.requests.clear()
    await read()
    const once = requests()
    await read()

    expect(requests()).toBe(2 * once)
  })

  it("is seven requests for a cohort whose files were counted: DQR's history is read down to what was seen before", async () => {
    await run.stop()
    run = await startImportRun({}, { threads: 8 })
    addHistory(3_500)
    run.declare(1)
    await run.ask({ method: 'POST', path: '/retrieval/imports/P1', body: { accession_numbers: ['ACC000001'] } })
    const pages = () => run.asked(/^GET \/xapi\/dqr\/import\/history$/).length
    run.standIn.requests.clear()
    await run.step('imports')
    expect(pages()).toBe(4)

    await run.settle()
    await run.advance(10 * minuteMs)
    await run.advance(120 * minuteMs)
    await run.sweep()
    await run.settle()
    run.standIn.requests.clear()
    expect((await read()).states).toEqual({ verified: 1 })
    expect(pages()).toBe(1)
    expect(requests()).toBe(7)
  })
})

/** Retrieves of another project, one a minute, the last of them half a day ago. */
function addHistory(rows: number): void {
  const { state } = run.standIn
  const firstMs = run.now().getTime() - (12 * 60 + rows) * minuteMs
  for (let row = 0; row < rows; row += 1) {
    const atMs = firstMs + row * minuteMs
    state.dqr.history.put({
      id: state.next('dqrHistory'),
      createdMs: atMs,
      changedMs: atMs,
      pacsId: 1,
      username: 'admin',
      projectId: 'OTHER',
      studyInstanceUid: `2.25.${row}`,
      seriesIds: [],
      destinationAeTitle: 'XNAT:8104',
      queuedTimeMs: atMs,
      executedTimeMs: atMs,
      status: 'RECEIVED',
    })
  }
}
