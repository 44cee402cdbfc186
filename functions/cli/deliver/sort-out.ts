// Which files have to be sent: what lies in the bucket as it is, and what receipts prove, need not be.
import type { ListedObject } from '../../../lib/aws/objects.ts'
import type { OpenBucket } from '../../../lib/aws/open-bucket.ts'
import { type Content, digestFile } from './content.ts'
import { inParallel } from './in-parallel.ts'
import type { PlannedFile } from './plan.ts'
import type { ReceiptBook } from './receipt-book.ts'
import { type Standing, standingOf, type Version } from './standing.ts'

export type Bucketed = ReadonlyMap<string, ListedObject>

/** `ended`: XNAT has it, and the bucket has it no more. */
export type Finding =
  | { kind: 'missing' }
  | { kind: 'there'; version: Version }
  | { kind: 'ended'; standing: Standing; content: Content }

interface SortDeps {
  bucket: OpenBucket
  book: ReceiptBook
  metadata: Readonly<Record<string, string>>
  signal: AbortSignal
  onFile: (done: number) => void
}

const filesAtOnce = 8

/** Everything in the bucket below a prefix, by key. */
export async function listBucket({ objects }: OpenBucket, prefix: string, signal: AbortSignal): Promise<Bucketed> {
  const found = new Map<string, ListedObject>()
  let startAfter: string | undefined
  for (;;) {
    const page = await objects.list(prefix, { signal, ...(startAfter !== undefined && { startAfter }) })
    for (const object of page.objects) found.set(object.key, object)
    startAfter = page.objects.at(-1)?.key
    if (page.isComplete || startAfter === undefined) return found
  }
}

export async function sortOut(
  deps: SortDeps,
  files: readonly PlannedFile[],
  listed: Bucketed,
): Promise<Map<PlannedFile, Finding>> {
  // What was removed after its delivery is known by its receipt alone.
  if (files.some(({ key }) => !listed.has(key))) await deps.book.read({ outcome: 'verified' })
  const findings = new Map<PlannedFile, Finding>()
  await inParallel(files, filesAtOnce, async (file) => {
    deps.signal.throwIfAborted()
    findings.set(file, await findingOf(deps, file, listed.get(file.key)))
    deps.onFile(findings.size)
  })
  return findings
}

async function findingOf(deps: SortDeps, file: PlannedFile, object: ListedObject | undefined): Promise<Finding> {
  if (object !== undefined) {
    if (object.sizeBytes !== file.sizeBytes) return { kind: 'missing' }
    const content = await digestFile(file)
    if (object.etag !== content.etag || !(await hasMetadata(deps, file))) return { kind: 'missing' }
    return { kind: 'there', version: { content, putAt: object.modifiedAt } }
  }
  const mentions = deps.book.mentions(file.target, file.path)
  if (!mentions.some(({ sizeBytes }) => sizeBytes === file.sizeBytes)) return { kind: 'missing' }
  const content = await digestFile(file)
  // Put as late as now: what failed has to be sent again.
  const standing = standingOf(deps.book, file, { file: { content, putAt: new Date() } })
  return standing === undefined ? { kind: 'missing' } : { kind: 'ended', standing, content }
}

/** An object that was put without the type that is wanted now would fail again. */
async function hasMetadata({ bucket, metadata, signal }: SortDeps, { key }: PlannedFile): Promise<boolean> {
  const wanted = Object.entries(metadata)
  if (wanted.length === 0) return true
  const found = (await bucket.objects.find(key, { signal }))?.metadata
  return wanted.every(([name, value]) => found?.[name] === value)
}
