// What a session in the prearchive holds, once XNAT has built it.
import * as z from 'zod'
import type { Call, CallOptions, Query, StreamReply } from './call.ts'
import type { XnatClient } from './client.ts'
import { filePath, type XnatPath, xnatPath } from './path.ts'
import { type PrearchiveRef, prearchivePath } from './prearchive.ts'
import { cell, filledCell, filledNumberCell, resultSet } from './result-set.ts'

const json: Query = { format: 'json' }

const ScanRow = z
  .object({ ID: filledCell, xsiType: cell, series_description: cell })
  .transform((row) => ({ scanId: row.ID, xsiType: row.xsiType, seriesDescription: row.series_description }))
export type PrearchiveScan = z.infer<typeof ScanRow>

/** @throws {XnatError} XNAT_NOT_FOUND while the session is not built. */
export async function listPrearchiveScans(
  client: XnatClient,
  ref: PrearchiveRef,
  options: CallOptions = {},
): Promise<PrearchiveScan[]> {
  const path = xnatPath`${prearchivePath(ref)}/scans`
  return client.json(resultSet(ScanRow), { method: 'GET', path, query: json, ...options })
}

const FileRow = z
  .object({ Name: filledCell, Size: filledNumberCell })
  .transform((row) => ({ name: row.Name, sizeBytes: row.Size }))
export type PrearchiveFile = z.infer<typeof FileRow>

/** The DICOM files of a scan. */
export async function listPrearchiveFiles(
  client: XnatClient,
  ref: PrearchiveRef,
  { scanId, ...options }: CallOptions & { scanId: string },
): Promise<PrearchiveFile[]> {
  const call: Call = { method: 'GET', path: filesPath(ref, scanId), query: json, ...options }
  return client.json(resultSet(FileRow), call)
}

/** A DICOM file's bytes as they arrive. The body must be read to its end or destroyed. */
export async function openPrearchiveFile(
  client: XnatClient,
  ref: PrearchiveRef,
  { scanId, name, ...options }: CallOptions & { scanId: string; name: string },
): Promise<StreamReply> {
  const path = xnatPath`${filesPath(ref, scanId)}/${filePath(name)}`
  return client.stream({ method: 'GET', path, acceptHtml: true, ...options })
}

/** The files of a session as a zip that XNAT packs as it sends; the body must be read to its end or destroyed. */
export async function downloadPrearchiveSession(
  client: XnatClient,
  ref: PrearchiveRef,
  options: CallOptions = {},
): Promise<StreamReply> {
  return client.stream({
    method: 'GET',
    path: prearchivePath(ref),
    query: { format: 'zip' },
    isSlow: true,
    ...options,
  })
}

function filesPath(ref: PrearchiveRef, scanId: string): XnatPath {
  return xnatPath`${prearchivePath(ref)}/scans/${scanId}/resources/DICOM/files`
}
