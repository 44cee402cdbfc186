// Objects whose bytes are in S3 before anyone can see them: multipart uploads that are completed only when all that
// belongs together is there, as Hadoop's S3A committers do it. Nothing is copied, and nothing shows of what was given up.
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { orThrow } from './failure.ts'
import type { ObjectTag } from './objects.ts'

export interface StageOptions {
  tag?: ObjectTag
  signal?: AbortSignal
}

export interface StagedObject {
  readonly key: string
  /** Sends the next part; parts may be under way together. All but the last have at least 5 MiB, and there are at most 10,000. */
  add(part: Uint8Array): Promise<void>
  /** Makes it the object of its key, in one step. It has at least one part, be it empty. */
  publish(): Promise<void>
  /** Gives it up. */
  discard(): Promise<void>
}

/** S3: tags of a new object come as a form. */
export const tagging = ({ name, value }: ObjectTag) => new URLSearchParams({ [name]: value }).toString()

export function stageObject({ client, bucket }: { client: S3Client; bucket: string }) {
  return async (key: string, { tag, signal }: StageOptions = {}): Promise<StagedObject> => {
    const options = signal && { abortSignal: signal }
    const create = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ...(tag && { Tagging: tagging(tag) }) })
    const { UploadId } = await orThrow(client.send(create, options), 'CreateMultipartUpload')
    const upload = { Bucket: bucket, Key: key, UploadId }
    const parts: CompletedPart[] = []
    return {
      key,
      async add(part) {
        const place = parts.push({}) - 1
        const PartNumber = place + 1
        const command = new UploadPartCommand({ ...upload, PartNumber, Body: part, ContentLength: part.length })
        const { ETag, ChecksumCRC32 } = await orThrow(client.send(command, options), 'UploadPart')
        parts[place] = { PartNumber, ETag, ChecksumCRC32 }
      },
      async publish() {
        const command = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } })
        await orThrow(client.send(command, options), 'CompleteMultipartUpload')
      },
      async discard() {
        await orThrow(client.send(new AbortMultipartUploadCommand(upload)), 'AbortMultipartUpload')
      },
    }
  }
}
