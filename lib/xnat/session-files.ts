import * as z from 'zod'
import { listScans, type ScanSummary } from './archive.ts'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'
import { listBelow } from './record-calls.ts'
import { ResourceRow, type ResourceSummary } from './resources.ts'
import { cell, filledCell, filledNumberCell, resultSet } from './result-set.ts'

// XNAT: by IDs, with or without project and subject before the experiment, not percent-encoded (xnat/data-api 4.3).
const fileUri = /\/scans\/([^/]+)\/resources\/[^/]+\/files\/(.+)$/s

const ScanFileRow = z
  .object({
    Size: filledNumberCell,
    URI: filledCell.refine((uri) => fileUri.test(uri)),
    collection: cell,
    cat_ID: cell,
    digest: cell,
  })
  .transform(({ URI, ...row }) => {
    const [, scanId = '', path = ''] = fileUri.exec(URI) ?? []
    return {
      scanId,
      /** Absent for the few resources that have none. */
      resourceLabel: row.collection,
      resourceId: row.cat_ID,
      /** Relative to the resource, folders included. */
      path,
      sizeBytes: row.Size,
      /** Hexadecimal. Absent when the site keeps no checksums. */
      md5: row.digest,
    }
  })
export type ScanFile = z.infer<typeof ScanFileRow>

/**
 * The scans of a session and the files of all of them, or of their resources of one label, as the catalogs list them.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is no such session.
 */
export async function listScanFiles(
  client: XnatClient,
  { experimentId, resourceLabel }: { experimentId: string; resourceLabel?: string | undefined },
  options: CallOptions = {},
): Promise<{ scans: ScanSummary[]; files: ScanFile[] }> {
  const scans = await listScans(client, { experimentId }, options)
  // XNAT: a session without scans would list the files of its own resources (RES/files/XNATTemplate.java).
  if (scans.length === 0) return { scans, files: [] }
  const session = xnatPath`/data/experiments/${experimentId}`
  const all = xnatPath`${session}/scans/ALL`
  const path = resourceLabel === undefined ? xnatPath`${all}/files` : xnatPath`${all}/resources/${resourceLabel}/files`
  const call = { method: 'GET', path, query: { format: 'json' }, isSlow: true, ...options } as const
  return { scans, files: await listBelow(client, [session], resultSet(ScanFileRow), call) }
}

/**
 * The resources of a session at every level, with their files counted anew: `category` and `parentId` tell of which
 * scan or assessor each is.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is no such session.
 */
export async function listSessionResources(
  client: XnatClient,
  { experimentId }: { experimentId: string },
  options: CallOptions = {},
): Promise<ResourceSummary[]> {
  const session = xnatPath`/data/experiments/${experimentId}`
  const query = { format: 'json', all: true, file_stats: true }
  const call = { method: 'GET', path: xnatPath`${session}/resources`, query, isSlow: true, ...options } as const
  return listBelow(client, [session], resultSet(ResourceRow), call)
}
