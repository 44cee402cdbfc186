import { type Incoming, readDocument } from '../payload.ts'
import { matchesEtag } from '../preconditions.ts'
import { documentReply, noContent, type Reply } from '../reply.ts'
import type { S3Request } from '../request.ts'
import { preconditionFailed, S3Error } from '../s3-error.ts'
import type { Store } from '../store.ts'
import { parseXml, type XmlElement } from '../xml.ts'

/** S3: the most keys one DeleteObjects may name. */
const maxKeys = 1000

export async function deleteObject(store: Store, { request }: Incoming): Promise<Reply> {
  store.buckets.assertExists(request.bucket)
  await removeObject(store, request, { key: request.key, ifMatch: request.header('if-match') })
  return noContent
}

export async function deleteObjects(store: Store, incoming: Incoming): Promise<Reply> {
  const { request } = incoming
  store.buckets.assertExists(request.bucket)
  const document = parseXml(await readDocument(incoming), 'Delete')
  const wishes = document.all('Object')
  if (wishes.length === 0 || wishes.length > maxKeys) {
    throw new S3Error('MalformedXML', `The XML you provided must name from 1 to ${maxKeys} objects.`)
  }
  const isQuiet = document.find('Quiet') === 'true'
  const deleted: { Key: string }[] = []
  const errors: { Key: string; Code: string; Message: string }[] = []
  for (const wish of wishes) {
    const refusal = await tryRemove(store, request, wish)
    if (refusal !== undefined) errors.push({ Key: wish.get('Key'), Code: refusal.code, Message: refusal.message })
    else if (!isQuiet) deleted.push({ Key: wish.get('Key') })
  }
  return documentReply('DeleteResult', { Deleted: deleted, Error: errors })
}

async function tryRemove(store: Store, request: S3Request, wish: XmlElement): Promise<S3Error | undefined> {
  try {
    await removeObject(store, request, { key: wish.get('Key'), ifMatch: wish.find('ETag') })
    return undefined
  } catch (error) {
    if (error instanceof S3Error && error.code === 'PreconditionFailed') return error
    throw error
  }
}

/** Deleting what is not there succeeds, and tells nobody. */
async function removeObject(
  store: Store,
  request: S3Request,
  { key, ifMatch }: { key: string; ifMatch: string | undefined },
): Promise<void> {
  const { bucket } = request
  const unwanted = store.db.transaction(() => {
    const current = store.objects.find(bucket, key)
    if (ifMatch !== undefined && (current === undefined || !matchesEtag(ifMatch, current))) {
      throw preconditionFailed('If-Match')
    }
    if (current === undefined) return []
    store.notifications.record({ eventName: 'ObjectRemoved:Delete', bucket, key, at: store.now(), request })
    return store.objects.remove(bucket, key)
  })
  store.notifications.wake(bucket)
  await store.blobs.discard(unwanted)
}
