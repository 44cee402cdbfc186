import * as z from 'zod'
import { type CallOptions, jsonBody } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'

const DirectArchiveRow = z
  .object({
    id: z.number(),
    project: z.string().optional(),
    subject: z.string().optional(),
    name: z.string().optional(),
    folderName: z.string().optional(),
    tag: z.string().optional(),
    status: z.string(),
    uploadDate: z.number().optional(),
    lastBuiltDate: z.number().optional(),
    message: z.string().optional(),
  })
  .transform((row) => ({
    id: row.id,
    projectId: row.project,
    subjectLabel: row.subject,
    label: row.name,
    folder: row.folderName,
    studyInstanceUid: row.tag,
    /** `RECEIVING`, `QUEUED_BUILDING`, `BUILDING`, `QUEUED_ARCHIVING`, `ARCHIVING` or `ERROR`. */
    status: row.status,
    uploadedAtMs: row.uploadDate,
    lastBuiltAtMs: row.lastBuiltDate,
    message: row.message,
  }))
/**
 * A session on its way straight into the archive. XNAT drops the row on success and, mostly, on failure too: then the
 * session is in the prearchive.
 */
export type DirectArchiveSession = z.infer<typeof DirectArchiveRow>

const pageSize = 500

/** The direct-archive sessions of a project, or of all projects the account can read. */
export async function listDirectArchive(
  client: XnatClient,
  { projectId, label }: { projectId?: string; label?: string } = {},
  options: CallOptions = {},
): Promise<DirectArchiveSession[]> {
  const equal = (value: string | undefined) => value && { backend: 'hibernate', operator: 'eq', value }
  const filters = { project: equal(projectId), name: equal(label) }
  const found = new Map<number, DirectArchiveSession>()
  for (let page = 1; ; page += 1) {
    const body = jsonBody({ sort_col: 'id', sort_dir: 'asc', page, size: pageSize, filters })
    const path = xnatPath`/xapi/direct-archive`
    const rows = await client.json(z.array(DirectArchiveRow), {
      method: 'POST',
      path,
      body,
      idempotent: true,
      ...options,
    })
    const before = found.size
    for (const row of rows) found.set(row.id, row)
    if (rows.length < pageSize || found.size === before) return [...found.values()]
  }
}

export interface DirectArchiveRef {
  projectId: string
  studyInstanceUid: string
  label: string
}

/** Has XNAT finish a session now instead of some minutes after its last file. */
export async function finishDirectArchive(
  client: XnatClient,
  { projectId, studyInstanceUid, label }: DirectArchiveRef,
  options: CallOptions = {},
): Promise<void> {
  const path = xnatPath`/xapi/direct-archive/${projectId}/${studyInstanceUid}/${label}`
  await client.send({ method: 'POST', path, isSlow: true, ...options })
}

/** Drops the row; files that have arrived stay where they are. */
export async function deleteDirectArchive(
  client: XnatClient,
  id: number,
  options: CallOptions = {},
): Promise<{ kind: 'deleted' } | { kind: 'not-there' }> {
  const path = xnatPath`/xapi/direct-archive/${id}`
  const { status } = await client.send({ method: 'DELETE', path, accept: [404], ...options })
  return { kind: status === 404 ? 'not-there' : 'deleted' }
}
