// What XNAT does by timers. Here it is done when somebody looks: before each request, everything that has fallen due
// is done in order, each at its own time, so that a clock moved on by an hour gives what an hour would have given.
import type { Xnat } from './exchange.ts'

export interface Chore {
  /** When there is something to do next, in milliseconds since 1970; undefined as long as there is nothing. */
  dueAt(xnat: Xnat): number | undefined
  /** Does it, or its next step. `xnat.now()` is then the time it was due, or later when it became due afterwards. */
  run(xnat: Xnat): Promise<void>
}

export class Background {
  readonly #xnat: Xnat
  readonly #chores: readonly Chore[]
  #turn: Promise<void> = Promise.resolve()
  /** Up to when everything is done. What falls due before, because a fault was lifted, is done at that time. */
  #reachedMs: number

  constructor(xnat: Xnat, chores: readonly Chore[]) {
    this.#xnat = xnat
    this.#chores = chores
    this.#reachedMs = xnat.startedAt.getTime()
  }

  /** Does everything that has fallen due; returns when it is done. */
  settle(): Promise<void> {
    const catchUp = () => this.#catchUp()
    this.#turn = this.#turn.then(catchUp, catchUp)
    return this.#turn
  }

  async #catchUp(): Promise<void> {
    for (;;) {
      const next = this.#next()
      const nowMs = this.#xnat.now().getTime()
      if (next === undefined || next.dueAt > nowMs) {
        this.#reachedMs = Math.max(this.#reachedMs, nowMs)
        return
      }
      this.#reachedMs = Math.max(this.#reachedMs, next.dueAt)
      const at = new Date(this.#reachedMs)
      await next.chore.run({ ...this.#xnat, now: () => at })
    }
  }

  #next(): { chore: Chore; dueAt: number } | undefined {
    const due = this.#chores.flatMap((chore) => {
      const dueAt = chore.dueAt(this.#xnat)
      return dueAt === undefined ? [] : [{ chore, dueAt }]
    })
    return due.toSorted((one, other) => one.dueAt - other.dueAt)[0]
  }
}
