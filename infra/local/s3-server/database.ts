// The index on disk: buckets, objects, uploads under way and the outbox, changed in transactions.
// Every commit survives the death of the process; keys are kept as bytes, so they sort as S3 sorts them.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'

const schema = `
  CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, created INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS objects (
    id INTEGER PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES buckets (name),
    key BLOB NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified INTEGER NOT NULL,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL,
    checksum_algorithm TEXT,
    checksum_type TEXT,
    checksum_value TEXT,
    UNIQUE (bucket, key)
  );
  CREATE TABLE IF NOT EXISTS segments (
    object INTEGER NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    blob TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (object, position)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES buckets (name) ON DELETE CASCADE,
    key BLOB NOT NULL,
    initiated INTEGER NOT NULL,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL,
    checksum_algorithm TEXT,
    checksum_type TEXT
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket, key, id);
  CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    blob TEXT NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified INTEGER NOT NULL,
    checksums TEXT NOT NULL,
    PRIMARY KEY (upload, number)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS notification_targets (
    bucket TEXT NOT NULL REFERENCES buckets (name) ON DELETE CASCADE,
    id TEXT NOT NULL,
    events TEXT NOT NULL,
    prefix TEXT NOT NULL,
    suffix TEXT NOT NULL,
    PRIMARY KEY (bucket, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL,
    target TEXT NOT NULL,
    event TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX IF NOT EXISTS outbox_by_target ON outbox (bucket, target, due, position);
  CREATE TABLE IF NOT EXISTS sequence (value INTEGER NOT NULL);
  INSERT INTO sequence SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM sequence);
`

export type Row = Readonly<Record<string, SQLOutputValue>>

export class Database {
  readonly #db: DatabaseSync

  /** @throws when another server has the folder open: two would remove each other's files. */
  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true })
    this.#db = new DatabaseSync(join(dataDir, 'index.sqlite'))
    try {
      this.#db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
      this.#db.exec(schema)
    } catch (cause) {
      this.#db.close()
      throw new Error(`cannot open the S3 folder ${dataDir}; is another server using it?`, { cause })
    }
  }

  prepare(sql: string): Statement {
    const statement = this.#db.prepare(sql)
    return {
      run: (...values) => Number(statement.run(...values).changes),
      get: (...values) => statement.get(...values),
      all: (...values) => statement.all(...values),
    }
  }

  /** All or nothing. `act` is synchronous, so nothing else sees or changes the index meanwhile. */
  transaction<T>(act: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = act()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite may have rolled back by itself, on a full disk for one.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  close(): void {
    this.#db.close()
  }
}

export interface Statement {
  /** @returns the number of rows changed. */
  run(...values: SQLInputValue[]): number
  get(...values: SQLInputValue[]): Row | undefined
  all(...values: SQLInputValue[]): Row[]
}

export const keyBytes = (key: string) => Buffer.from(key, 'utf8')

/** The first byte string after everything that starts with `prefix`: UTF-8 never has the byte 0xFF. */
export const afterPrefix = (prefix: Buffer) => Buffer.concat([prefix, Buffer.of(0xff)])

export function textOf(row: Row, column: string): string {
  return findText(row, column) ?? mistyped(column)
}

export function findText(row: Row, column: string): string | undefined {
  const value = row[column]
  if (value === null) return undefined
  return typeof value === 'string' ? value : mistyped(column)
}

export function numberOf(row: Row, column: string): number {
  const value = row[column]
  return typeof value === 'number' ? value : mistyped(column)
}

export function bytesOf(row: Row, column: string): Buffer {
  const value = row[column]
  return value instanceof Uint8Array ? Buffer.from(value) : mistyped(column)
}

/** A JSON object of strings, as the columns for headers, tags and checksums hold it. */
export function recordOf(row: Row, column: string): Record<string, string> {
  const value: unknown = JSON.parse(textOf(row, column))
  if (typeof value !== 'object' || value === null) return mistyped(column)
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => [name, typeof text === 'string' ? text : mistyped(column)]),
  )
}

function mistyped(column: string): never {
  throw new TypeError(`the index holds a ${column} of another type`)
}
