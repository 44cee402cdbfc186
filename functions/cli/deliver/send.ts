// Files on their way into the bucket.
import type { MultipartUpload, UploadedPart } from '../../../lib/aws/multipart.ts'
import type { OpenBucket } from '../../../lib/aws/open-bucket.ts'
import { type Content, partBytes, readContent } from './content.ts'
import { inParallel } from './in-parallel.ts'
import type { PlannedFile } from './plan.ts'
import type { UploadJournal } from './upload-journal.ts'

export interface SendDeps {
  bucket: OpenBucket
  journal: UploadJournal
  /** Of every object. */
  metadata: Readonly<Record<string, string>>
  signal: AbortSignal
}

interface SendOptions {
  /** Hears of bytes that are in S3 now, also of those that an earlier run had sent. */
  onBytes: (bytes: number) => void
  onFile: (file: PlannedFile, content: Content) => void
}

/** So many files, or parts of one, are held in memory at a time. */
const sentAtOnce = 8

/**
 * Puts the files into the bucket, over what is there under their keys. Of an upload in parts that an earlier run began
 * with the same metadata, the parts that are there are not sent again.
 *
 * @throws {StorageError} @throws {Failure} What was sent until then stays.
 */
export async function sendFiles(deps: SendDeps, files: readonly PlannedFile[], options: SendOptions): Promise<void> {
  const isSmall = ({ sizeBytes }: PlannedFile) => sizeBytes <= partBytes
  await inParallel(files.filter(isSmall), sentAtOnce, async (file) => {
    const content = await sendWhole(deps, file)
    options.onBytes(content.sizeBytes)
    options.onFile(file, content)
  })
  for (const file of files.filter((each) => !isSmall(each))) {
    options.onFile(file, await sendInParts(deps, file, options.onBytes))
  }
}

async function sendWhole({ bucket, metadata, signal }: SendDeps, file: PlannedFile): Promise<Content> {
  const { parts, content } = readContent(file)
  // The file is read to its end before any of it is sent.
  const read: Buffer[] = []
  for await (const { bytes } of parts) read.push(bytes)
  return { ...content(), etag: await bucket.put(file.key, Buffer.concat(read), { metadata, signal }) }
}

async function sendInParts(deps: SendDeps, file: PlannedFile, onBytes: (bytes: number) => void): Promise<Content> {
  const { bucket, journal, signal } = deps
  const { upload, parts: before } = (await goOn(deps, file)) ?? (await begin(deps, file))
  const there = new Map(before.map((part) => [part.number, part]))
  const done: UploadedPart[] = []
  const { parts, content } = readContent(file)
  await inParallel(parts, sentAtOnce, async ({ number, bytes, md5 }) => {
    const known = there.get(number)
    done.push(known?.etag === md5 ? known : await bucket.uploads.put(upload, number, bytes, { signal }))
    onBytes(bytes.length)
  })
  await bucket.uploads.complete(upload, done, { signal })
  await journal.drop(file.key)
  return content()
}

interface Begun {
  upload: MultipartUpload
  parts: readonly UploadedPart[]
}

async function goOn({ bucket, journal, metadata, signal }: SendDeps, file: PlannedFile): Promise<Begun | undefined> {
  const begun = await journal.find(file.key)
  if (begun === undefined || begun.sizeBytes !== file.sizeBytes || !isSame(begun.metadata, metadata)) return undefined
  const upload = { key: file.key, id: begun.id }
  const parts = await bucket.uploads.findParts(upload, { signal })
  return parts && { upload, parts }
}

/** What was begun otherwise is left to the bucket's lifecycle rule. */
async function begin({ bucket, journal, metadata, signal }: SendDeps, file: PlannedFile): Promise<Begun> {
  const upload = await bucket.uploads.begin(file.key, { metadata, signal })
  await journal.keep(file.key, { id: upload.id, sizeBytes: file.sizeBytes, metadata: { ...metadata } })
  return { upload, parts: [] }
}

const isSame = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>) =>
  JSON.stringify(Object.entries(one).toSorted()) === JSON.stringify(Object.entries(other).toSorted())
