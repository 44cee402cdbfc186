// Objects whose bytes are in S3 before anyone can see them: multipart uploads that are completed only when all that
// belongs together is there, as Hadoop's S3A committers do it. Nothing is copied, and nothing shows of what was given up.
import type { MultipartUploads, UploadedPart } from './multipart.ts'
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

export function stageObject(uploads: MultipartUploads) {
  return async (key: string, { tag, signal }: StageOptions = {}): Promise<StagedObject> => {
    const upload = await uploads.begin(key, { signal, ...(tag && { tag }) })
    const parts: UploadedPart[] = []
    let last = 0
    return {
      key,
      async add(part) {
        last += 1
        parts.push(await uploads.put(upload, last, part, { signal }))
      },
      publish: () => uploads.complete(upload, parts, { signal }),
      discard: () => uploads.abort(upload),
    }
  }
}
