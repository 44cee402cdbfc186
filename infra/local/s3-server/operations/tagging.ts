import { toTags } from '../attributes.ts'
import type { StoredObject } from '../object-index.ts'
import { type Incoming, readDocument } from '../payload.ts'
import { documentReply, noContent, type Reply } from '../reply.ts'
import type { S3Request } from '../request.ts'
import { noSuchKey } from '../s3-error.ts'
import type { Store } from '../store.ts'
import { parseXml } from '../xml.ts'

export async function getObjectTagging(store: Store, { request }: Incoming): Promise<Reply> {
  const tags = Object.entries(requestedObject(store, request).tags).map(([Key, Value]) => ({ Key, Value }))
  return documentReply('Tagging', { TagSet: { Tag: tags } })
}

export async function putObjectTagging(store: Store, incoming: Incoming): Promise<Reply> {
  const document = parseXml(await readDocument(incoming), 'Tagging')
  const elements = document.all('TagSet').flatMap((set) => set.all('Tag'))
  const tags = toTags(elements.map((tag) => [tag.get('Key'), tag.get('Value')]))
  store.objects.setTags(requestedObject(store, incoming.request), tags)
  return { status: 200 }
}

export async function deleteObjectTagging(store: Store, { request }: Incoming): Promise<Reply> {
  store.objects.setTags(requestedObject(store, request), {})
  return noContent
}

function requestedObject(store: Store, { bucket, key }: S3Request): StoredObject {
  store.buckets.assertExists(bucket)
  const object = store.objects.find(bucket, key)
  if (object === undefined) throw noSuchKey(key)
  return object
}
