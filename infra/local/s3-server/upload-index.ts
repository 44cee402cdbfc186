import type { ChecksumAlgorithm, ChecksumType } from './checksums.ts'
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
import type { ObjectAttributes } from './object-index.ts'
import { noSuchUpload } from './s3-error.ts'

export interface Upload extends ObjectAttributes {
  id: string
  bucket: string
  key: string
  initiated: Date
  checksum: { algorithm: ChecksumAlgorithm; type: ChecksumType } | undefined
}

export interface Part {
  number: number
  blobId: string
  sizeBytes: number
  etag: string
  modified: Date
  /** Base64 by algorithm. */
  checksums: Readonly<Record<string, string>>
}

export class UploadIndex {
  readonly #insert: Statement
  readonly #get: Statement
  readonly #remove: Statement
  readonly #list: Statement
  readonly #putPart: Statement
  readonly #findPart: Statement
  readonly #parts: Statement
  readonly #inBucket: Statement
  readonly #blobs: Statement

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO uploads (id, bucket, key, initiated, headers, tags, checksum_algorithm, checksum_type)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#get = db.prepare('SELECT * FROM uploads WHERE id = ? AND bucket = ? AND key = ?')
    this.#remove = db.prepare('DELETE FROM uploads WHERE id = ?')
    this.#list = db.prepare(`
      SELECT * FROM uploads WHERE bucket = ? AND key >= ? AND key < ? AND (key > ? OR (key = ? AND id > ?))
      ORDER BY key, id LIMIT ?`)
    this.#putPart = db.prepare(`
      INSERT OR REPLACE INTO parts (upload, number, blob, size, etag, modified, checksums) VALUES (?, ?, ?, ?, ?, ?, ?)`)
    this.#findPart = db.prepare('SELECT * FROM parts WHERE upload = ? AND number = ?')
    this.#parts = db.prepare('SELECT * FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?')
    this.#inBucket = db.prepare('SELECT blob FROM parts JOIN uploads ON uploads.id = parts.upload WHERE bucket = ?')
    this.#blobs = db.prepare('SELECT blob FROM parts')
  }

  add(upload: Upload): void {
    this.#insert.run(
      upload.id,
      upload.bucket,
      keyBytes(upload.key),
      upload.initiated.getTime(),
      JSON.stringify(upload.headers),
      JSON.stringify(upload.tags),
      upload.checksum?.algorithm ?? null,
      upload.checksum?.type ?? null,
    )
  }

  /** @throws {S3Error} NoSuchUpload, also when the upload belongs to another bucket or key. */
  get(id: string, bucket: string, key: string): Upload {
    const row = this.#get.get(id, bucket, keyBytes(key))
    if (row === undefined) throw noSuchUpload(id)
    return toUpload(row)
  }

  /** Call in a transaction. @returns the blobs of its parts, which the caller keeps or discards. */
  remove(id: string): string[] {
    const blobIds = this.parts(id).map((part) => part.blobId)
    this.#remove.run(id)
    return blobIds
  }

  list(bucket: string, range: { prefix: string; afterKey: string; afterId: string; limit: number }): Upload[] {
    const prefix = keyBytes(range.prefix)
    const after = keyBytes(range.afterKey)
    return this.#list.all(bucket, prefix, afterPrefix(prefix), after, after, range.afterId, range.limit).map(toUpload)
  }

  /** Call in a transaction. @returns the blob of the part that was there before. */
  putPart(uploadId: string, part: Part): string[] {
    const earlier = this.#findPart.get(uploadId, part.number)
    this.#putPart.run(
      uploadId,
      part.number,
      part.blobId,
      part.sizeBytes,
      part.etag,
      part.modified.getTime(),
      JSON.stringify(part.checksums),
    )
    return earlier === undefined ? [] : [textOf(earlier, 'blob')]
  }

  parts(uploadId: string, range: { after: number; limit: number } = { after: 0, limit: -1 }): Part[] {
    return this.#parts.all(uploadId, range.after, range.limit).map(toPart)
  }

  blobIdsIn(bucket: string): string[] {
    return this.#inBucket.all(bucket).map((row) => textOf(row, 'blob'))
  }

  blobIds(): string[] {
    return this.#blobs.all().map((row) => textOf(row, 'blob'))
  }
}

function toUpload(row: Row): Upload {
  const algorithm = findText(row, 'checksum_algorithm')
  const type = findText(row, 'checksum_type') === 'FULL_OBJECT' ? 'FULL_OBJECT' : 'COMPOSITE'
  return {
    id: textOf(row, 'id'),
    bucket: textOf(row, 'bucket'),
    key: bytesOf(row, 'key').toString('utf8'),
    initiated: new Date(numberOf(row, 'initiated')),
    headers: recordOf(row, 'headers'),
    tags: recordOf(row, 'tags'),
    checksum: algorithm === undefined ? undefined : { algorithm: parseAlgorithm(algorithm), type },
  }
}

function toPart(row: Row): Part {
  return {
    number: numberOf(row, 'number'),
    blobId: textOf(row, 'blob'),
    sizeBytes: numberOf(row, 'size'),
    etag: textOf(row, 'etag'),
    modified: new Date(numberOf(row, 'modified')),
    checksums: recordOf(row, 'checksums'),
  }
}
