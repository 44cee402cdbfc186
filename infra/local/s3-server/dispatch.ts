// Which operation a request is: its method, what its path names, and the sub-resource in its query.
import * as buckets from './operations/buckets.ts'
import { completeMultipartUpload } from './operations/complete-upload.ts'
import { copyObject } from './operations/copy-object.ts'
import { deleteObject, deleteObjects } from './operations/delete-objects.ts'
import { getObject, headObject } from './operations/get-object.ts'
import { listObjects, listObjectsV2 } from './operations/list-objects.ts'
import { putObject } from './operations/put-object.ts'
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './operations/tagging.ts'
import { uploadPart, uploadPartCopy } from './operations/upload-part.ts'
import * as uploads from './operations/uploads.ts'
import type { Incoming } from './payload.ts'
import type { Reply } from './reply.ts'
import type { S3Request } from './request.ts'
import { notImplemented, S3Error } from './s3-error.ts'
import type { Store } from './store.ts'

export type Operation = (store: Store, incoming: Incoming) => Promise<Reply>

const operations: Readonly<Record<string, Operation>> = {
  'GET service': buckets.listBuckets,
  'PUT bucket': buckets.createBucket,
  'HEAD bucket': buckets.headBucket,
  'DELETE bucket': buckets.deleteBucket,
  'GET bucket?location': buckets.getBucketLocation,
  'GET bucket': listObjects,
  'GET bucket?list-type': listObjectsV2,
  'POST bucket?delete': deleteObjects,
  'GET bucket?uploads': uploads.listMultipartUploads,
  'PUT object': putObject,
  'PUT object from copy source': copyObject,
  'GET object': getObject,
  'HEAD object': headObject,
  'DELETE object': deleteObject,
  'GET object?tagging': getObjectTagging,
  'PUT object?tagging': putObjectTagging,
  'DELETE object?tagging': deleteObjectTagging,
  'POST object?uploads': uploads.createMultipartUpload,
  'PUT object?uploadId': uploadPart,
  'PUT object?uploadId from copy source': uploadPartCopy,
  'POST object?uploadId': completeMultipartUpload,
  'DELETE object?uploadId': uploads.abortMultipartUpload,
  'GET object?uploadId': uploads.listParts,
}

/** Query names that make a request another operation. The rest are parameters, or nothing to S3. */
const subresources = new Set(
  `accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle
  list-type location logging metadataConfiguration metadataInventoryTable metadataJournalTable metadataTable metrics
  notification object-lock ownershipControls policy policyStatus publicAccessBlock renameObject replication
  requestPayment restore retention select session tagging torrent uploadId uploads versionId versioning versions
  website`.split(/\s+/u),
)

const maxKeyBytes = 1024

/** @throws {S3Error} NotImplemented, naming what was asked for; MethodNotAllowed; KeyTooLongError. */
export function findOperation(request: S3Request): Operation {
  if (Buffer.byteLength(request.key) > maxKeyBytes) {
    throw new S3Error('KeyTooLongError', 'Your key is too long', {
      Size: String(Buffer.byteLength(request.key)),
      MaxSizeAllowed: String(maxKeyBytes),
    })
  }
  const name = operationName(request)
  const operation = operations[name]
  if (operation !== undefined) return operation
  if (!['GET', 'HEAD', 'PUT', 'POST', 'DELETE'].includes(request.method)) {
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
      Method: request.method,
    })
  }
  throw notImplemented(name)
}

function operationName(request: S3Request): string {
  const level = request.bucket === '' ? 'service' : request.key === '' ? 'bucket' : 'object'
  const named = request.queryPairs.filter(([name, value]) => {
    // S3: "null" is the only version an object has in a bucket without versioning.
    return subresources.has(name) && !(name === 'versionId' && value === 'null')
  })
  const query = named.length === 0 ? '' : `?${named.map(([name]) => name).join('&')}`
  const isCopy = level === 'object' && request.header('x-amz-copy-source') !== undefined
  return `${request.method} ${level}${query}${isCopy ? ' from copy source' : ''}`
}
