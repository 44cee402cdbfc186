import { afterEach, describe, expect, it } from 'vitest'
import { conduit } from '../support/command-line.ts'
import { type ScriptedAnswer, type ScriptedApi, startScriptedApi } from '../support/scripted-api.ts'

let api: ScriptedApi | undefined
afterEach(() => api?.stop())

async function against(...answers: ScriptedAnswer[]) {
  api = await startScriptedApi(answers)
  return { api, env: { CONDUIT_URL: api.url, CONDUIT_SERVICE_KEY: 'fake-key' } }
}

const redriven = (over: object = {}) => ({
  body: {
    queue: 'deliveries',
    dryRun: false,
    messages: 2,
    codes: [{ code: 'EXPERIMENT_NOT_FOUND', messages: 2 }],
    isComplete: true,
    before: '2026-01-01T00:00:00.000Z',
    ...over,
  },
})

describe('a command line', () => {
  it.each([
    ['--help'],
    ['dead-letters', '--help'],
    ['dead-letters', 'redrive', '-h'],
    ['backfill', '--help'],
    ['deliver', '--help'],
    ['doctor', '-h'],
  ])('explains itself without an API: %s %s', async (...args) => {
    const { exitCode, stdout } = await conduit(args)

    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^conduit /)
  })

  it.each([
    [[]],
    [['deadletters']],
    [['dead-letters', 'lits']],
    [['dead-letters', '--colour']],
    [['dead-letters', '-o', 'xml']],
    [['dead-letters', 'redrive']],
    [['dead-letters', 'redrive', 'elsewhere', '--yes']],
    [['dead-letters', 'redrive', 'deliveries']],
    [['backfill']],
    [['backfill', 'a', 'b']],
    [['deliver', '/nowhere']],
    [['deliver', '--to', 'projects/P1/resources/R/files/']],
    [['deliver', '/nowhere', '--to', 'projects/P1/resources/R/files/', '--xsi-type', 'MR']],
    [['deliver', '/nowhere', '--to', 'projects/P1/resources/R/files/', '--patience', 'long']],
    [['doctor', 'P1']],
  ])('that is not right asks nothing and ends with 2: %j', async (args) => {
    const { api, env } = await against({ body: {} })

    expect(await conduit(args, { env })).toMatchObject({ exitCode: 2, stdout: '' })
    expect(api.asked).toEqual([])
  })

  it.each<[string, ScriptedAnswer, number, RegExp]>([
    ['the key was refused', { status: 401, body: { detail: 'Invalid key' } }, 5, /401 Invalid key/],
    ['the API failed', { status: 500, body: { detail: 'Internal server error' } }, 1, /500 Internal/],
    [
      'the request is not valid',
      { status: 422, body: { detail: [{ loc: ['body', 'prefix'], msg: 'Value error', type: 't' }] } },
      1,
      /prefix: Value error/,
    ],
    ['something else answers', { body: '<html>' }, 1, /not as xnat-conduit does/],
    ['it is sent elsewhere', { status: 302, headers: { location: '/x' }, body: '' }, 1, /302/],
  ])('says by its exit code that %s', async (_, answer, exitCode, words) => {
    const { env } = await against(answer)

    const said = await conduit(['backfill', 'projects/P1/'], { env })

    expect(said).toMatchObject({ exitCode, stdout: '' })
    expect(said.stderr).toMatch(words)
    expect(said.stderr).not.toContain('fake-key')
  })

  it('asks again when the API is busy, and sends the key each time', async () => {
    const busy = { status: 503, headers: { 'retry-after': '0' }, body: { detail: 'Storage is busy.' } }
    const { api, env } = await against(busy, { body: { queues: [] } })

    expect(await conduit(['dead-letters', '-o', 'json'], { env })).toEqual({
      exitCode: 0,
      stdout: '{"queues":[]}\n',
      stderr: '',
    })
    expect(api.asked.map(({ headers }) => headers['x-trust-internal-service-key'])).toEqual(['fake-key', 'fake-key'])
  })

  it('that is interrupted ends with 130', async () => {
    const { env } = await against({ body: { queues: [] } })

    expect(await conduit(['dead-letters'], { env, signal: AbortSignal.abort() })).toMatchObject({ exitCode: 130 })
  })
})

describe('conduit dead-letters', () => {
  it('shows what waits by queue and code, and lets no name steer the terminal', async () => {
    const samples = [{ messageId: 'm', sentAt: '2026-01-01T00:00:00.000Z', projectId: 'P\u001b[2J1' }]
    const codes = [{ code: 'NO_EDIT_RIGHT', messages: 12, samples }]
    const { env } = await against({ body: { queues: [{ queue: 'deliveries', messages: 20, seen: 12, codes }] } })

    const { exitCode, stdout } = await conduit(['dead-letters'], { env })

    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^deliveries: 20 \(12 of them looked at\)\n +12 {2}NO_EDIT_RIGHT\n/)
    expect(stdout).not.toContain('\u001b')
  })
})

describe('conduit dead-letters redrive', () => {
  const redrive = ['dead-letters', 'redrive', 'deliveries']

  it('only counts with --dry-run', async () => {
    const { api, env } = await against(redriven({ dryRun: true }))

    const { exitCode, stdout } = await conduit([...redrive, '--dry-run'], { env })

    expect([exitCode, stdout]).toEqual([0, '2 would be handed in again.\n       2  EXPERIMENT_NOT_FOUND\n'])
    expect(api.asked.map(({ body }) => body)).toEqual([{ queue: 'deliveries', dryRun: true }])
  })

  it('asks somebody who is there, and takes anything but yes for a no', async () => {
    const { api, env } = await against(redriven())

    expect(await conduit(redrive, { env, typed: '\n' })).toMatchObject({ exitCode: 1, stdout: '' })
    expect(api.asked).toHaveLength(1)

    const { exitCode, stdout, stderr } = await conduit(redrive, { env, typed: 'y\n' })
    expect([exitCode, stdout]).toEqual([0, '2 handed in again.\n       2  EXPERIMENT_NOT_FOUND\n'])
    expect(stderr).toContain('2 of 2 handed in again')
    expect(api.asked.at(-1)?.body).toMatchObject({ dryRun: false })
  })

  it('goes on until all are moved, and leaves out those that died anew meanwhile', async () => {
    const { api, env } = await against(
      redriven({ isComplete: false }),
      redriven({ isComplete: false }),
      redriven({ messages: 1, codes: [{ code: 'NOT_VERIFIED', messages: 1 }] }),
    )

    const { exitCode, stdout } = await conduit([...redrive, '--code', 'A', '--code', 'B', '--yes', '-o', 'json'], {
      env,
    })

    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      messages: 3,
      isComplete: true,
      codes: [
        { code: 'EXPERIMENT_NOT_FOUND', messages: 2 },
        { code: 'NOT_VERIFIED', messages: 1 },
      ],
    })
    const later = { queue: 'deliveries', codes: ['A', 'B'], dryRun: false, before: '2026-01-01T00:00:00.000Z' }
    expect(api.asked.slice(1).map(({ body }) => body)).toEqual([later, later])
  })

  it('says by its exit code that some could not be seen', async () => {
    const { api, env } = await against(redriven(), redriven({ messages: 0, codes: [], isComplete: false }))

    expect(await conduit([...redrive, '--yes'], { env })).toMatchObject({ exitCode: 3 })
    expect(api.asked).toHaveLength(2)
  })
})

describe('conduit backfill', () => {
  it('goes on until all objects were sent, and says how many', async () => {
    const { api, env } = await against({ body: { objects: 1000, cursor: 'projects/P1/k' } }, { body: { objects: 5 } })

    const { exitCode, stdout } = await conduit(['backfill', 'projects/P1/', '-o', 'json'], { env })

    expect([exitCode, JSON.parse(stdout)]).toEqual([0, { objects: 1005 }])
    expect(api.asked.map(({ body }) => body)).toEqual([
      { prefix: 'projects/P1/' },
      { prefix: 'projects/P1/', cursor: 'projects/P1/k' },
    ])
  })

  it('says where to go on when it breaks off', async () => {
    const { env } = await against(
      { body: { objects: 1000, cursor: "projects/P1/o'k" } },
      { status: 500, body: { detail: 'Internal server error' } },
    )

    const { exitCode, stderr } = await conduit(['backfill', 'projects/P1/'], { env })

    expect(exitCode).toBe(1)
    expect(stderr).toContain("1000 objects were sent. Go on with --cursor 'projects/P1/o'\\''k'")
  })
})
