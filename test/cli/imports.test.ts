import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { conduit } from '../support/command-line.ts'
import { type ScriptedAnswer, type ScriptedApi, startScriptedApi } from '../support/scripted-api.ts'

let api: ScriptedApi | undefined
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imports-'))
})
afterEach(async () => {
  await api?.stop()
  await rm(folder, { recursive: true })
})

async function against(...answers: ScriptedAnswer[]) {
  api = await startScriptedApi(answers)
  return { api, env: { CONDUIT_URL: api.url, CONDUIT_SERVICE_KEY: 'fake-key' } }
}

const study = (accession_number: string, over: object = {}) => ({
  accession_number,
  state: 'failed',
  reason: 'RETRIEVE_FAILED',
  attempts: 2,
  last_attempt: '2026-01-01T00:00:00.000Z',
  next_attempt: null,
  ...over,
})

const status = (states: Record<string, number>, over: object = {}): ScriptedAnswer => ({
  body: {
    project_id: 'P1',
    studies_count: Object.values(states).reduce((sum, some) => sum + some, 0),
    states,
    classes: { successful: 0, failed: 0, processing: 0, queued: 0, queue_failed: 0 },
    waiting: null,
    looked_at: '2026-01-01T00:05:00.000Z',
    matching_count: 0,
    studies: [],
    ...over,
  },
})

describe.each([['status'], ['retry'], ['provision']])('conduit %s', (word) => {
  it('explains itself without an API', async () => {
    const { exitCode, stdout } = await conduit([word, '--help'])
    expect([exitCode, stdout.startsWith(`conduit ${word} `)]).toEqual([0, true])
  })
})

it.each([
  [['status']],
  [['status', 'P1', 'P2']],
  [['status', 'P1', '--state', 'lost']],
  [['retry']],
  [['provision']],
  [['provision', '/nowhere/study.json']],
])('a command line that is not right asks nothing and ends with 2: %j', async (args) => {
  const { api, env } = await against({ body: {} })

  expect(await conduit(args, { env })).toMatchObject({ exitCode: 2, stdout: '' })
  expect(api.asked).toEqual([])
})

describe('conduit status', () => {
  it.each<[Record<string, number>, number]>([
    [{ verified: 3 }, 0],
    [{ verified: 2, queued: 1 }, 3],
    [{ verified: 2, failed: 1 }, 3],
    [{ exhausted: 1, waiting: 1 }, 3],
    [{}, 3],
    [{ verified: 2, exhausted: 1 }, 1],
    [{ verified: 2, refused: 1 }, 1],
  ])('of %j ends with %i', async (states, exitCode) => {
    const { env } = await against(status(states))
    expect((await conduit(['status', 'P1'], { env })).exitCode).toBe(exitCode)
  })

  it('counts the states, in the order of their report, and says what is waited for', async () => {
    const waiting = { code: 'PACS_CLOSED', since: '2026-01-01T00:00:00.000Z' }
    const { api, env } = await against(status({ waiting: 12, verified: 3 }, { waiting }))

    expect((await conduit(['status', 'P 1/'], { env })).stdout).toBe(
      [
        '15 studies, looked at 2026-01-01T00:05:00.000Z',
        'nothing more is asked for: PACS_CLOSED since 2026-01-01T00:00:00.000Z',
        '       3  verified',
        '      12  waiting',
        '',
      ].join('\n'),
    )
    expect(api.asked.map(({ path }) => path)).toEqual(['/retrieval/import_status/P%201%2F?limit=1&offset=0'])
  })

  it('lists the studies of some states, page by page', async () => {
    const { api, env } = await against(
      status({ failed: 1, stalled: 1 }, { matching_count: 2, studies: [study('A1')] }),
      status(
        { failed: 1, stalled: 1 },
        { matching_count: 2, studies: [study('LONGER2', { state: 'stalled', reason: null })] },
      ),
    )
    const { stdout } = await conduit(['status', 'P1', '--state', 'failed', '--state', 'stalled'], { env })

    expect(stdout.split('\n').slice(-4, -1)).toEqual([
      'ACCESSION  STATE    REASON           TRIES  LAST                      NEXT',
      'A1         failed   RETRIEVE_FAILED  2      2026-01-01T00:00:00.000Z  -',
      'LONGER2    stalled  -                2      2026-01-01T00:00:00.000Z  -',
    ])
    expect(api.asked.map(({ path }) => path)).toEqual([
      '/retrieval/import_status/P1?state=failed%2Cstalled&limit=10000&offset=0',
      '/retrieval/import_status/P1?state=failed%2Cstalled&limit=10000&offset=1',
    ])
  })

  it('gives scripts the totals, and the studies when they are asked for', async () => {
    const { env } = await against(
      status({ verified: 1 }),
      status({ verified: 1 }, { matching_count: 1, studies: [study('A1', { state: 'verified' })] }),
    )

    const totals = JSON.parse((await conduit(['status', 'P1', '-o', 'json'], { env })).stdout)
    expect(totals).toEqual({
      project_id: 'P1',
      studies_count: 1,
      states: { verified: 1 },
      waiting: null,
      looked_at: '2026-01-01T00:05:00.000Z',
    })
    const { stdout } = await conduit(['status', 'P1', '--all', '-o', 'json'], { env })
    expect(JSON.parse(stdout)).toMatchObject({ studies: [{ accession_number: 'A1', state: 'verified' }] })
  })

  it('of a project that is not there ends with 1, and says so', async () => {
    const { env } = await against({ status: 404, body: { detail: "404: Project with ID 'P1' not found." } })
    const { exitCode, stderr } = await conduit(['status', 'P1'], { env })

    expect(exitCode).toBe(1)
    expect(stderr).toContain("Project with ID 'P1' not found")
  })
})

describe('conduit retry', () => {
  it('hands over the numbers that it is given', async () => {
    const { api, env } = await against({ status: 202, body: { projectId: 'P1', accepted: 2, dropped: 0 } })
    const { exitCode, stdout } = await conduit(['retry', 'P1', 'A1', 'A2', '-o', 'json'], { env })

    expect([exitCode, JSON.parse(stdout)]).toEqual([0, { accepted: 2, dropped: 0 }])
    expect(api.asked).toMatchObject([
      { method: 'POST', path: '/retrieval/imports/P1', body: { accession_numbers: ['A1', 'A2'] } },
    ])
  })

  it('without any hands over those that were asked for in vain', async () => {
    const { api, env } = await against(
      status({ failed: 1, exhausted: 1, verified: 1 }, { matching_count: 2, studies: [study('A1'), study('A2')] }),
      { status: 202, body: { projectId: 'P1', accepted: 2, dropped: 0 } },
    )
    const { exitCode, stdout } = await conduit(['retry', 'P1'], { env })

    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^2 studies handed to the planner,/)
    expect(api.asked[0]?.path).toContain('state=incomplete%2Cfailed%2Cstalled%2Cnot-found%2Cambiguous%2Cexhausted&')
    expect(api.asked[1]?.body).toEqual({ accession_numbers: ['A1', 'A2'] })
  })

  it('asks for nothing when nothing was in vain', async () => {
    const { api, env } = await against(status({ verified: 3 }))

    expect((await conduit(['retry', 'P1'], { env })).exitCode).toBe(0)
    expect(api.asked).toHaveLength(1)
  })

  it('of very many goes in parts', async () => {
    const accepted = (some: number) => ({ status: 202, body: { projectId: 'P1', accepted: some, dropped: 0 } })
    const { api, env } = await against(accepted(5_000), accepted(1_000))
    const many = Array.from({ length: 6_000 }, (_, index) => `A${index}`)
    const { stdout } = await conduit(['retry', 'P1', ...many, '-o', 'json'], { env })

    expect(JSON.parse(stdout)).toEqual({ accepted: 6_000, dropped: 0 })
    const sent = api.asked.flatMap(({ body }) => (body as { accession_numbers: string[] }).accession_numbers)
    expect(sent).toEqual(many)
  })

  it('ends with 1 when some cannot be asked for', async () => {
    const { env } = await against({ status: 202, body: { projectId: 'P1', accepted: 1, dropped: 1 } })
    const { exitCode, stdout } = await conduit(['retry', 'P1', 'A1', 'A*'], { env })

    expect(exitCode).toBe(1)
    expect(stdout).toContain('1 left out')
  })
})

describe('conduit provision', () => {
  const hubProject = { project_id: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b', project_name: 'A study', query: 'SELECT 1' }
  const user = { username: 'ann', email: 'ann@x.example', encrypted_setup_path: 'sealed' }
  const created = (over: object = {}): ScriptedAnswer => ({
    body: { ID: 'P1', name: 'A study:3f2b', created_users: [user], added_users: [], failed_users: [], ...over },
  })

  async function fileWith(text: string): Promise<string> {
    const file = join(folder, 'study.json')
    await writeFile(file, text)
    return file
  }

  it('sends the file, and tells of the project without what is sealed for the hub', async () => {
    const { api, env } = await against(created())
    const { exitCode, stdout } = await conduit(['provision', await fileWith(JSON.stringify(hubProject))], { env })

    expect([exitCode, stdout]).toEqual([0, 'P1  A study:3f2b\n1 users invited, 0 added\n'])
    expect(api.asked).toMatchObject([
      { method: 'POST', path: '/projects/create-project-from-central-hub-project', body: hubProject },
    ])
    const asJson = await conduit(['provision', await fileWith(JSON.stringify(hubProject)), '-o', 'json'], { env })
    expect(asJson.stdout).not.toContain('sealed')
  })

  it('ends with 3 when users could not be settled: the same command goes on', async () => {
    const { env } = await against(created({ failed_users: [{ email: 'bob@x.example', code: 'XNAT_REFUSED' }] }))
    const { exitCode, stdout } = await conduit(['provision', await fileWith('{}')], { env })

    expect(exitCode).toBe(3)
    expect(stdout).toContain('not added: bob@x.example XNAT_REFUSED')
  })

  it('says what is wrong with the file', async () => {
    const { env } = await against({
      status: 422,
      body: { detail: [{ type: 'missing', loc: ['body', 'query'], msg: 'Field required' }] },
    })

    expect(await conduit(['provision', await fileWith('{not json')], { env })).toMatchObject({ exitCode: 2 })
    const { exitCode, stderr } = await conduit(['provision', await fileWith('{}')], { env })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('query: Field required')
  })
})
