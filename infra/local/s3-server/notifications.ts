// Bucket notifications, at least once: an event enters the outbox in the transaction that changes the object,
// and leaves it when its target has taken it.
import { type Database, numberOf, type Statement, textOf } from './database.ts'
import { type Change, eventRecord, type S3Event, type S3TestEvent } from './event-record.ts'

const maxInFlight = 16
const firstWaitMs = 100
const maxWaitMs = 30_000
const stopWaitMs = 2_000

interface TargetFilter {
  id: string
  /** 's3:ObjectCreated:*', 's3:ObjectRemoved:*' or exact names. */
  events: string[]
  prefix?: string
  suffix?: string
}

export type NotificationTarget = TargetFilter &
  (
    | { testEvent?: false; deliver: (event: S3Event) => Promise<void> }
    /** S3 announces itself to a new target with a test event, which has no `Records`. */
    | { testEvent: true; deliver: (event: S3Event | S3TestEvent) => Promise<void> }
  )

interface NotificationContext {
  db: Database
  region: string
  now: () => Date
}

export class Notifications {
  readonly #context: NotificationContext
  readonly #deliveries = new Map<string, Delivery[]>()
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(context: NotificationContext) {
    this.#context = context
    this.#statements = prepareStatements(context.db)
  }

  /**
   * Replaces the bucket's targets. The filters are kept on disk, so that after a restart events gather even before
   * this is called again; what waits for a target of the same id is then delivered.
   */
  async setTargets(bucket: string, targets: readonly NotificationTarget[]): Promise<void> {
    for (const target of targets) {
      if (target.testEvent) await target.deliver(this.#testEvent(bucket))
    }
    await this.#stopDeliveries(bucket)
    this.#context.db.transaction(() => this.#saveFilters(bucket, targets))
    const deliveries = targets.map((target) => new Delivery(this.#statements, bucket, target))
    this.#deliveries.set(bucket, deliveries)
    for (const delivery of deliveries) delivery.pump()
  }

  /** Writes the events of a change down. Call in the transaction of the change, and `wake` after it. */
  record(change: Change): void {
    const { region } = this.#context
    const interested = this.#filters(change.bucket).filter((filter) => isInterested(filter, change))
    if (interested.length === 0) return
    const row = this.#statements.nextSequence.get()
    if (row === undefined) throw new Error('the index has no sequence')
    for (const { id } of interested) {
      const event = eventRecord(change, { configurationId: id, region, sequence: numberOf(row, 'value') })
      this.#statements.add.run(change.bucket, id, JSON.stringify(event))
    }
  }

  wake(bucket: string): void {
    for (const delivery of this.#deliveries.get(bucket) ?? []) delivery.pump()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#deliveries.keys()].map((bucket) => this.#stopDeliveries(bucket)))
  }

  async #stopDeliveries(bucket: string): Promise<void> {
    await Promise.all((this.#deliveries.get(bucket) ?? []).map((delivery) => delivery.stop()))
    this.#deliveries.delete(bucket)
  }

  #saveFilters(bucket: string, targets: readonly TargetFilter[]): void {
    const { clearTargets, addTarget, makeDue, dropOrphans } = this.#statements
    clearTargets.run(bucket)
    for (const { id, events, prefix = '', suffix = '' } of targets) {
      addTarget.run(bucket, id, events.join(','), prefix, suffix)
    }
    dropOrphans.run(bucket, bucket)
    makeDue.run(bucket)
  }

  #filters(bucket: string): Required<TargetFilter>[] {
    return this.#statements.targets.all(bucket).map((row) => ({
      id: textOf(row, 'id'),
      events: textOf(row, 'events').split(','),
      prefix: textOf(row, 'prefix'),
      suffix: textOf(row, 'suffix'),
    }))
  }

  #testEvent(bucket: string): S3TestEvent {
    return {
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: this.#context.now().toISOString(),
      Bucket: bucket,
      RequestId: 'TESTEVENT',
      HostId: 'local',
    }
  }
}

function isInterested(filter: Required<TargetFilter>, { eventName, key }: Change): boolean {
  const matchesEvent = filter.events.some((pattern) => {
    const wanted = pattern.replace(/^s3:/u, '')
    return wanted.endsWith('*') ? eventName.startsWith(wanted.slice(0, -1)) : eventName === wanted
  })
  return matchesEvent && key.startsWith(filter.prefix) && key.endsWith(filter.suffix)
}

function prepareStatements(db: Database) {
  return {
    targets: db.prepare('SELECT id, events, prefix, suffix FROM notification_targets WHERE bucket = ?'),
    clearTargets: db.prepare('DELETE FROM notification_targets WHERE bucket = ?'),
    addTarget: db.prepare(
      'INSERT INTO notification_targets (bucket, id, events, prefix, suffix) VALUES (?, ?, ?, ?, ?)',
    ),
    dropOrphans: db.prepare(`
      DELETE FROM outbox WHERE bucket = ? AND target NOT IN (SELECT id FROM notification_targets WHERE bucket = ?)`),
    makeDue: db.prepare('UPDATE outbox SET attempts = 0, due = 0 WHERE bucket = ?'),
    nextSequence: db.prepare('UPDATE sequence SET value = value + 1 RETURNING value'),
    add: db.prepare('INSERT INTO outbox (bucket, target, event) VALUES (?, ?, ?)'),
    due: db.prepare(`
      SELECT position, event, attempts, due FROM outbox WHERE bucket = ? AND target = ?
      ORDER BY due, position LIMIT ?`),
    done: db.prepare('DELETE FROM outbox WHERE position = ?'),
    postpone: db.prepare('UPDATE outbox SET attempts = ?, due = ? WHERE position = ?'),
  } satisfies Record<string, Statement>
}

interface Waiting {
  position: number
  event: S3Event
  attempts: number
}

/** Empties the outbox of one target, several events at a time, and comes back for those it refused. */
class Delivery {
  readonly #statements: ReturnType<typeof prepareStatements>
  readonly #bucket: string
  readonly #target: NotificationTarget
  readonly #inFlight = new Map<number, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  #isAbandoned = false

  constructor(statements: ReturnType<typeof prepareStatements>, bucket: string, target: NotificationTarget) {
    this.#statements = statements
    this.#bucket = bucket
    this.#target = target
  }

  pump(): void {
    if (this.#isStopped || this.#inFlight.size >= maxInFlight) return
    clearTimeout(this.#timer)
    const now = Date.now()
    const rows = this.#statements.due.all(this.#bucket, this.#target.id, maxInFlight * 2)
    for (const row of rows) {
      const position = numberOf(row, 'position')
      const waitMs = numberOf(row, 'due') - now
      if (this.#inFlight.has(position)) continue
      if (this.#inFlight.size >= maxInFlight) return
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs)
        return
      }
      const event: S3Event = JSON.parse(textOf(row, 'event'))
      this.#start({ position, event, attempts: numberOf(row, 'attempts') })
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

  #start(waiting: Waiting): void {
    const attempt = this.#deliver(waiting).finally(() => {
      this.#inFlight.delete(waiting.position)
      this.pump()
    })
    this.#inFlight.set(waiting.position, attempt)
  }

  async #deliver({ position, event, attempts }: Waiting): Promise<void> {
    const refusal = await this.#attempt(event)
    // The index may be closed by now; an event that stays in it is only delivered once more.
    if (this.#isAbandoned) return
    if (refusal === undefined) {
      this.#statements.done.run(position)
      return
    }
    const waitMs = Math.min(firstWaitMs * 2 ** attempts, maxWaitMs)
    process.emitWarning(`target ${this.#target.id} did not take an event, again in ${waitMs} ms: ${refusal.reason}`)
    this.#statements.postpone.run(attempts + 1, Date.now() + waitMs, position)
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
