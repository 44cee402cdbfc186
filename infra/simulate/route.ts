// The first half of the way: S3's notices, the batches that Lambda gathers of them, and what route-objects makes of each.
import { Timeline } from './timeline.ts'
import { WaitingLine } from './waiting-line.ts'

/** A file that was put into S3. Times are in seconds from a common start. */
export interface Upload {
  at: number
  /** The XNAT resource that it goes to. */
  resource: number
  bytes: number
}

/** Files for one resource that one run of deliver-files is to send. */
export interface Order {
  resource: number
  files: number
  bytes: number
  sentAt: number
  /** When each of the files was put into S3. */
  cameAt: readonly number[]
}

export interface Routing {
  /** From the object to its event in the uploads queue. */
  noticeSeconds: number
  /** Who gather batches side by side: one in the local stack, one for each run at AWS. */
  pollers: number
  concurrency: number
  batchSize: number
  windowSeconds: number
  /** Until SQS has answered with ten messages at most. */
  receiveSeconds: number
  runSeconds: (messages: number) => number
  /** Files of more bytes go into several orders. */
  maxOrderBytes: number
}

export interface Routed {
  orders: readonly Order[]
  /** Of each run of route-objects. */
  batches: readonly { messages: number; seconds: number }[]
  /** Requests to SQS that were answered with messages. */
  receives: number
}

// SQS: the most that one receive gives.
const messagesPerReceive = 10

interface Batch {
  uploads: Upload[]
  windowEnd: number
}

/** Takes the uploads in the order of their times. */
export function route(uploads: Iterable<Upload>, routing: Routing): Routed {
  const router = new Router(routing)
  router.run(uploads[Symbol.iterator]())
  return router
}

class Router implements Routed {
  readonly orders: Order[] = []
  readonly batches: { messages: number; seconds: number }[] = []
  receives = 0
  readonly #routing: Routing
  readonly #time = new Timeline()
  readonly #queue = new WaitingLine<Upload>()
  /** Pollers whose receive has found nothing so far, the longest waiting first. */
  readonly #listening: Batch[] = []
  #freeRuns: number
  /** Pollers that may not begin before a run has ended. */
  #heldBack = 0

  constructor(routing: Routing) {
    this.#routing = routing
    this.#freeRuns = routing.concurrency
  }

  run(uploads: Iterator<Upload>): void {
    for (let each = 0; each < this.#routing.pollers; each += 1) this.#gather()
    this.#noticeNext(uploads)
    this.#time.run()
  }

  #noticeNext(uploads: Iterator<Upload>): void {
    const next = uploads.next()
    if (next.done === true) return
    this.#time.at(next.value.at + this.#routing.noticeSeconds, () => {
      this.#noticeNext(uploads)
      this.#queue.join(next.value)
      const batch = this.#listening.shift()
      if (batch !== undefined) this.#receive(batch)
    })
  }

  #gather(): void {
    if (this.#freeRuns === 0) {
      this.#heldBack += 1
      return
    }
    this.#freeRuns -= 1
    this.#receive({ uploads: [], windowEnd: Number.POSITIVE_INFINITY })
  }

  #receive(batch: Batch): void {
    const { batchSize, windowSeconds, receiveSeconds } = this.#routing
    const received = this.#queue.take(Math.min(messagesPerReceive, batchSize - batch.uploads.length))
    if (received.length === 0) {
      this.#listening.push(batch)
      return
    }
    this.receives += 1
    if (batch.uploads.length === 0) {
      batch.windowEnd = this.#time.now + windowSeconds
      this.#time.at(batch.windowEnd, () => this.#endWindow(batch))
    }
    batch.uploads.push(...received)
    this.#time.after(receiveSeconds, () => {
      if (batch.uploads.length >= batchSize || this.#time.now >= batch.windowEnd) this.#start(batch)
      else this.#receive(batch)
    })
  }

  #endWindow(batch: Batch): void {
    const at = this.#listening.indexOf(batch)
    if (at < 0) return
    this.#listening.splice(at, 1)
    this.#start(batch)
  }

  #start({ uploads }: Batch): void {
    const seconds = this.#routing.runSeconds(uploads.length)
    this.batches.push({ messages: uploads.length, seconds })
    this.#time.after(seconds, () => {
      this.orders.push(...ordersOf(uploads, { sentAt: this.#time.now, ...this.#routing }))
      this.#freeRuns += 1
      if (this.#heldBack === 0) return
      this.#heldBack -= 1
      this.#gather()
    })
    this.#gather()
  }
}

/** What route-objects makes of a batch: test/simulate/orders.test.ts holds it to that. */
export function ordersOf(
  uploads: readonly Upload[],
  { sentAt, maxOrderBytes }: { sentAt: number; maxOrderBytes: number },
): Order[] {
  return [...Map.groupBy(uploads, ({ resource }) => resource)].flatMap(([resource, files]) => {
    const orders: { resource: number; files: number; bytes: number; sentAt: number; cameAt: number[] }[] = []
    for (const { at, bytes } of files) {
      const last = orders.at(-1)
      if (last !== undefined && last.bytes + bytes <= maxOrderBytes) {
        last.files += 1
        last.bytes += bytes
        last.cameAt.push(at)
      } else orders.push({ resource, files: 1, bytes, sentAt, cameAt: [at] })
    }
    return orders
  })
}
