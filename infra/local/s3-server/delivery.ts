import type { S3Event, S3TestEvent } from './event-record.ts'
import type { Outbox, WaitingEvent } from './outbox.ts'

const maxInFlight = 16
const firstWaitMs = 100
const maxWaitMs = 30_000
const stopWaitMs = 2_000

export interface TargetFilter {
  id: string
  /** 's3:ObjectCreated:*', 's3:ObjectRemoved:*' or exact names. */
  events: string[]
  prefix?: string
  suffix?: string
}

/** `deliver` is called again, later each time, until it resolves: at least once for each event. */
export type NotificationTarget = TargetFilter &
  (
    | { testEvent?: false; deliver: (event: S3Event) => Promise<void> }
    /** S3 announces itself to a new target with a test event, which has no `Records`. */
    | { testEvent: true; deliver: (event: S3Event | S3TestEvent) => Promise<void> }
  )

/** Empties the outbox of one target, several events at a time, and comes back for those it refused. */
export class Delivery {
  readonly #outbox: Outbox
  readonly #bucket: string
  readonly #target: NotificationTarget
  readonly #inFlight = new Map<number, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  #isAbandoned = false

  constructor(outbox: Outbox, bucket: string, target: NotificationTarget) {
    this.#outbox = outbox
    this.#bucket = bucket
    this.#target = target
  }

  /** Call whenever there may be something new. */
  pump(): void {
    if (this.#isStopped || this.#inFlight.size >= maxInFlight) return
    clearTimeout(this.#timer)
    // Twice as many as can fly, since those already in flight come first again.
    for (const waiting of this.#outbox.next(this.#bucket, this.#target.id, maxInFlight * 2)) {
      const waitMs = waiting.due - Date.now()
      if (this.#inFlight.has(waiting.position)) continue
      if (this.#inFlight.size >= maxInFlight) return
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs)
        return
      }
      this.#start(waiting)
    }
  }

  /** Waits a moment for deliveries under way; what they leave undone stays in the outbox. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    const { promise: timeout, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, stopWaitMs)
    await Promise.race([Promise.all(this.#inFlight.values()), timeout])
    clearTimeout(timer)
    this.#isAbandoned = true
  }

  #start(waiting: WaitingEvent): void {
    const attempt = this.#deliver(waiting).finally(() => {
      this.#inFlight.delete(waiting.position)
      this.pump()
    })
    this.#inFlight.set(waiting.position, attempt)
  }

  async #deliver(waiting: WaitingEvent): Promise<void> {
    const refusal = await this.#attempt(waiting.event)
    // The index may be closed by now; an event that stays in it is only delivered once more.
    if (this.#isAbandoned) return
    if (refusal === undefined) {
      this.#outbox.remove(waiting.position)
      return
    }
    const waitMs = Math.min(firstWaitMs * 2 ** waiting.attempts, maxWaitMs)
    process.emitWarning(`target ${this.#target.id} did not take an event, again in ${waitMs} ms: ${refusal.reason}`)
    this.#outbox.postpone(waiting, Date.now() + waitMs)
  }

  async #attempt(event: S3Event): Promise<{ reason: unknown } | undefined> {
    try {
      await this.#target.deliver(event)
      return undefined
    } catch (reason) {
      return { reason }
    }
  }
}
