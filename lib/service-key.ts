import { createHash, timingSafeEqual } from 'node:crypto'

/** Why a call is refused, in the words that FLIP's callers know; `undefined` when it may pass. */
export function serviceKeyRefusal(given: string | undefined, keys: readonly string[]): string | undefined {
  if (given === undefined || given === '') return 'Not authenticated: trust-internal service key is missing.'
  if (keys.length === 0) return 'Trust-internal service auth not configured.'
  // Hashing first makes the lengths equal; every key is compared, so time tells neither length nor position.
  const givenDigest = digest(given)
  const matches = keys.map((key) => timingSafeEqual(givenDigest, digest(key)))
  return matches.includes(true) ? undefined : 'Invalid trust-internal service key.'
}

const digest = (text: string) => createHash('sha256').update(text).digest()
