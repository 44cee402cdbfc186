import { type Database, numberOf, type Statement, textOf } from './database.ts'
import { noSuchBucket } from './s3-error.ts'

export interface Bucket {
  name: string
  created: Date
}

export class BucketIndex {
  readonly #insert: Statement
  readonly #get: Statement
  readonly #all: Statement
  readonly #remove: Statement
  readonly #anyObject: Statement

  constructor(db: Database) {
    this.#insert = db.prepare('INSERT INTO buckets (name, created) VALUES (?, ?) ON CONFLICT DO NOTHING')
    this.#get = db.prepare('SELECT name FROM buckets WHERE name = ?')
    this.#all = db.prepare('SELECT name, created FROM buckets ORDER BY name')
    this.#remove = db.prepare('DELETE FROM buckets WHERE name = ?')
    this.#anyObject = db.prepare('SELECT id FROM objects WHERE bucket = ? LIMIT 1')
  }

  /** @returns whether the bucket is new. */
  ensure(name: string, now: Date): boolean {
    return this.#insert.run(name, now.getTime()) > 0
  }

  /** @throws {S3Error} NoSuchBucket */
  assertExists(name: string): void {
    if (this.#get.get(name) === undefined) throw noSuchBucket(name)
  }

  list(): Bucket[] {
    return this.#all.all().map((row) => ({ name: textOf(row, 'name'), created: new Date(numberOf(row, 'created')) }))
  }

  isEmpty(name: string): boolean {
    return this.#anyObject.get(name) === undefined
  }

  remove(name: string): void {
    this.#remove.run(name)
  }
}
