// The work on a job, as a queue's function does it: tried, kept a record of, and ended.
import { AppError, isHopeless, StorageError } from '../errors.ts'
import {
  hasEnded,
  type Job,
  type JobDeps,
  type JobKind,
  nothing,
  readJob,
  type StoredJob,
  type Tally,
  writeJob,
} from './job.ts'

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
  // Its function died in each of them, and could not say so.
  if (found.job.tries >= deps.tries) return ended(keeper, 'TRIES_SPENT')
  await keeper.keep({ state: 'running', tries: found.job.tries + 1, done: nothing })
  try {
    const done = await work(keeper.job, keeper)
    await keeper.keep({ state: 'done', code: undefined, done, total: done })
    return { kind: 'done' }
  } catch (error) {
    const code = codeOf(error, deps.signal)
    if (isHopeless(error) || keeper.job.tries >= deps.tries) return ended(keeper, code)
    await keeper.keep({ state: 'queued', code })
    throw error
  }
}

async function ended(keeper: JobKeeper<unknown>, code: string): Promise<JobOutcome> {
  await keeper.keep({ state: 'failed', code })
  return { kind: 'failed', code }
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
  #stored: StoredJob<Order>
  #toldAt = Number.NEGATIVE_INFINITY
  #writing: Promise<void> = Promise.resolve()

  constructor(deps: JobDeps, kind: JobKind<Order>, id: string, stored: StoredJob<Order>) {
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
    const etag = await writeJob({ state, signal }, this.#kind, this.#id, { job, etag: this.#stored.etag })
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
