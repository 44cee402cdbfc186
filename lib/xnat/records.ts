// What can be done to a record whatever it holds: set fields, rename, share, delete.
import { InvalidInputError } from '../errors.ts'
import type { CallOptions, Query } from './call.ts'
import type { XnatClient } from './client.ts'
import { ItemReply } from './item.ts'
import { type XnatPath, xnatPath } from './path.ts'

/** A subject, experiment or scan, named as precisely as XNAT allows. */
export type ArchiveRecord =
  | { kind: 'subject'; projectId: string; subject: string }
  | { kind: 'experiment'; experimentId: string }
  | { kind: 'scan'; experimentId: string; scanId: string }

export type SharedRecord =
  | { kind: 'subject'; projectId: string; subject: string }
  | { kind: 'experiment'; projectId: string; subject: string; experiment: string }

/**
 * Deletes a record; with `removeFiles` XNAT moves its files to its cache folder. Needs the right to delete, which
 * members lack.
 */
export async function deleteRecord(
  client: XnatClient,
  record: ArchiveRecord,
  { removeFiles = false, ...options }: CallOptions & { removeFiles?: boolean } = {},
): Promise<{ kind: 'deleted' } | { kind: 'not-there' }> {
  const query: Query = { removeFiles: removeFiles || undefined }
  const path = recordPath(record)
  const { status } = await client.send({ method: 'DELETE', path, query, accept: [404], isSlow: true, ...options })
  return status === 404 ? { kind: 'not-there' } : { kind: 'deleted' }
}

/** Makes a record visible in another project, under the same label unless given another. */
export async function shareRecord(
  client: XnatClient,
  record: SharedRecord,
  { projectId, label, ...options }: CallOptions & { projectId: string; label?: string },
): Promise<{ kind: 'shared' } | { kind: 'already-there' }> {
  const path = xnatPath`${recordPath(record)}/projects/${projectId}`
  const reply = await client.send({ method: 'PUT', path, query: { label }, accept: [409], ...options })
  // XNAT: 409 also means that the label is taken there (RES/SubjectResource.java), which is no success.
  if (reply.status !== 409) return { kind: 'shared' }
  if (/Already assigned/i.test(reply.text)) return { kind: 'already-there' }
  throw client.errorFrom({ method: 'PUT', path }, reply)
}

/** Takes a shared record out of a project again. */
export async function unshareRecord(
  client: XnatClient,
  record: SharedRecord,
  { projectId, ...options }: CallOptions & { projectId: string },
): Promise<void> {
  await client.send({ method: 'DELETE', path: xnatPath`${recordPath(record)}/projects/${projectId}`, ...options })
}

/** @throws {XnatError} XNAT_CONFLICT when the label is taken. */
export async function renameRecord(
  client: XnatClient,
  record: SharedRecord,
  { label, ...options }: CallOptions & { label: string },
): Promise<void> {
  await client.send({ method: 'PUT', path: recordPath(record), query: { label }, ...options })
}

// XNAT: these say how to answer or what to do, in any request (RES/SecureResource.java, NOE/application/TunnelFilter.java).
const reserved =
  /^(?:format|columns|limit|offset|sortBy|sortOrder|fields|method|media|encoding|language|charset|XNAT_CSRF|inbody|req_format|removeFiles|label|primary|event_\w+|_\w+|xsiType|accept-not-found)$/

/**
 * Sets fields of a record that is there, by XNAT's short names (`age`, `quality`) or XML paths
 * (`xnat:mrScanData/note`). XNAT ignores names it does not know, so read back what matters.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is no such record: XNAT would try to create it.
 */
export async function setFields(
  client: XnatClient,
  record: ArchiveRecord | SharedRecord,
  fields: Readonly<Record<string, string | number>>,
  options: CallOptions = {},
): Promise<void> {
  if (Object.keys(fields).some((name) => reserved.test(name))) {
    throw new InvalidInputError('Not the name of a field', { code: 'FIELD_NAME_RESERVED' })
  }
  const path = recordPath(record)
  await client.json(ItemReply, { method: 'GET', path, query: { format: 'json' }, ...options })
  await client.send({ method: 'PUT', path, query: fields, ...options })
}

function recordPath(record: ArchiveRecord | SharedRecord): XnatPath {
  if (record.kind === 'subject') return xnatPath`/data/projects/${record.projectId}/subjects/${record.subject}`
  if (record.kind === 'scan') return xnatPath`/data/experiments/${record.experimentId}/scans/${record.scanId}`
  if ('experimentId' in record) return xnatPath`/data/experiments/${record.experimentId}`
  return xnatPath`/data/projects/${record.projectId}/subjects/${record.subject}/experiments/${record.experiment}`
}
