/** The server's time: a clock underneath, and how far a test has moved it on. */
export class Clock {
  readonly #base: () => Date
  #aheadMs = 0

  constructor(base: () => Date) {
    this.#base = base
  }

  now(): Date {
    return new Date(this.#base().getTime() + this.#aheadMs)
  }

  advance(ms: number): void {
    this.#aheadMs += ms
  }
}
