import { PriorityQueue } from './priority-queue.ts'

/** Time that passes from one event to the next. What is due at the same time happens in the order in which it was set. */
export class Timeline {
  readonly #events = new PriorityQueue<() => void>()
  #now = 0

  get now(): number {
    return this.#now
  }

  at(time: number, act: () => void): void {
    this.#events.add(time, act)
  }

  after(seconds: number, act: () => void): void {
    this.at(this.#now + seconds, act)
  }

  /** Until nothing is left to happen. */
  run(): void {
    for (let event = this.#events.takeFirst(); event !== undefined; event = this.#events.takeFirst()) {
      this.#now = event.rank
      event.item()
    }
  }
}
