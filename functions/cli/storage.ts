// The incoming bucket of a profile, and what goes wrong with it in words for people.
import { type OpenBucket, openBucket } from '../../lib/aws/open-bucket.ts'
import { StorageError } from '../../lib/errors.ts'
import { exitCodes, Failure, usageFailure } from './failure.ts'
import type { Profile } from './profile.ts'

/** @throws {Failure} when the profile names none. */
export function openIncoming({ incoming }: Profile): OpenBucket & { name: string } {
  if (incoming === undefined) {
    throw usageFailure(
      'Which bucket? Set CONDUIT_INCOMING_BUCKET, or "incoming": {"bucket": "...", "region": "..."} in the profile.',
    )
  }
  return { ...openBucket(incoming), name: incoming.bucket }
}

/** Says what a failure of S3 means for the command; other errors are given back. */
export function storageFailure(error: unknown, bucket: string): unknown {
  if (!(error instanceof StorageError)) return error
  const { cause } = error
  const name = cause instanceof Error ? cause.name : ''
  const options = { cause: error }
  if (isOfSettings(cause)) {
    return new Failure(`AWS's settings are not whole: ${cause.message}`, exitCodes.usage, options)
  }
  if (error.retry === 'later') {
    return new Failure(`S3 is busy or cannot be reached (${name}).`, exitCodes.unavailable, options)
  }
  return new Failure(
    `S3 refuses ${error.message.split(' ')[0]} on the bucket ${bucket}: ${name}`,
    exitCodes.failed,
    options,
  )
}

/** AWS SDK: says so before it sends anything. */
const isOfSettings = (cause: unknown): cause is Error =>
  cause instanceof Error &&
  (/^(?:Credentials|Token)ProviderError$/.test(cause.name) || cause.message === 'Region is missing')
