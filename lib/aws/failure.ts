import { S3ServiceException } from '@aws-sdk/client-s3'
import { SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager'
import { SQSServiceException } from '@aws-sdk/client-sqs'
import { StorageError, type StorageErrorCode } from '../errors.ts'

/**
 * Says what an AWS SDK failure means for the work: gone, changed, not allowed, or worth another try.
 * The SDK has already retried what it could; its message is left out, since it may quote the key.
 */
export function storageError(action: string, cause: unknown): StorageError {
  return new StorageError(`${action} failed`, { code: codeOf(cause), cause })
}

/** What the SDK answers. @throws {StorageError} for any failure of it. */
export async function orThrow<T>(reply: Promise<T>, action: string): Promise<T> {
  try {
    return await reply
  } catch (cause) {
    throw storageError(action, cause)
  }
}

const isAnswer = (cause: unknown) =>
  cause instanceof S3ServiceException ||
  cause instanceof SQSServiceException ||
  cause instanceof SecretsManagerServiceException

function codeOf(cause: unknown): StorageErrorCode {
  if (!isAnswer(cause)) return 'STORAGE_BUSY'
  const status = cause.$metadata.httpStatusCode ?? 0
  if (cause.name === 'NoSuchKey' || cause.name === 'NotFound') return 'OBJECT_MISSING'
  if (status === 412) return 'OBJECT_CHANGED'
  // S3: so it answers when an upload is completed again because the first answer was lost. What it was part of is begun anew.
  if (cause.name === 'NoSuchUpload') return 'STORAGE_BUSY'
  // S3: 409 ConditionalRequestConflict and OperationAborted ask for the same request again.
  const passing = status === 0 || status === 408 || status === 409 || status === 429 || status >= 500
  return passing || cause.$retryable?.throttling === true ? 'STORAGE_BUSY' : 'STORAGE_REFUSED'
}
