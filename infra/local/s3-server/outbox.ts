import { type Database, numberOf, type Statement, textOf } from './database.ts'
import type { S3Event } from './event-record.ts'

export interface WaitingEvent {
  position: number
  event: S3Event
  /** How often it was offered and not taken. */
  attempts: number
  /** Not to be offered before; milliseconds since 1970. */
  due: number
}

/** Events that some target still has to take. Each row leaves only when it was taken, so none is lost in between. */
export class Outbox {
  readonly #add: Statement
  readonly #next: Statement
  readonly #remove: Statement
  readonly #postpone: Statement
  readonly #makeDue: Statement
  readonly #dropOrphans: Statement

  constructor(db: Database) {
    this.#add = db.prepare('INSERT INTO outbox (bucket, target, event) VALUES (?, ?, ?)')
    this.#next = db.prepare(`
      SELECT position, event, attempts, due FROM outbox WHERE bucket = ? AND target = ?
      ORDER BY due, position LIMIT ?`)
    this.#remove = db.prepare('DELETE FROM outbox WHERE position = ?')
    this.#postpone = db.prepare('UPDATE outbox SET attempts = ?, due = ? WHERE position = ?')
    this.#makeDue = db.prepare('UPDATE outbox SET attempts = 0, due = 0 WHERE bucket = ?')
    this.#dropOrphans = db.prepare(`
      DELETE FROM outbox WHERE bucket = ? AND target NOT IN (SELECT id FROM notification_targets WHERE bucket = ?)`)
  }

  add(bucket: string, targetId: string, event: S3Event): void {
    this.#add.run(bucket, targetId, JSON.stringify(event))
  }

  /** The first `limit` events for a target, those due first, new ones before those that were refused. */
  next(bucket: string, targetId: string, limit: number): WaitingEvent[] {
    return this.#next.all(bucket, targetId, limit).map((row) => ({
      position: numberOf(row, 'position'),
      event: JSON.parse(textOf(row, 'event')),
      attempts: numberOf(row, 'attempts'),
      due: numberOf(row, 'due'),
    }))
  }

  remove(position: number): void {
    this.#remove.run(position)
  }

  postpone({ position, attempts }: WaitingEvent, due: number): void {
    this.#postpone.run(attempts + 1, due, position)
  }

  /** Makes everything due at once, and drops what waits for targets the bucket no longer has. */
  restart(bucket: string): void {
    this.#dropOrphans.run(bucket, bucket)
    this.#makeDue.run(bucket)
  }
}
