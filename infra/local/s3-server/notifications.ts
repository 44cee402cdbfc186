// Bucket notifications, at least once: an event enters the outbox in the transaction that changes the object,
// and leaves it when its target has taken it.
import { type Database, numberOf, type Statement, textOf } from './database.ts'
import { Delivery, type NotificationTarget, type TargetFilter } from './delivery.ts'
import { type Change, eventRecord, type S3TestEvent } from './event-record.ts'
import { Outbox } from './outbox.ts'

interface NotificationContext {
  db: Database
  region: string
  now: () => Date
}

export class Notifications {
  readonly #context: NotificationContext
  readonly #outbox: Outbox
  readonly #deliveries = new Map<string, Delivery[]>()
  readonly #nextSequence: Statement
  readonly #filters: Statement
  readonly #clearFilters: Statement
  readonly #addFilter: Statement

  constructor(context: NotificationContext) {
    const { db } = context
    this.#context = context
    this.#outbox = new Outbox(db)
    this.#nextSequence = db.prepare('UPDATE sequence SET value = value + 1 RETURNING value')
    this.#filters = db.prepare('SELECT id, events, prefix, suffix FROM notification_targets WHERE bucket = ?')
    this.#clearFilters = db.prepare('DELETE FROM notification_targets WHERE bucket = ?')
    this.#addFilter = db.prepare(
      'INSERT INTO notification_targets (bucket, id, events, prefix, suffix) VALUES (?, ?, ?, ?, ?)',
    )
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
    const deliveries = targets.map((target) => new Delivery(this.#outbox, bucket, target))
    this.#deliveries.set(bucket, deliveries)
    for (const delivery of deliveries) delivery.pump()
  }

  /** Writes the events of a change down. Call in the transaction of the change, and `wake` after it. */
  record(change: Change): void {
    const { region } = this.#context
    const interested = this.#listFilters(change.bucket).filter((filter) => isInterested(filter, change))
    if (interested.length === 0) return
    const row = this.#nextSequence.get()
    if (row === undefined) throw new Error('the index has no sequence')
    for (const { id } of interested) {
      const event = eventRecord(change, { configurationId: id, region, sequence: numberOf(row, 'value') })
      this.#outbox.add(change.bucket, id, event)
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
    this.#clearFilters.run(bucket)
    for (const { id, events, prefix = '', suffix = '' } of targets) {
      this.#addFilter.run(bucket, id, events.join(','), prefix, suffix)
    }
    this.#outbox.restart(bucket)
  }

  #listFilters(bucket: string): Required<TargetFilter>[] {
    return this.#filters.all(bucket).map((row) => ({
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
