// What deliveries did to one session: the import that was begun last, and what has arrived. An import
// cannot be sent twice to the same effect, so a delivery must be able to tell its own files from those of others, after
// its death and when its objects are ordered again.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import type { ObjectStore, ObjectVersion } from '../aws/objects.ts'
import { DeliveryError } from '../errors.ts'
import type { SessionContents } from './import-session.ts'
import type { SessionTarget } from './object-key.ts'
import { DeliveryId } from './order.ts'

const Delivery = z.object({
  deliveryId: DeliveryId,
  /** Of all objects that were sent, by `versionsDigest`. */
  source: z.string(),
})
type Delivery = z.infer<typeof Delivery>

const Attempt = Delivery.extend({ existedBefore: z.boolean(), instancesBefore: z.int().nonnegative() })

const Arrival = Delivery.extend({
  experimentId: z.string(),
  sentInstances: z.int().nonnegative(),
  /** What XNAT listed when this had arrived. */
  instances: z.int().nonnegative(),
  /** By its count; not so where it may have replaced same-named files. */
  isProved: z.boolean(),
  /** A delivery that may have written over these files since. */
  replacedBy: DeliveryId.optional(),
})
export type Arrival = z.infer<typeof Arrival>

const History = z.object({ attempt: Attempt, arrivals: z.array(Arrival) })

export interface SessionHistory extends Partial<z.infer<typeof History>> {
  arrivals: Arrival[]
  /** The version of what is stored; none when nothing is. */
  etag?: string
}

interface HistoryDeps {
  state: ObjectStore
  signal: AbortSignal
}

export async function readHistory({ state, signal }: HistoryDeps, target: SessionTarget): Promise<SessionHistory> {
  const stored = await state.readText(historyKey(target), { signal })
  return stored === undefined ? { arrivals: [] } : { ...History.parse(JSON.parse(stored.text)), etag: stored.etag }
}

/**
 * What was noted when a delivery's very objects, or others of the same delivery, arrived in the session as it is now. It
 * does not count for a session that was made anew, or that has lost files since.
 */
export function findArrival(
  { arrivals }: SessionHistory,
  { deliveryId, source }: Delivery,
  found: SessionContents,
): Arrival | undefined {
  const valid = arrivals.filter(
    (arrival) => arrival.experimentId === found.experimentId && arrival.instances <= found.instances,
  )
  return (
    valid.find((arrival) => arrival.source === source) ?? valid.find((arrival) => arrival.deliveryId === deliveryId)
  )
}

/**
 * Notes what is about to be sent; to be done before the first byte goes out. `mayReplace` says that it may be written
 * over what is there.
 *
 * @throws {DeliveryError} SESSION_BUSY when another delivery noted something since `history` was read.
 */
export async function noteAttempt(
  deps: HistoryDeps,
  target: SessionTarget,
  history: SessionHistory,
  { delivery, found, mayReplace }: { delivery: Delivery; found: SessionContents | undefined; mayReplace: boolean },
): Promise<SessionHistory> {
  const arrivals = history.arrivals
    .filter(({ experimentId }) => experimentId === found?.experimentId)
    .map((arrival) =>
      mayReplace && arrival.source !== delivery.source ? { ...arrival, replacedBy: delivery.deliveryId } : arrival,
    )
  const attempt = { ...delivery, existedBefore: found !== undefined, instancesBefore: found?.instances ?? 0 }
  return writeHistory(deps, target, { ...history, attempt, arrivals })
}

/**
 * Notes that the attempt arrived. When it is proved, all of it was added, and so nothing replaced.
 *
 * @throws {DeliveryError} SESSION_BUSY as for `noteAttempt`.
 */
export async function noteArrival(
  deps: HistoryDeps,
  target: SessionTarget,
  history: SessionHistory,
  arrival: Arrival,
): Promise<SessionHistory> {
  const others = history.arrivals
    .filter(({ source }) => source !== arrival.source)
    .map(({ replacedBy, ...other }) =>
      arrival.isProved && replacedBy === arrival.deliveryId ? other : { ...other, replacedBy },
    )
  return writeHistory(deps, target, { ...history, arrivals: [...others, arrival] })
}

async function writeHistory(
  { state, signal }: HistoryDeps,
  target: SessionTarget,
  { etag: before, ...history }: SessionHistory,
): Promise<SessionHistory> {
  const written = await state.writeText(historyKey(target), JSON.stringify(history), {
    contentType: 'application/json',
    signal,
    ...(before === undefined ? { ifAbsent: true } : { ifMatch: before }),
  })
  if (written.kind === 'conflict') {
    throw new DeliveryError('another delivery into the session is under way', { code: 'SESSION_BUSY' })
  }
  return { ...history, etag: written.etag }
}

/** Equal for the same versions of the same objects, in the same order. */
export const versionsDigest = (versions: readonly ObjectVersion[]) =>
  sha256(JSON.stringify(versions.map(({ key, etag }) => [key, etag])))

/** Labels must not be visible in keys. As in XNAT, the subject says nothing more: labels are unique in a project. */
const historyKey = ({ projectId, experiment }: SessionTarget) =>
  `session-attempts/${sha256(JSON.stringify([projectId, experiment]))}.json`

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
