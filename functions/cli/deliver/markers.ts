// The objects that say that a session's loose files are complete. S3 imports nothing of them before.
import { createHash } from 'node:crypto'
import type { Content } from './content.ts'
import type { Marker, PlannedFile } from './plan.ts'
import type { Bucketed } from './sort-out.ts'

export interface MarkedSession {
  marker: Marker
  /** It tells what it marks, so that a later run can see whether it is about the files that there are now. */
  body: Buffer
  content: Content
  files: readonly PlannedFile[]
}

/** One for each session with loose files. */
export function markedSessions(
  files: readonly PlannedFile[],
  contentOf: (file: PlannedFile) => Content | undefined,
): MarkedSession[] {
  const groups = Map.groupBy(files, ({ marker }) => marker?.key)
  return [...groups.values()].flatMap((group) => {
    const marker = group[0]?.marker
    if (marker === undefined) return []
    const lines = group.map((file) => `${contentOf(file)?.md5} ${file.path}\n`)
    const digest = createHash('sha256').update(lines.join('')).digest('hex')
    const body = Buffer.from(`${group.length} files, sha256 ${digest}\n`)
    const md5 = createHash('md5').update(body).digest('hex')
    return { marker, body, content: { sizeBytes: body.length, md5, etag: md5 }, files: group }
  })
}

/** Whether the marker in the bucket is about these files, and was put after all of them. */
export function isMarked({ marker, content, files }: MarkedSession, listed: Bucketed): boolean {
  const found = listed.get(marker.key)
  if (found?.etag !== content.etag) return false
  return files.every(({ key }) => (listed.get(key)?.modifiedAt ?? found.modifiedAt) <= found.modifiedAt)
}
