// Work that a request asks for and a queue does: what it is, and how it stands. Kept in the bucket `state`; a request for
// what is under way joins it, and who asked can ask how it stands.
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { StorageError } from '../errors.ts'

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

export interface StoredJob<Order> {
  job: Job<Order>
  etag: string
}

/** A job with the version of its record. */
export async function readJob<Order>({ state, signal }: JobDeps, kind: JobKind<Order>, id: string) {
  const found = await state.readText(keyOf(kind, id), { signal })
  return found && ({ job: kind.parse(found.text), etag: found.etag } satisfies StoredJob<Order>)
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
    const kept = await writeJob(deps, kind, id, { job, etag: found?.etag })
    if (kept === undefined) continue
    await send(job)
    return job
  }
  throw new StorageError('the record of a job is being changed by others', { code: 'STORAGE_BUSY' })
}

const writeTries = 5
export const nothing: Tally = { files: 0, bytes: 0 }

/** The ETag of what was written, over that version only; `undefined` when it was no longer that. */
export async function writeJob<Order>(
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

export interface Patience {
  /** When it ends, as `performance.now()` counts. */
  endsAt: number
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** The job when it has ended, or as it stands when patience ends. */
export async function awaitJob<Order>(
  deps: JobDeps,
  kind: JobKind<Order>,
  { id, job }: { id: string; job: Job<Order> },
  { endsAt, sleep }: Patience,
): Promise<Job<Order>> {
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
