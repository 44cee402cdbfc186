import type { Content } from './content.ts'
import type { PlannedFile } from './plan.ts'
import type { Mention, ReceiptBook } from './receipt-book.ts'

/** How a delivery ended. `unproved`: XNAT has it, as far as it can be told where same-named files are replaced. */
export type Standing =
  | { kind: 'verified' | 'unproved'; deliveryId: string }
  | { kind: 'failed'; code: string; deliveryId: string }

/** A version of a file that is in the bucket, or was. */
export interface Version {
  content: Content
  /** It was not put before. Failures of what was ordered before are about earlier versions. */
  putAt: Date
}

/** Where this content of a file stands by what receipts say; `undefined` while they say nothing of it. */
export function standingOf(
  book: ReceiptBook,
  { target, path, marker }: PlannedFile,
  { file, ofMarker }: { file: Version; ofMarker?: Version | undefined },
): Standing | undefined {
  const mentions = book.mentions(target, path)
  const isResource = 'resourceLabel' in target
  // Of a resource, the newest order says what there is. A session gains instances, whatever their files are called.
  const stored = isResource
    ? mentions.find(({ outcome }) => outcome !== 'superseded')
    : mentions.find((mention) => isStored(mention) && isOf(mention, file.content))
  if (stored !== undefined && isStored(stored) && isOf(stored, file.content)) {
    return { kind: stored.verifiedBy === undefined ? 'unproved' : 'verified', deliveryId: stored.deliveryId }
  }
  if (marker === undefined) return failureOf(isResource ? stored : mentions[0], file)
  return ofMarker && failureOf(book.mentions(marker.target, marker.path)[0], ofMarker)
}

const isStored = ({ outcome }: Mention) => outcome === 'stored' || outcome === 'unchanged'

const isOf = ({ sizeBytes, md5, etag }: Mention, content: Content) =>
  sizeBytes === content.sizeBytes && (md5 === content.md5 || etag === content.etag)

function failureOf(mention: Mention | undefined, { content, putAt }: Version): Standing | undefined {
  if (mention?.outcome !== 'failed' || mention.etag !== content.etag || mention.orderedAt < putAt) return undefined
  return { kind: 'failed', code: mention.code ?? 'UNKNOWN', deliveryId: mention.deliveryId }
}
