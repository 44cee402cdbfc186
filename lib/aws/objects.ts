// One bucket, as the product sees it. The only place that knows S3's commands.
import type { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { orThrow, storageError } from './failure.ts'
import { openObject } from './get-object.ts'
import { multipartUploads, tagging } from './multipart.ts'
import { listObjects, removeUnchanged, tagUnchanged } from './object-sets.ts'
import { type StagedObject, type StageOptions, stageObject } from './staged-object.ts'

export interface ObjectInfo {
  sizeBytes: number
  /** As S3 gives it, quotes included. The content's MD5 only for objects put in one part without KMS. */
  etag: string
  /** User metadata, names without `x-amz-meta-`, lower-case. */
  metadata: Readonly<Record<string, string>>
}

export interface OpenObject extends ObjectInfo {
  /** The MD5 of the whole content as lower-case hex, where S3 vouches for it; absent where its ETag is something else. */
  md5?: string | undefined
  /** Ends with an error when the connection breaks before the last byte. Must be read to the end or destroyed. */
  body: Readable
}

/** One version of an object; `etag` without quotes. */
export interface ObjectVersion {
  key: string
  etag: string
}

export interface ListedObject extends ObjectVersion {
  sizeBytes: number
  modifiedAt: Date
}

export interface ObjectTag {
  name: string
  value: string
}

export type WriteOutcome = { kind: 'written'; etag: string } | { kind: 'conflict' }

export interface ObjectStore {
  /**
   * Opens an object for reading, guarded by `ifMatch` when given; with `range` these bytes of it, both ends included.
   *
   * @throws {StorageError} OBJECT_MISSING, or OBJECT_CHANGED when it is no longer the version asked for.
   */
  open(
    key: string,
    options?: { ifMatch?: string; range?: { first: number; last: number }; signal?: AbortSignal },
  ): Promise<OpenObject>
  /** What is known of an object; `undefined` when there is none. */
  find(key: string, options?: { signal?: AbortSignal }): Promise<ObjectInfo | undefined>
  /** The whole of a small text object with its ETag; `undefined` when there is none. */
  readText(key: string, options?: { signal?: AbortSignal }): Promise<{ text: string; etag: string } | undefined>
  /**
   * Writes a small text object. With `ifMatch` only over that version, with `ifAbsent` only where there is none:
   * `conflict` says that somebody else was first.
   */
  writeText(
    key: string,
    text: string,
    options?: { contentType?: string; ifMatch?: string; ifAbsent?: boolean; tag?: ObjectTag; signal?: AbortSignal },
  ): Promise<WriteOutcome>
  /** An address under which whoever has it may read the object for so long, as far as this function's own rights last. */
  signedUrl(key: string, seconds: number): Promise<string>
  /** Begins an object that nobody sees until it is published. */
  stage(key: string, options?: StageOptions): Promise<StagedObject>
  /** Deletes an object; one that is not there is as good as deleted. */
  remove(key: string): Promise<void>
  /** One page of keys below a prefix, in S3's order: 1000, or `limit` if that is less. */
  list(
    prefix: string,
    options?: { startAfter?: string; limit?: number; signal?: AbortSignal },
  ): Promise<{ objects: ListedObject[]; isComplete: boolean }>
  /** Deletes the objects that are still these versions, and leaves the others. */
  removeUnchanged(versions: readonly ObjectVersion[], options?: { signal?: AbortSignal }): Promise<void>
  /** Adds a tag to an object that is still this version, and leaves another. */
  tagUnchanged(version: ObjectVersion, tag: ObjectTag, options?: { signal?: AbortSignal }): Promise<void>
}

export function createObjectStore(client: S3Client, bucket: string): ObjectStore {
  const find: ObjectStore['find'] = async (key, options = {}) => {
    const command = new HeadObjectCommand({ Bucket: bucket, Key: key })
    const reply = await ifPresent(client.send(command, options.signal && { abortSignal: options.signal }), 'HeadObject')
    return reply && { sizeBytes: reply.ContentLength ?? 0, etag: reply.ETag ?? '', metadata: reply.Metadata ?? {} }
  }

  const readText: ObjectStore['readText'] = async (key, { signal } = {}) => {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key })
    const reply = await ifPresent(client.send(command, signal && { abortSignal: signal }), 'GetObject')
    if (reply?.Body === undefined) return undefined
    return { text: await orThrow(reply.Body.transformToString('utf-8'), 'GetObject'), etag: reply.ETag ?? '' }
  }

  const writeText: ObjectStore['writeText'] = async (key, text, options = {}) => {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: text,
      // The SDK takes an empty text for a stream of unknown length, and warns of it.
      ContentLength: Buffer.byteLength(text),
      ContentType: options.contentType ?? 'text/plain; charset=utf-8',
      ...(options.ifMatch && { IfMatch: options.ifMatch }),
      ...(options.ifAbsent && { IfNoneMatch: '*' }),
      ...(options.tag && { Tagging: tagging(options.tag) }),
    })
    try {
      const reply = await client.send(command, options.signal && { abortSignal: options.signal })
      return { kind: 'written', etag: reply.ETag ?? '' }
    } catch (cause) {
      const error = storageError('PutObject', cause)
      // S3: If-Match on a key that has since been deleted answers 404.
      if (error.code === 'OBJECT_CHANGED' || error.code === 'OBJECT_MISSING') return { kind: 'conflict' }
      throw error
    }
  }

  const remove: ObjectStore['remove'] = async (key) => {
    await orThrow(client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })), 'DeleteObject')
  }

  const place = { client, bucket }
  return {
    find,
    open: openObject(place),
    readText,
    writeText,
    remove,
    stage: stageObject(multipartUploads(place)),
    signedUrl: (key, seconds) =>
      getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: seconds }),
    list: listObjects(place),
    removeUnchanged: removeUnchanged(place),
    tagUnchanged: tagUnchanged(place, find),
  }
}

async function ifPresent<T>(reply: Promise<T>, action: string): Promise<T | undefined> {
  try {
    return await reply
  } catch (cause) {
    const error = storageError(action, cause)
    if (error.code === 'OBJECT_MISSING') return undefined
    throw error
  }
}
