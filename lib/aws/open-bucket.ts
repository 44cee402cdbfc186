// A bucket as programs outside of AWS open it, to put whole files there.
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { orThrow } from './failure.ts'
import { type MultipartUploads, multipartUploads } from './multipart.ts'
import { createObjectStore, type ObjectStore } from './objects.ts'

export interface BucketPlace {
  bucket: string
  /** As AWS's own settings say when left out. */
  region?: string | undefined
  /** Of an S3 that is not AWS's. */
  endpoint?: string | undefined
  /** Those that AWS's default chain finds when left out: environment, profile, single sign-on, instance. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined
}

export interface OpenBucket {
  objects: ObjectStore
  uploads: MultipartUploads
  /** Puts an object in one request, and gives its ETag without quotes. S3 checks the bytes by CRC-32. */
  put(
    key: string,
    bytes: Uint8Array,
    options?: { metadata?: Readonly<Record<string, string>>; signal?: AbortSignal },
  ): Promise<string>
  close(): void
}

/** A line that carries nothing for so long is dead. */
const silenceMs = 60_000

export function openBucket({ bucket, region, endpoint, credentials }: BucketPlace): OpenBucket {
  const client = new S3Client({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(credentials && { credentials }),
    requestHandler: { connectionTimeout: 10_000, socketTimeout: silenceMs },
    // People upload over lines that break now and then.
    maxAttempts: 5,
  })
  return {
    objects: createObjectStore(client, bucket),
    uploads: multipartUploads({ client, bucket }),
    async put(key, bytes, { metadata, signal } = {}) {
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: bytes,
        ContentLength: bytes.length,
        ...(metadata && { Metadata: { ...metadata } }),
      })
      const { ETag = '' } = await orThrow(client.send(command, signal && { abortSignal: signal }), 'PutObject')
      return ETag.replaceAll('"', '')
    },
    close: () => client.destroy(),
  }
}
