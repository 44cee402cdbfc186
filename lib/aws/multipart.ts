// Uploads in parts, which show only when they are completed, and which another process may go on with.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  NoSuchUpload,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { orThrow } from './failure.ts'
import type { ObjectTag } from './objects.ts'

export interface MultipartUpload {
  key: string
  id: string
}

export interface UploadedPart {
  /** From 1 to 10,000. */
  number: number
  /** Without quotes: the MD5 of the part, but for KMS. */
  etag: string
  crc32: string | undefined
}

interface SignalOption {
  signal?: AbortSignal | undefined
}

export interface MultipartUploads {
  begin(
    key: string,
    options?: SignalOption & { metadata?: Readonly<Record<string, string>>; tag?: ObjectTag },
  ): Promise<MultipartUpload>
  /** Sends a part, over what was there of its number. All but the last have at least 5 MiB. */
  put(upload: MultipartUpload, number: number, bytes: Uint8Array, options?: SignalOption): Promise<UploadedPart>
  /** What has arrived; `undefined` of an upload that has ended. */
  findParts(upload: MultipartUpload, options?: SignalOption): Promise<UploadedPart[] | undefined>
  /** Makes these parts the object, in one step. */
  complete(upload: MultipartUpload, parts: readonly UploadedPart[], options?: SignalOption): Promise<void>
  abort(upload: MultipartUpload): Promise<void>
}

/** S3: tags of a new object come as a form. */
export const tagging = ({ name, value }: ObjectTag) => new URLSearchParams({ [name]: value }).toString()

export function multipartUploads({ client, bucket }: { client: S3Client; bucket: string }): MultipartUploads {
  const named = ({ key, id }: MultipartUpload) => ({ Bucket: bucket, Key: key, UploadId: id })
  const within = (signal: AbortSignal | undefined) => signal && { abortSignal: signal }

  const findParts: MultipartUploads['findParts'] = async (upload, { signal } = {}) => {
    const found: UploadedPart[] = []
    let marker: string | undefined
    do {
      const command = new ListPartsCommand({
        ...named(upload),
        ...(marker !== undefined && { PartNumberMarker: marker }),
      })
      const page = await ifThere(client.send(command, within(signal)))
      if (page === undefined) return undefined
      for (const { PartNumber = 0, ETag = '', ChecksumCRC32 } of page.Parts ?? []) {
        found.push({ number: PartNumber, etag: ETag.replaceAll('"', ''), crc32: ChecksumCRC32 })
      }
      marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined
    } while (marker !== undefined)
    return found
  }

  return {
    findParts,
    async begin(key, { metadata, tag, signal } = {}) {
      const command = new CreateMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        // S3: refuses parts with a checksum, which the SDK gives them, of an upload that was begun without its algorithm
        // (CreateMultipartUpload, x-amz-checksum-algorithm).
        ChecksumAlgorithm: 'CRC32',
        ...(metadata && { Metadata: { ...metadata } }),
        ...(tag && { Tagging: tagging(tag) }),
      })
      const { UploadId = '' } = await orThrow(client.send(command, within(signal)), 'CreateMultipartUpload')
      return { key, id: UploadId }
    },
    async put(upload, number, bytes, { signal } = {}) {
      const part = { PartNumber: number, Body: bytes, ContentLength: bytes.length }
      const command = new UploadPartCommand({ ...named(upload), ...part })
      const { ETag = '', ChecksumCRC32 } = await orThrow(client.send(command, within(signal)), 'UploadPart')
      return { number, etag: ETag.replaceAll('"', ''), crc32: ChecksumCRC32 }
    },
    async complete(upload, parts, { signal } = {}) {
      const Parts = parts
        .toSorted((one, other) => one.number - other.number)
        .map(({ number, etag, crc32 }) => ({ PartNumber: number, ETag: `"${etag}"`, ChecksumCRC32: crc32 }))
      const command = new CompleteMultipartUploadCommand({ ...named(upload), MultipartUpload: { Parts } })
      await orThrow(client.send(command, within(signal)), 'CompleteMultipartUpload')
    },
    async abort(upload) {
      await orThrow(client.send(new AbortMultipartUploadCommand(named(upload))), 'AbortMultipartUpload')
    },
  }
}

async function ifThere(page: Promise<ListPartsCommandOutput>): Promise<ListPartsCommandOutput | undefined> {
  try {
    return await page
  } catch (cause) {
    if (cause instanceof NoSuchUpload) return undefined
    return orThrow(Promise.reject(cause), 'ListParts')
  }
}
