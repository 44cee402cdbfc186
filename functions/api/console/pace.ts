// How long to wait before the next look: often while things move, rarely while they do not or while the API is in trouble.

export interface Pace {
  leastMs: number
  mostMs: number
}

export type Look =
  | { kind: 'changed'; tookMs: number }
  | { kind: 'unchanged'; tookMs: number }
  | { kind: 'failed'; retryAfterMs?: number | undefined }

/** An answer that takes long is asked for less often: looking must not become the load. */
const restPerWork = 5

/** The wait before the next look, in milliseconds, given the wait before this one. */
export function nextWaitMs(previousMs: number, look: Look, { leastMs, mostMs }: Pace): number {
  if (look.kind === 'failed') return Math.max(Math.min(previousMs * 2, mostMs), look.retryAfterMs ?? 0)
  const wait = look.kind === 'changed' ? leastMs : Math.min(previousMs * 1.5, mostMs)
  return Math.max(wait, look.tookMs * restPerWork)
}
