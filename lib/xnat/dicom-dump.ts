import * as z from 'zod'
import { InvalidInputError } from '../errors.ts'
import type { CallOptions, Query } from './call.ts'
import type { XnatClient } from './client.ts'
import { filePath, type XnatPath, xnatPath } from './path.ts'
import type { PrearchiveRef } from './prearchive.ts'
import { cell, filledCell, resultSet } from './result-set.ts'

const DumpRow = z.object({ tag1: filledCell, tag2: cell, vr: cell, value: cell, desc: cell }).transform((row) => ({
  tag: row.tag1,
  /** The tag inside a sequence. */
  innerTag: row.tag2,
  vr: row.vr,
  /** Cut at 255 characters by XNAT. */
  value: row.value === undefined ? undefined : unescapeHtml(row.value),
  description: row.desc,
}))
/** One attribute of a DICOM file. */
export type DumpedAttribute = z.infer<typeof DumpRow>

/** A session in the archive or the prearchive. */
export type DumpSource = (
  | { projectId: string; subject: string; experiment: string }
  | { prearchive: PrearchiveRef }
) & {
  scanId?: string
  /** A file of the scan's DICOM resource; otherwise XNAT takes one. */
  file?: string
}

/** The header of one DICOM file; with `attributes`, keywords or 8 hexadecimal digits, only those. */
export async function dumpDicom(
  client: XnatClient,
  source: DumpSource,
  { attributes = [], ...options }: CallOptions & { attributes?: readonly string[] } = {},
): Promise<DumpedAttribute[]> {
  const path = xnatPath`/data/services/dicomdump`
  const query: Query = { src: sourceOf(source), field: attributes, format: 'json' }
  return client.json(resultSet(DumpRow), { method: 'GET', path, query, ...options })
}

function sourceOf(source: DumpSource): string {
  const { scanId, file } = source
  const session = sessionOf(source)
  if (scanId === undefined) {
    if (file !== undefined) throw new InvalidInputError('A DICOM file is named together with its scan')
    return session.path
  }
  const scan = xnatPath`${session}/scans/${scanId}`
  return file === undefined ? scan.path : xnatPath`${scan}/resources/DICOM/files/${filePath(file)}`.path
}

// XNAT: an address with /data before it has no rows, and is no error (W/helpers/dicom/DicomDump.java).
function sessionOf(source: DumpSource): XnatPath {
  if ('prearchive' in source) {
    const { projectId, timestamp, folder } = source.prearchive
    return xnatPath`/prearchive/projects/${projectId}/${timestamp}/${folder}`
  }
  return xnatPath`/archive/projects/${source.projectId}/subjects/${source.subject}/experiments/${source.experiment}`
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'" }

// XNAT: values are escaped for HTML although they are sent as JSON (W/helpers/dicom/DicomDump.java).
function unescapeHtml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos|#39);/g, (whole, name: string) => entities[name] ?? whole)
}
