// How a body becomes an object: received into a file of its own, then put into the index in one transaction.
import type { ChecksumAlgorithm } from './checksums.ts'
import type { EventName } from './event-record.ts'
import type { NewObject, Segment } from './object-index.ts'
import { type Incoming, type PayloadFacts, readPayload } from './payload.ts'
import { checkWrite } from './preconditions.ts'
import type { S3Request } from './request.ts'
import { S3Error } from './s3-error.ts'
import type { Store } from './store.ts'

/** S3: the largest body of one PutObject or UploadPart ("Amazon S3 multipart upload limits"). */
const maxBodyBytes = 5 * 1024 ** 3

export interface Received {
  segment: Segment
  facts: PayloadFacts
}

/** Stores a request's body in a new file, which is gone again when the body turns out to be wrong or is cut off. */
export async function receiveBody(
  store: Store,
  incoming: Incoming,
  alsoCompute: readonly ChecksumAlgorithm[] = [],
): Promise<Received> {
  const { contentLength } = incoming.request
  if (contentLength === undefined)
    throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.')
  if (contentLength > maxBodyBytes) {
    throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
      ProposedSize: String(contentLength),
      MaxSizeAllowed: String(maxBodyBytes),
    })
  }
  return writeBlob(store, (sink) => readPayload(incoming, sink, alsoCompute))
}

/** Runs `fill` with a sink that writes to a new file, and removes the file when it fails. */
export async function writeBlob(
  store: Store,
  fill: (sink: (chunk: Buffer) => Promise<void>) => Promise<PayloadFacts>,
): Promise<Received> {
  const writer = await store.blobs.create()
  try {
    const facts = await fill((chunk) => writer.write(chunk)).finally(() => writer.close())
    return { segment: { blobId: writer.blobId, sizeBytes: facts.sizeBytes }, facts }
  } catch (error) {
    await store.blobs.discard([writer.blobId])
    throw error
  }
}

export interface Publication {
  request: S3Request
  object: NewObject
  eventName: EventName
  /** The object's blobs were made for this request and go when it is refused. Otherwise they have another owner. */
  ownsBlobs: boolean
  /** More to do in the same transaction; returns blobs that are then no longer wanted. */
  alongside?: () => string[]
}

/**
 * Makes the object visible, tells the notifications, and removes what it replaced. The request's conditions are
 * checked again at this moment, since the object may have changed while the body flowed.
 */
export async function publish(store: Store, publication: Publication): Promise<void> {
  const { bucket, segments } = publication.object
  let unwanted: string[]
  try {
    unwanted = store.db.transaction(() => replaceObject(store, publication))
  } catch (error) {
    if (publication.ownsBlobs) await store.blobs.discard(segments.map((segment) => segment.blobId))
    throw error
  }
  store.notifications.wake(bucket)
  await store.blobs.discard(unwanted)
}

function replaceObject(store: Store, { request, object, eventName, alongside }: Publication): string[] {
  const { bucket, key, etag, segments } = object
  store.buckets.assertExists(bucket)
  checkWrite(request, store.objects.find(bucket, key))
  const more = alongside?.() ?? []
  const replaced = store.objects.replace(object)
  const sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  store.notifications.record({ eventName, bucket, key, at: store.now(), request, created: { sizeBytes, etag } })
  return [...replaced, ...more]
}
