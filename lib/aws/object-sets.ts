// What is done to many objects of a bucket: listing them, and ending those that are still what they were.
import {
  DeleteObjectsCommand,
  GetObjectTaggingCommand,
  ListObjectsV2Command,
  PutObjectTaggingCommand,
  type S3Client,
  type Tag,
} from '@aws-sdk/client-s3'
import { StorageError } from '../errors.ts'
import { parts } from '../in-parts.ts'
import { orThrow, storageError } from './failure.ts'
import type { ObjectInfo, ObjectStore } from './objects.ts'

export interface Bucket {
  client: S3Client
  bucket: string
}

export function listObjects({ client, bucket }: Bucket): ObjectStore['list'] {
  return async (prefix, { startAfter, limit, signal } = {}) => {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      ...(startAfter !== undefined && { StartAfter: startAfter }),
      ...(limit !== undefined && { MaxKeys: limit }),
    })
    const reply = await orThrow(client.send(command, signal && { abortSignal: signal }), 'ListObjectsV2')
    const objects = (reply.Contents ?? []).map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
      key: Key,
      sizeBytes: Size,
      etag: ETag.replaceAll('"', ''),
      modifiedAt: LastModified ?? new Date(0),
    }))
    return { objects, isComplete: reply.IsTruncated !== true }
  }
}

/** S3: the most keys that one DeleteObjects may name. */
const maxDeletions = 1000

export function removeUnchanged({ client, bucket }: Bucket): ObjectStore['removeUnchanged'] {
  return async (versions, { signal } = {}) => {
    for (const part of parts(versions, maxDeletions)) {
      const Objects = part.map(({ key, etag }) => ({ Key: key, ETag: `"${etag}"` }))
      const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } })
      const reply = await orThrow(client.send(command, signal && { abortSignal: signal }), 'DeleteObjects')
      const left = (reply.Errors ?? []).filter(({ Code }) => !isGoneOrOther.has(Code ?? ''))
      const [first] = left
      if (first === undefined) continue
      const code = first.Code === 'AccessDenied' ? 'STORAGE_REFUSED' : 'STORAGE_BUSY'
      throw new StorageError('DeleteObjects left some', { code, context: { files: left.length } })
    }
  }
}

// S3: answers of a conditional delete to another version, and to no object at all (DeleteObjects, "If-Match").
const isGoneOrOther: ReadonlySet<string> = new Set(['PreconditionFailed', 'NoSuchKey', 'NotFound'])

type Find = (key: string, options?: { signal?: AbortSignal }) => Promise<ObjectInfo | undefined>

/** S3 cannot make tagging depend on a version, so it is looked at before and after. */
export function tagUnchanged({ client, bucket }: Bucket, find: Find): ObjectStore['tagUnchanged'] {
  const tagsOf = async (key: string, signal: AbortSignal | undefined) => {
    const command = new GetObjectTaggingCommand({ Bucket: bucket, Key: key })
    return (await client.send(command, signal && { abortSignal: signal })).TagSet ?? []
  }
  const setTags = async (key: string, TagSet: Tag[], signal: AbortSignal | undefined) => {
    const command = new PutObjectTaggingCommand({ Bucket: bucket, Key: key, Tagging: { TagSet } })
    await client.send(command, signal && { abortSignal: signal })
  }
  return async ({ key, etag }, { name, value }, options = {}) => {
    const isSame = async () => (await find(key, options))?.etag === `"${etag}"`
    if (!(await isSame())) return
    try {
      const others = (await tagsOf(key, options.signal)).filter(({ Key }) => Key !== name)
      await setTags(key, [...others, { Key: name, Value: value }], options.signal)
      if (await isSame()) return
      const now = (await tagsOf(key, options.signal)).filter(({ Key }) => Key !== name)
      await setTags(key, now, options.signal)
    } catch (cause) {
      const error = storageError('PutObjectTagging', cause)
      if (error.code !== 'OBJECT_MISSING') throw error
    }
  }
}
