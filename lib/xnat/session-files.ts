import * as z from 'zod'
import { listScans } from './archive.ts'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'
import { listBelow } from './record-calls.ts'
import { ResourceRow, type ResourceSummary } from './resources.ts'
import { cell, filledNumberCell, resultSet } from './result-set.ts'

const ScanFileRow = z
  .object({ Size: filledNumberCell, collection: cell, cat_ID: cell })
  .transform((row) => ({ resourceLabel: row.collection, resourceId: row.cat_ID, sizeBytes: row.Size }))
export type ScanFile = z.infer<typeof ScanFileRow>

/**
 * The scans of a session and the files of all of them, as the catalogs list them.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is no such session.
 */
export async function listScanFiles(
  client: XnatClient,
  { experimentId }: { experimentId: string },
  options: CallOptions = {},
): Promise<{ scanIds: string[]; files: ScanFile[] }> {
  const scans = await listScans(client, { experimentId }, options)
  // XNAT: a session without scans would list the files of its own resources (RES/files/XNATTemplate.java).
  if (scans.length === 0) return { scanIds: [], files: [] }
  const session = xnatPath`/data/experiments/${experimentId}`
  const path = xnatPath`${session}/scans/ALL/files`
  const call = { method: 'GET', path, query: { format: 'json' }, isSlow: true, ...options } as const
  const files = await listBelow(client, [session], resultSet(ScanFileRow), call)
  return { scanIds: scans.map(({ scanId }) => scanId), files }
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
