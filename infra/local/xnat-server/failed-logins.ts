import type { Chore } from './background.ts'
import { nextFullHour } from './full-hour.ts'

interface Failures {
  count: number
  lastAtMs: number
}

/** Wrong passwords per username since the last right one. They are forgotten in a restart. */
export class FailedLogins {
  readonly #failures = new Map<string, Failures>()

  count(username: string): number {
    return this.#failures.get(username)?.count ?? 0
  }

  record(username: string, at: Date): void {
    this.#failures.set(username, { count: this.count(username) + 1, lastAtMs: at.getTime() })
  }

  forget(username: string): void {
    this.#failures.delete(username)
  }

  /** Accounts locked by at least that many failures, and since when. */
  locked(maxFailures: number): { username: string; sinceMs: number }[] {
    return [...this.#failures].flatMap(([username, { count, lastAtMs }]) =>
      count >= maxFailures ? [{ username, sinceMs: lastAtMs }] : [],
    )
  }
}

// XNAT: an hourly job ends lockouts that have lasted long enough (ResetFailedLogins.java, resetFailedLoginsSchedule).
export const endLockouts: Chore = {
  dueAt({ state }) {
    const { maxFailedLogins, lockoutMs } = state.settings
    const ends = state.failedLogins.locked(maxFailedLogins).map(({ sinceMs }) => sinceMs + lockoutMs)
    return ends.length === 0 ? undefined : nextFullHour(Math.min(...ends))
  },
  async run({ state, now }) {
    const { maxFailedLogins, lockoutMs } = state.settings
    for (const { username, sinceMs } of state.failedLogins.locked(maxFailedLogins)) {
      if (sinceMs + lockoutMs <= now().getTime()) state.failedLogins.forget(username)
    }
  },
}
