/** How long to wait after each attempt before the next, in milliseconds. One attempt more than waits is made. */
export type RetryPlan = readonly number[]

/** When the next attempt is due, in milliseconds since 1970; `undefined` when the plan is spent. */
export function nextAttemptAt(plan: RetryPlan, attempts: number, lastAttemptMs: number): number | undefined {
  if (attempts === 0) return 0
  const waitMs = plan[attempts - 1]
  return waitMs === undefined ? undefined : lastAttemptMs + waitMs
}
