// Work that a request asks for and a queue does: what it is, and how it stands. Kept in the bucket `state`; a request for
// what is under way joins it, and who asked can ask how it stands.
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { AppError, isHopeless, StorageError } from '../errors.ts'

const Tally = z.object({ files: z.int().nonnegative(), bytes: z.int().nonnegative() })
export type Tally = z.infer<typeof Tally>

export const JobState = z.enum(['queued', 'running', 'done', 'failed'])

const common = z.object({
  /** Of this time that it was asked for: who asks again when it has ended begins another. */
  jobId: z.string(),
  state: JobState,
  /** The reason of a failure; while it is queued, that of the last try. */
  code: z.string().optional(),
  tries: z.int().nonnegative(),
  /** What a first try looks at and no later one, which would meet the traces of the first, has been looked at. */
  isChecked: z.boolean(),
  done: Tally,
  total: Tally,
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})

export type Job<Order> = z.infer<typeof common> & { order: Order }

/** One kind of job: where its records lie, and what is ordered. */
export interface JobKind<Order> {
  folder: string
  parse(text: string): Job<Order>
}

export function jobKind<S extends z.ZodType>(folder: string, order: S): JobKind<z.output<S>> {
  const schema = common.extend({ order: z.unknown() })
  return {
    folder,
    parse(text) {
      const record = schema.parse(JSON.parse(text))
      return { ...record, order: order.parse(record.order) }
    },
  }
}

export interface JobDeps {
  state: ObjectStore
  signal: AbortSignal
  now?: () => Date
}

const keyOf = (kind: JobKind<unknown>, id: string) => `${kind.folder}/${id}.json`

interface Stored<Order> {
  job: Job<Order>
  etag: string
}

async function readJob<Order>({ state, signal }: JobDeps, kind: JobKind<Order>, id: string) {
  const found = await state.readText(keyOf(kind, id), { signal })
  return found && ({ job: kind.parse(found.text), etag: found.etag } satisfies Stored<Order>)
}

/** How a job stands; `undefined` when none was asked for under this id, or long ago. */
export async function findJob<Order>(deps: JobDeps, kind: JobKind<Order>, id: string): Promise<Job<Order> | undefined> {
  return (await readJob(deps, kind, id))?.job
}

export const hasEnded = ({ state }: Pick<Job<unknown>, 'state'>) => state === 'done' || state === 'failed'

/** A function works for 15 minutes at most, and a queue waits for as long before the next try. */
const silenceMs = 31 * 60_000

function isUnderWay(job: Job<unknown>, now: Date): boolean {
  // Before its first try a job waits its turn, however long; whoever joins it sends its message again.
  const isAlive = job.tries === 0 || now.getTime() - new Date(job.updatedAt).getTime() < silenceMs
  return !hasEnded(job) && isAlive
}

interface Wanted<Order> {
  id: string
  order: Order
  total: Tally
  /** Whether one that is under way will do. */
  joins: (job: Job<Order>) => boolean
}

/**
 * Enters a job, or finds the one that is under way for the same. `send` is to send its message, twice if need be: what
 * died between entering and sending is made up for by whoever joins.
 */
export async function beginJob<Order>(
  deps: JobDeps,
  kind: JobKind<Order>,
  { id, order, total, joins }: Wanted<Order>,
  send: (job: Job<Order>) => Promise<void>,
): Promise<Job<Order>> {
  for (let attempt = 1; attempt <= writeTries; attempt += 1) {
    const found = await readJob(deps, kind, id)
    const now = (deps.now ?? (() => new Date()))()
    if (found !== undefined && isUnderWay(found.job, now) && joins(found.job)) {
      if (found.job.tries === 0) await send(found.job)
      return found.job
    }
    const at = now.toISOString()
    const fresh = { state: 'queued', tries: 0, isChecked: false, done: nothing, createdAt: at, updatedAt: at } as const
    const job: Job<Order> = { jobId: randomUUID(), order, total, ...fresh }
    const kept = await write(deps, kind, id, { job, etag: found?.etag })
    if (kept === undefined) continue
    await send(job)
    return job
  }
  throw new StorageError('the record of a job is being changed by others', { code: 'STORAGE_BUSY' })
}

const writeTries = 5
const nothing: Tally = { files: 0, bytes: 0 }

/** The ETag of what was written, over that version only; `undefined` when it was no longer that. */
async function write<Order>(
  { state, signal }: Pick<JobDeps, 'state' | 'signal'>,
  kind: JobKind<Order>,
  id: string,
  { job, etag }: { job: Job<Order>; etag: string | undefined },
): Promise<string | undefined> {
  const over = etag === undefined ? { ifAbsent: true } : { ifMatch: etag }
  const outcome = await state.writeText(keyOf(kind, id), JSON.stringify(job), {
    contentType: 'application/json',
    signal,
    ...over,
  })
  return outcome.kind === 'written' ? outcome.etag : undefined
}

/** What the work on a job may tell of itself. */
export interface JobReport {
  /** From now on no try looks at what only the first may look at. */
  checked(): Promise<void>
  /** How far it is; kept every few seconds. */
  progress(done: Tally, total: Tally): void
}

/** What is done about a job: it was done or failed for good; or there was nothing to do about this message. */
export type JobOutcome = { kind: 'done' } | { kind: 'failed'; code: string } | { kind: 'obsolete' }

/**
 * Does the work of a job and keeps how it ended, once it has. A message of a job that ended or was asked for anew is
 * obsolete. What can never be cured ends it with its code; so does whatever fails for the last of its tries.
 *
 * @throws what `work` threw, when it is to be tried again.
 */
export async function runJob<Order>(
  deps: JobDeps & { tries: number },
  kind: JobKind<Order>,
  { id, jobId }: { id: string; jobId: string },
  work: (job: Job<Order>, report: JobReport) => Promise<Tally>,
): Promise<JobOutcome> {
  const found = await readJob(deps, kind, id)
  if (found === undefined || found.job.jobId !== jobId || hasEnded(found.job)) return { kind: 'obsolete' }
  const keeper = new JobKeeper(deps, kind, id, found)
  await keeper.keep({ state: 'running', tries: found.job.tries + 1, done: nothing })
  try {
    const done = await work(keeper.job, keeper)
    await keeper.keep({ state: 'done', code: undefined, done, total: done })
    return { kind: 'done' }
  } catch (error) {
    const code = codeOf(error, deps.signal)
    const isOver = isHopeless(error) || keeper.job.tries >= deps.tries
    await keeper.keep({ state: isOver ? 'failed' : 'queued', code })
    if (!isOver) throw error
    return { kind: 'failed', code }
  }
}

function codeOf(error: unknown, signal: AbortSignal): string {
  if (error instanceof AppError) return error.code
  return signal.aborted ? 'OUT_OF_TIME' : 'UNEXPECTED'
}

const progressMs = 2_000

/** Writes a job's record, one change after the other, for as long as nobody else has. */
class JobKeeper<Order> implements JobReport {
  readonly #deps: JobDeps
  readonly #kind: JobKind<Order>
  readonly #id: string
  #stored: Stored<Order>
  #toldAt = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(deps: JobDeps, kind: JobKind<Order>, id: string, stored: Stored<Order>) {
    this.#deps = deps
    this.#kind = kind
    this.#id = id
    this.#stored = stored
  }

  get job(): Job<Order> {
    return this.#stored.job
  }

  /** @throws {StorageError} STORAGE_BUSY when the job was asked for anew meanwhile: this one is nobody's any more. */
  keep(change: Partial<Job<Order>>): Promise<void> {
    // Also when the work's own signal has ended it: how it ended is what others wait to read.
    const writing = this.#writing.then(() => this.#write(change))
    this.#writing = writing.catch(() => undefined)
    return writing
  }

  async #write(change: Partial<Job<Order>>): Promise<void> {
    const { state, now = () => new Date() } = this.#deps
    const job = { ...this.#stored.job, ...change, updatedAt: now().toISOString() }
    const signal = AbortSignal.timeout(lastWordMs)
    const etag = await write({ state, signal }, this.#kind, this.#id, { job, etag: this.#stored.etag })
    if (etag === undefined) throw new StorageError('the job was asked for anew', { code: 'STORAGE_BUSY' })
    this.#stored = { job, etag }
  }

  checked(): Promise<void> {
    return this.keep({ isChecked: true })
  }

  progress(done: Tally, total: Tally): void {
    const now = performance.now()
    if (now - this.#toldAt < progressMs) return
    this.#toldAt = now
    // What cannot be told now is told next time; the end is told in any case.
    this.keep({ done, total }).catch(() => undefined)
  }
}

/** For the last word of a function whose time is over. */
const lastWordMs = 1_000

export interface Patience {
  ms: number
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** The job when it has ended, or as it stands when patience ends. */
export async function awaitJob<Order>(
  deps: JobDeps,
  kind: JobKind<Order>,
  { id, job }: { id: string; job: Job<Order> },
  { ms, sleep }: Patience,
): Promise<Job<Order>> {
  const endsAt = performance.now() + ms
  let [latest, pauseMs] = [job, firstPauseMs]
  while (!hasEnded(latest) && performance.now() + pauseMs < endsAt) {
    await sleep(pauseMs, deps.signal)
    pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)
    latest = (await findJob(deps, kind, id)) ?? latest
  }
  return latest
}

const firstPauseMs = 50
const longestPauseMs = 1_000
