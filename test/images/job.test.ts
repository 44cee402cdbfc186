import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { ImagesError, XnatError } from '../../lib/errors.ts'
import { awaitJob, beginJob, findJob, type Job, jobKind } from '../../lib/images/job.ts'
import { runJob } from '../../lib/images/run-job.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'

let aws: LocalAws
let state: ObjectStore
let now: Date
beforeAll(async () => {
  aws = await startLocalAws()
  state = await aws.bucket('state')
})
afterAll(() => aws.stop())

const kind = jobKind('jobs', z.string())
const id = 'the-job'
let sent: string[]
beforeEach(() => {
  sent = []
  now = new Date('2026-01-01T00:00:00Z')
})
afterEach(() => state.remove(`jobs/${id}.json`))

const deps = () => ({ state, signal: AbortSignal.timeout(10_000), now: () => now })
const send = async ({ jobId }: Job<string>) => {
  sent.push(jobId)
}
const begin = (joins = () => true) =>
  beginJob(deps(), kind, { id, order: 'work', total: { files: 2, bytes: 20 }, joins }, send)
const done = { files: 2, bytes: 20 }
const run = (jobId: string, work: Parameters<typeof runJob<string>>[3], tries = 3) =>
  runJob({ ...deps(), tries }, kind, { id, jobId }, work)
const find = () => findJob(deps(), kind, id)
const unreachable = () => new XnatError({ code: 'XNAT_UNREACHABLE', method: 'GET', pathTemplate: '/' })
const minutesLater = (minutes: number) => {
  now = new Date(now.getTime() + minutes * 60_000)
}

describe('a job', () => {
  it('is entered once by who asks at the same time', async () => {
    const jobs = await Promise.all([begin(), begin(), begin()])
    expect(new Set(jobs.map(({ jobId }) => jobId)).size).toBe(1)
  })

  it('whose message was lost before it was sent is sent again by who joins it', async () => {
    const dying = beginJob(deps(), kind, { id, order: 'work', total: done, joins: () => true }, async () => {
      throw unreachable()
    })
    await expect(dying).rejects.toThrow()

    const { jobId } = await begin()
    expect(sent).toEqual([jobId])
    expect((await find())?.jobId).toBe(jobId)
  })

  it('waits its turn however long, and once begun is given up when nothing was heard of it', async () => {
    const first = await begin()
    minutesLater(600)
    expect((await begin()).jobId).toBe(first.jobId)

    await expect(run(first.jobId, () => Promise.reject(unreachable()))).rejects.toThrow()
    minutesLater(30)
    expect((await begin()).jobId).toBe(first.jobId)
    minutesLater(2)
    expect((await begin()).jobId).not.toBe(first.jobId)
  })

  it('tells how far it is and how it ended', async () => {
    const { jobId } = await begin()
    const seen: unknown[] = []
    const outcome = await run(jobId, async (_, report) => {
      report.progress({ files: 1, bytes: 10 }, done)
      await report.checked()
      seen.push(await find())
      return done
    })

    expect(outcome).toEqual({ kind: 'done' })
    expect(seen).toMatchObject([{ state: 'running', tries: 1, isChecked: true, done: { files: 1, bytes: 10 } }])
    expect(await find()).toMatchObject({ state: 'done', done, total: done })
    expect(await run(jobId, () => Promise.reject(new Error('again')))).toEqual({ kind: 'obsolete' })
  })

  it('remembers over its tries what the first has looked at', async () => {
    const { jobId } = await begin()
    const first = run(jobId, async (_, report) => {
      await report.checked()
      throw unreachable()
    })
    await expect(first).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE' })
    expect(await find()).toMatchObject({ state: 'queued', code: 'XNAT_UNREACHABLE', isChecked: true })

    await run(jobId, async ({ isChecked, tries }) => {
      expect([isChecked, tries]).toEqual([true, 2])
      return done
    })
    expect(await find()).toMatchObject({ state: 'done' })
    expect(await find()).not.toHaveProperty('code')
  })

  it('ends with its reason: at once for what can never be, after the last try for the rest', async () => {
    const hopeless = await begin()
    const never = new ImagesError('no', { code: 'IMAGES_NOT_FOUND' })
    expect(await run(hopeless.jobId, () => Promise.reject(never))).toEqual({ kind: 'failed', code: 'IMAGES_NOT_FOUND' })

    const { jobId } = await begin()
    await expect(run(jobId, () => Promise.reject(new Error('?')), 2)).rejects.toThrow('?')
    expect(await run(jobId, () => Promise.reject(new Error('?')), 2)).toEqual({ kind: 'failed', code: 'UNEXPECTED' })
    expect(await find()).toMatchObject({ state: 'failed', tries: 2 })
  })

  it('ends when its function has died in all of its tries', async () => {
    const { jobId } = await begin()
    const dies = () => new Promise<never>(() => undefined)
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      void run(jobId, dies, 2)
      await expect.poll(async () => (await find())?.tries).toBe(attempt)
    }
    expect(await run(jobId, async () => done, 2)).toEqual({ kind: 'failed', code: 'TRIES_SPENT' })
    expect(await find()).toMatchObject({ state: 'failed', code: 'TRIES_SPENT' })
  })

  it('that was asked for anew leaves the earlier work without a say', async () => {
    const { jobId } = await begin()
    let second: Job<string> | undefined
    const work = run(jobId, async () => {
      second = await begin(() => false)
      return done
    })
    await expect(work).rejects.toMatchObject({ code: 'STORAGE_BUSY' })

    expect(await find()).toMatchObject({ jobId: second?.jobId, state: 'queued' })
    expect(await run(jobId, async () => done)).toEqual({ kind: 'obsolete' })
  })

  it('is waited for until it ends, or for so long', async () => {
    const job = await begin()
    const pauses: number[] = []
    const sleep = async (ms: number) => {
      pauses.push(ms)
      if (pauses.length === 3) await run(job.jobId, async () => done)
    }
    expect(await awaitJob(deps(), kind, { id, job }, { endsAt: performance.now() + 10_000, sleep })).toMatchObject({
      state: 'done',
    })
    expect(pauses).toHaveLength(3)
    expect(await awaitJob(deps(), kind, { id, job }, { endsAt: performance.now(), sleep })).toMatchObject({
      state: 'queued',
    })
  })
})
