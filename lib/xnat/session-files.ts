import * as z from 'zod'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'
import { listBelow } from './record-calls.ts'
import { cell, filledCell, filledNumberCell, resultSet } from './result-set.ts'

const ScanFileRow = z.object({ URI: filledCell, Size: filledNumberCell, collection: cell }).transform((row) => ({
  // XNAT: a session without scans lists its own resources instead (RES/files/XNATTemplate.java); their URI names no scan.
  scanId: /\/experiments\/[^/]+\/scans\/([^/]+)\/resources\//.exec(row.URI)?.[1],
  resourceLabel: row.collection,
  sizeBytes: row.Size,
}))

export interface ScanFile {
  scanId: string
  resourceLabel: string | undefined
  sizeBytes: number
}

/**
 * The files of all scans of a session, as the catalogs list them, in one request.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is no such session.
 */
export async function listScanFiles(
  client: XnatClient,
  { experimentId }: { experimentId: string },
  options: CallOptions = {},
): Promise<ScanFile[]> {
  const session = xnatPath`/data/experiments/${experimentId}`
  const path = xnatPath`${session}/scans/ALL/files`
  const call = { method: 'GET', path, query: { format: 'json' }, isSlow: true, ...options } as const
  const rows = await listBelow(client, [session], resultSet(ScanFileRow), call)
  return rows.flatMap(({ scanId, ...file }) => (scanId === undefined ? [] : [{ scanId, ...file }]))
}
