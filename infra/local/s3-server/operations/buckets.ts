import { type Incoming, readDocument } from '../payload.ts'
import { documentReply, noContent, owner, type Reply } from '../reply.ts'
import { S3Error } from '../s3-error.ts'
import type { Store } from '../store.ts'
import { parseXml } from '../xml.ts'

export async function listBuckets(store: Store): Promise<Reply> {
  const buckets = store.buckets.list().map(({ name, created }) => ({ Name: name, CreationDate: created.toISOString() }))
  return documentReply('ListAllMyBucketsResult', { Owner: owner, Buckets: { Bucket: buckets } })
}

export async function createBucket(store: Store, incoming: Incoming): Promise<Reply> {
  const { bucket } = incoming.request
  assertBucketName(bucket)
  const document = await readDocument(incoming)
  const asked =
    document.trim() === '' ? undefined : parseXml(document, 'CreateBucketConfiguration').find('LocationConstraint')
  if (asked !== undefined && asked !== '' && asked !== store.region) {
    throw new S3Error(
      'IllegalLocationConstraintException',
      `The ${asked} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    )
  }
  if (!store.buckets.ensure(bucket, store.now())) {
    throw new S3Error(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      {
        BucketName: bucket,
      },
    )
  }
  return { status: 200, headers: { location: `/${bucket}` } }
}

export async function headBucket(store: Store, { request }: Incoming): Promise<Reply> {
  store.buckets.assertExists(request.bucket)
  return { status: 200, headers: { 'x-amz-bucket-region': store.region } }
}

/** Uploads still under way do not keep a bucket; they go with it. */
export async function deleteBucket(store: Store, { request: { bucket } }: Incoming): Promise<Reply> {
  const unwanted = store.db.transaction(() => {
    store.buckets.assertExists(bucket)
    if (!store.buckets.isEmpty(bucket)) {
      throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty', { BucketName: bucket })
    }
    const blobIds = store.uploads.blobIdsIn(bucket)
    store.buckets.remove(bucket)
    return blobIds
  })
  await store.blobs.discard(unwanted)
  return noContent
}

export async function getBucketLocation(store: Store, { request }: Incoming): Promise<Reply> {
  store.buckets.assertExists(request.bucket)
  // S3: us-east-1 is the region without a name here (GetBucketLocation).
  return documentReply('LocationConstraint', store.region === 'us-east-1' ? '' : store.region)
}

/** S3: "General purpose bucket naming rules", as far as a wrong name would not work elsewhere. */
export function assertBucketName(name: string): void {
  const isValid =
    /^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/u.test(name) && !name.includes('..') && !/^\d+(\.\d+){3}$/u.test(name)
  if (!isValid) throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.', { BucketName: name })
}
