import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { conduit } from '../support/command-line.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'
import { type ScriptedAnswer, type ScriptedApi, startScriptedApi } from '../support/scripted-api.ts'

let aws: LocalAws
let folder: string
beforeAll(async () => {
  aws = await startLocalAws()
  await aws.bucket('to-deliver')
  folder = await mkdtemp(join(tmpdir(), 'doctor-'))
})
afterAll(async () => {
  await aws.stop()
  await rm(folder, { recursive: true })
})
let api: ScriptedApi | undefined
afterEach(() => api?.stop())

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000)
const refused = (status: number, detail: string): ScriptedAnswer => ({ status, body: { detail } })
const queue = (messages: number) => ({
  queues: [
    {
      queue: 'deliveries',
      messages,
      seen: messages,
      codes: messages === 0 ? [] : [{ code: 'NOT_VERIFIED', messages, samples: [] }],
    },
  ],
})
const status = (states: object, lookedAt: Date | null): ScriptedAnswer => ({
  body: { states, looked_at: lookedAt?.toISOString() ?? null },
})

/** What a product that is well answers, in the order in which it is asked. */
const well = {
  api: { body: { status: 'ok', version: '1.2.3', dead_tasks: [] } } as ScriptedAnswer,
  clock: { body: {} } as ScriptedAnswer,
  key: { body: { deliveries: [] } } as ScriptedAnswer,
  receipts: { body: { deliveries: [] } } as ScriptedAnswer,
  xnat: { body: [{ ID: 'P1' }] } as ScriptedAnswer,
  pacs: { body: { pacsId: 1, successful: true, enabled: true } } as ScriptedAnswer,
  projects: {
    body: [
      { ID: 'P0', secondary_ID: '' },
      { ID: 'P1', secondary_ID: 'hub-1' },
    ],
  } as ScriptedAnswer,
  status: status({ queued: 3 }, ago(2)),
  deadLetters: { body: queue(0) } as ScriptedAnswer,
}
type Answers = { [Name in keyof typeof well]?: ScriptedAnswer | undefined }

/** The findings by their names, `state: words`. What is `undefined` is not asked for. */
async function doctor(changes: Answers = {}, place: object = {}) {
  const answers = Object.values({ ...well, ...changes }).filter((answer) => answer !== undefined)
  api = await startScriptedApi(answers)
  const stackFile = join(folder, 'stack.json')
  const { region, credentials } = aws.s3.config
  const { accessKeyId, secretAccessKey } = await (
    credentials as () => Promise<{ accessKeyId: string; secretAccessKey: string }>
  )()
  const s3 = {
    endpoint: aws.s3Server.url,
    region: await region(),
    accessKeyId,
    secretAccessKey,
    buckets: { incoming: 'to-deliver' },
    ...place,
  }
  await writeFile(stackFile, JSON.stringify({ api: api.url, serviceKey: { header: 'X-Key', key: 'fake-key' }, s3 }))
  const { exitCode, stdout } = await conduit(['doctor', '-o', 'json'], { stackFile })
  const { isWell, checks } = JSON.parse(stdout)
  const found = checks.map(({ check, state, says }: Record<string, string>) => [check, `${state}: ${says}`])
  return { exitCode, isWell, checks, found: Object.fromEntries(found), asked: api.asked.length }
}

describe('conduit doctor', () => {
  it('finds all well where all is well, and leaves nothing behind', async () => {
    const { exitCode, isWell, found, checks, asked } = await doctor()

    expect({ exitCode, isWell, asked }).toEqual({ exitCode: 0, isWell: true, asked: 9 })
    expect(found).toEqual({
      API: expect.stringMatching(/^ok: .* version 1\.2\.3$/),
      clock: expect.stringMatching(/^ok/),
      'service key': expect.stringMatching(/^ok/),
      receipts: expect.stringMatching(/^ok/),
      XNAT: expect.stringMatching(/^ok/),
      PACS: 'ok: PACS 1 answers XNAT',
      sweep: expect.stringMatching(/^ok: looked at a project at 20/),
      'dead letters': 'ok: none',
      'incoming bucket': 'ok: to-deliver can be listed, and written to',
    })
    expect(checks.every(({ advice }: { advice?: string }) => advice === undefined)).toBe(true)
    const { Uploads = [] } = await aws.s3.send(new ListMultipartUploadsCommand({ Bucket: 'to-deliver' }))
    expect(Uploads).toEqual([])
  })

  it.each<[string, Answers, number, Record<string, RegExp>]>([
    [
      'another program answers',
      { api: { body: '<html>' } },
      1,
      { API: /^failed: .*not as xnat-conduit does/, 'service key': /^skipped: .*: API$/, XNAT: /^skipped/ },
    ],
    [
      'the API is down',
      { api: refused(503, 'down') },
      4,
      { API: /^failed: GET \/health: 503/, 'incoming bucket': /^ok/ },
    ],
    [
      'the key is not taken',
      { key: refused(401, 'Invalid key'), receipts: undefined },
      5,
      { 'service key': /^failed: .*401 Invalid key$/, receipts: /^skipped: .*: service key$/, XNAT: /^skipped/ },
    ],
    [
      'the state bucket cannot be read',
      { key: refused(503, 'Storage is busy.'), receipts: refused(503, 'Storage is busy.') },
      4,
      { 'service key': /^ok/, receipts: /^failed: .*503/, XNAT: /^ok/ },
    ],
    [
      'XNAT refuses the account',
      {
        xnat: refused(502, 'XNAT refused the service account.'),
        pacs: undefined,
        projects: undefined,
        status: undefined,
      },
      4,
      {
        XNAT: /^failed: .*refused the service account/,
        PACS: /^skipped: .*: XNAT$/,
        sweep: /^skipped/,
        'dead letters': /^ok/,
      },
    ],
    [
      'the PACS does not answer',
      { pacs: { body: { pacsId: 3, successful: false, enabled: true } } },
      1,
      { PACS: /^failed: PACS 3 does not answer XNAT$/, sweep: /^ok/ },
    ],
    [
      'the sweep has stood still',
      { status: status({ queued: 1 }, ago(60)) },
      1,
      { sweep: /^failed: it looked at projects that are not finished at 20.* last$/ },
    ],
    [
      'a cohort cannot be told',
      { status: refused(502, 'The data access service refused this service.') },
      4,
      { sweep: /^failed: .*data access service refused/, 'dead letters': /^ok/ },
    ],
    ['the sweep never ran', { status: status({ waiting: 1 }, null) }, 1, { sweep: /^failed: .*never$/ }],
  ])('says when %s, with its exit code', async (_, changes, exitCode, found) => {
    const result = await doctor(changes)

    expect(result).toMatchObject({ exitCode, isWell: false })
    for (const [check, words] of Object.entries(found)) expect(result.found[check]).toMatch(words)
    const failed = result.checks.filter(({ state }: { state: string }) => state === 'failed')
    for (const { advice } of failed) expect(advice).toMatch(/\S/)
  })

  it.each<[string, Answers, Record<string, RegExp>]>([
    ['no PACS is known', { pacs: refused(404, '404: XNAT knows no PACS.') }, { PACS: /^skipped/ }],
    [
      'the PACS is switched off',
      { pacs: { body: { pacsId: 1, successful: true, enabled: false } } },
      { PACS: /^warning/ },
    ],
    ['all is imported', { status: status({ verified: 9, exhausted: 1 }, ago(600)) }, { sweep: /^skipped/ }],
    [
      'letters wait',
      { deadLetters: { body: queue(2) } },
      { 'dead letters': /^warning: 2 in deliveries \(NOT_VERIFIED\)$/ },
    ],
    [
      'the clock is wrong',
      { clock: { body: {}, headers: { date: ago(10).toUTCString() } } },
      { clock: /^warning: this machine is \d{3} s ahead of the API$/ },
    ],
  ])('does not fail when %s', async (_, changes, found) => {
    const result = await doctor(changes)

    expect(result).toMatchObject({ exitCode: 0, isWell: true })
    for (const [check, words] of Object.entries(found)) expect(result.found[check]).toMatch(words)
  })

  it.each([
    [
      'is not there',
      { buckets: { incoming: 'no-such' } },
      1,
      /^failed: S3 refuses ListObjectsV2 on the bucket no-such: NoSuchBucket$/,
    ],
    ['cannot be reached', { endpoint: 'http://127.0.0.1:9' }, 4, /^failed: S3 is busy or cannot be reached/],
  ])('says when the bucket %s', async (_, place, exitCode, words) => {
    const result = await doctor({}, place)

    expect(result.exitCode).toBe(exitCode)
    expect(result.found['incoming bucket']).toMatch(words)
  })

  it.each([
    [502, 'XNAT refused the service account.', /password/],
    [503, 'XNAT cannot be reached.', /Is XNAT up/],
  ])('has other advice for an XNAT that says no than for one that is down: %i', async (code, detail, words) => {
    const { checks } = await doctor({
      xnat: refused(code, detail),
      pacs: undefined,
      projects: undefined,
      status: undefined,
    })

    expect(checks.find(({ check }: { check: string }) => check === 'XNAT').advice).toMatch(words)
  })

  it('tells people in lines, with what to do below what is not well', async () => {
    api = await startScriptedApi([refused(500, 'Internal server error')])

    const said = await conduit(['doctor'], { env: { CONDUIT_URL: api.url, CONDUIT_SERVICE_KEY: 'fake-key' } })

    expect(said).toMatchObject({ exitCode: 1, stderr: '' })
    expect(said.stdout).toMatch(/^failed {3}API {14}GET \/health: 500 Internal server error\n {26}\S.*address right/)
    expect(said.stdout).toMatch(/^skipped {2}incoming bucket {2}the profile names none\n {26}conduit deliver wants/m)
    expect(said.stdout).not.toContain('fake-key')
  })
})
