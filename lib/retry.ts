import { setTimeout as wait } from 'node:timers/promises'

/** How often, and how far apart. Delays double from `baseMs` up to `capMs`; a random part of each is waited. */
export interface RetryPolicy {
  /** All tries together, the first included. */
  attempts: number
  baseMs: number
  capMs: number
  /** The longest the other side may ask for; a longer Retry-After is handed to the caller instead of slept. */
  maxRetryAfterMs: number
}

/** Time and chance, passed in so that tests need neither. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now: () => number
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** From 0 up to, not including, 1. */
  random: () => number
}

export const systemClock: Clock = {
  now: Date.now,
  sleep: async (ms, signal) => {
    await wait(ms, undefined, signal === undefined ? {} : { signal })
  },
  random: Math.random,
}

/** The upper bound of the wait after try number `attempt` (the first is 1). */
export function backoffCeilingMs(policy: Pick<RetryPolicy, 'baseMs' | 'capMs'>, attempt: number): number {
  return Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1))
}

/**
 * Full jitter: anywhere between nothing and the ceiling, so that callers who failed together do not return together.
 */
export function backoffMs(
  policy: Pick<RetryPolicy, 'baseMs' | 'capMs'>,
  attempt: number,
  random: () => number,
): number {
  return Math.floor(random() * backoffCeilingMs(policy, attempt))
}

/** Retry-After in either of its forms, seconds or a date. A date in the past is 0; what is neither is not heard. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

export interface RetryOptions {
  policy: RetryPolicy
  clock: Clock
  /** Says whether an error is worth another try, and what wait the other side asked for. `undefined` ends it. */
  judge: (error: unknown) => { retryAfterMs?: number | undefined } | undefined
  /** Milliseconds since the epoch after which no new try starts. */
  deadline?: number | undefined
  signal?: AbortSignal | undefined
}

/** Runs `act` until it succeeds, `judge` says stop, tries run out or the deadline is near; then throws its last error. */
export async function retry<T>(act: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act(attempt)
    } catch (error) {
      const delayMs = delayBeforeNext(error, attempt, options)
      if (delayMs === undefined) throw error
      await pause(delayMs, options)
    }
  }
}

function delayBeforeNext(error: unknown, attempt: number, options: RetryOptions): number | undefined {
  const { policy, clock, judge, deadline, signal } = options
  if (attempt >= policy.attempts || signal?.aborted === true) return undefined
  const verdict = judge(error)
  if (verdict === undefined) return undefined
  const askedMs = verdict.retryAfterMs ?? 0
  if (askedMs > policy.maxRetryAfterMs) return undefined
  // The jitter comes on top: everyone who was told "in 5 seconds" would otherwise return in the same instant.
  const delayMs = askedMs + backoffMs(policy, attempt, clock.random)
  return deadline !== undefined && clock.now() + delayMs >= deadline ? undefined : delayMs
}

async function pause(delayMs: number, { clock, signal }: RetryOptions): Promise<void> {
  try {
    await clock.sleep(delayMs, signal)
  } catch (error) {
    // Node's timer rejects with an AbortError of its own; the caller gave a reason and expects that one.
    signal?.throwIfAborted()
    throw error
  }
}
