// The import into a session that was begun last, and what the session held before. An import cannot be sent twice to the
// same effect, so a delivery that died must be able to tell its own files from those of others.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import type { ObjectStore, ObjectVersion } from '../aws/objects.ts'
import { DeliveryError } from '../errors.ts'
import type { SessionTarget } from './object-key.ts'
import { DeliveryId } from './order.ts'

const Attempt = z.object({
  deliveryId: DeliveryId,
  /** Of all objects that were sent, by `versionsDigest`. */
  source: z.string(),
  existedBefore: z.boolean(),
  instancesBefore: z.int().nonnegative(),
})
export type Attempt = z.infer<typeof Attempt>

interface AttemptDeps {
  state: ObjectStore
  signal: AbortSignal
}

/** What was noted of a session, and the version of the note; without a version there was none. */
export interface StoredAttempt {
  attempt?: Attempt
  etag?: string
}

export async function findAttempt({ state, signal }: AttemptDeps, target: SessionTarget): Promise<StoredAttempt> {
  const stored = await state.readText(attemptKey(target), { signal })
  return stored === undefined ? {} : { attempt: Attempt.parse(JSON.parse(stored.text)), etag: stored.etag }
}

/**
 * Notes an attempt in the place of the earlier one. To be done before the first byte goes out.
 *
 * @throws {DeliveryError} SESSION_BUSY when another attempt was noted since `earlier` was read.
 */
export async function noteAttempt(
  { state, signal }: AttemptDeps,
  target: SessionTarget,
  { attempt, earlier }: { attempt: Attempt; earlier: StoredAttempt },
): Promise<void> {
  const { kind } = await state.writeText(attemptKey(target), JSON.stringify(attempt), {
    contentType: 'application/json',
    signal,
    ...(earlier.etag === undefined ? { ifAbsent: true } : { ifMatch: earlier.etag }),
  })
  if (kind === 'conflict') throw new DeliveryError('another delivery into the session began', { code: 'SESSION_BUSY' })
}

/** Equal for the same versions of the same objects, in the same order. */
export const versionsDigest = (versions: readonly ObjectVersion[]) =>
  sha256(JSON.stringify(versions.map(({ key, etag }) => [key, etag])))

/** Labels must not be visible in keys. As XNAT's, experiment labels are unique in a project. */
const attemptKey = ({ projectId, experiment }: SessionTarget) =>
  `session-attempts/${sha256(JSON.stringify([projectId, experiment]))}.json`

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
