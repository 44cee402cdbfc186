import type { BlobSlice } from './blobs.ts'
import type { Checksum } from './checksums.ts'
import { parseAlgorithm } from './checksums.ts'
import {
  afterPrefix,
  bytesOf,
  type Database,
  findText,
  keyBytes,
  numberOf,
  type Row,
  recordOf,
  type Statement,
  textOf,
} from './database.ts'

export interface Segment {
  blobId: string
  sizeBytes: number
}

/** What a client gives an object besides its bytes. */
export interface ObjectAttributes {
  /** Sent back with the object: Content-Type, Cache-Control, x-amz-meta-* and the like. */
  headers: Readonly<Record<string, string>>
  tags: Readonly<Record<string, string>>
}

export interface ObjectListing {
  key: string
  sizeBytes: number
  /** Without its quotes. */
  etag: string
  modified: Date
  storageClass: string
}

export interface StoredObject extends ObjectListing, ObjectAttributes {
  id: number
  checksum: Checksum | undefined
}

export interface NewObject extends ObjectAttributes {
  bucket: string
  key: string
  etag: string
  modified: Date
  checksum: Checksum | undefined
  segments: readonly Segment[]
}

export class ObjectIndex {
  readonly #get: Statement
  readonly #insert: Statement
  readonly #remove: Statement
  readonly #insertSegment: Statement
  readonly #segments: Statement
  readonly #setTags: Statement
  readonly #scan: Statement
  readonly #blobs: Statement

  constructor(db: Database) {
    this.#get = db.prepare(
      "SELECT *, headers ->> 'x-amz-storage-class' AS storage_class FROM objects WHERE bucket = ? AND key = ?",
    )
    this.#insert = db.prepare(`
      INSERT INTO objects (bucket, key, size, etag, modified, headers, tags, checksum_algorithm, checksum_type, checksum_value)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`)
    this.#remove = db.prepare('DELETE FROM objects WHERE id = ?')
    this.#insertSegment = db.prepare('INSERT INTO segments (object, position, blob, size) VALUES (?, ?, ?, ?)')
    this.#segments = db.prepare('SELECT blob, size FROM segments WHERE object = ? ORDER BY position')
    this.#setTags = db.prepare('UPDATE objects SET tags = ? WHERE id = ?')
    this.#scan = db.prepare(`
      SELECT key, size, etag, modified, headers ->> 'x-amz-storage-class' AS storage_class FROM objects
      WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?`)
    this.#blobs = db.prepare('SELECT blob FROM segments')
  }

  find(bucket: string, key: string): StoredObject | undefined {
    const row = this.#get.get(bucket, keyBytes(key))
    return row && toStoredObject(row)
  }

  segments(object: StoredObject): Segment[] {
    return this.#segments.all(object.id).map(toSegment)
  }

  /** Puts the object in place of what was there. Call in a transaction. @returns the blobs no longer named. */
  replace(object: NewObject): string[] {
    const unwanted = this.remove(object.bucket, object.key)
    const sizeBytes = object.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
    const { checksum } = object
    const row = this.#insert.get(
      object.bucket,
      keyBytes(object.key),
      sizeBytes,
      object.etag,
      object.modified.getTime(),
      JSON.stringify(object.headers),
      JSON.stringify(object.tags),
      checksum?.algorithm ?? null,
      checksum?.type ?? null,
      checksum?.value ?? null,
    )
    if (row === undefined) throw new Error('the index returned no id for a new object')
    for (const [position, segment] of object.segments.entries()) {
      this.#insertSegment.run(numberOf(row, 'id'), position, segment.blobId, segment.sizeBytes)
    }
    return unwanted
  }

  /** Call in a transaction. @returns the blobs no longer named. */
  remove(bucket: string, key: string): string[] {
    const object = this.find(bucket, key)
    if (object === undefined) return []
    const unwanted = this.segments(object).map((segment) => segment.blobId)
    this.#remove.run(object.id)
    return unwanted
  }

  setTags(object: StoredObject, tags: Readonly<Record<string, string>>): void {
    this.#setTags.run(JSON.stringify(tags), object.id)
  }

  /** In the order of the keys' bytes, from `from` on (inclusive), within `prefix`. */
  scan(bucket: string, range: { prefix: Buffer; from: Buffer; limit: number }): ObjectListing[] {
    const rows = this.#scan.all(bucket, range.from, afterPrefix(range.prefix), range.limit)
    return rows.map(toListing)
  }

  blobIds(): string[] {
    return this.#blobs.all().map((row) => textOf(row, 'blob'))
  }
}

/** The stretches of the stored files that hold the bytes from `start` to `end` (exclusive). */
export function sliceSegments(segments: readonly Segment[], start: number, end: number): BlobSlice[] {
  const slices: BlobSlice[] = []
  let offset = 0
  for (const { blobId, sizeBytes } of segments) {
    const from = Math.max(start, offset)
    const to = Math.min(end, offset + sizeBytes)
    if (from < to) slices.push({ blobId, start: from - offset, length: to - from })
    offset += sizeBytes
  }
  return slices
}

function toListing(row: Row): ObjectListing {
  return {
    key: bytesOf(row, 'key').toString('utf8'),
    sizeBytes: numberOf(row, 'size'),
    etag: textOf(row, 'etag'),
    modified: new Date(numberOf(row, 'modified')),
    storageClass: findText(row, 'storage_class') ?? 'STANDARD',
  }
}

function toStoredObject(row: Row): StoredObject {
  return {
    ...toListing(row),
    id: numberOf(row, 'id'),
    headers: recordOf(row, 'headers'),
    tags: recordOf(row, 'tags'),
    checksum: toChecksum(row),
  }
}

function toChecksum(row: Row): Checksum | undefined {
  const algorithm = findText(row, 'checksum_algorithm')
  if (algorithm === undefined) return undefined
  return {
    algorithm: parseAlgorithm(algorithm),
    type: textOf(row, 'checksum_type') === 'FULL_OBJECT' ? 'FULL_OBJECT' : 'COMPOSITE',
    value: textOf(row, 'checksum_value'),
  }
}

const toSegment = (row: Row): Segment => ({ blobId: textOf(row, 'blob'), sizeBytes: numberOf(row, 'size') })
