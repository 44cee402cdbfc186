// What a session held before its DICOM was first sent. An import cannot be sent twice to the same effect, so a delivery
// that died must be able to tell its own files from those of others.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'

const Attempt = z.object({ existedBefore: z.boolean(), instancesBefore: z.int().nonnegative() })
export type Attempt = z.infer<typeof Attempt>

interface AttemptDeps {
  state: ObjectStore
  signal: AbortSignal
}

const attemptKey = (deliveryId: string) => `session-attempts/${deliveryId}.json`

export async function findAttempt({ state, signal }: AttemptDeps, deliveryId: string): Promise<Attempt | undefined> {
  const stored = await state.readText(attemptKey(deliveryId), { signal })
  return stored && Attempt.parse(JSON.parse(stored.text))
}

/** To be done before the first byte goes out. */
export async function noteAttempt(
  { state, signal }: AttemptDeps,
  deliveryId: string,
  found: { instances: number } | undefined,
): Promise<Attempt> {
  const attempt = { existedBefore: found !== undefined, instancesBefore: found?.instances ?? 0 }
  const contentType = 'application/json'
  await state.writeText(attemptKey(deliveryId), JSON.stringify(attempt), { contentType, signal })
  return attempt
}
