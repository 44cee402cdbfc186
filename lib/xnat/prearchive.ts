import * as z from 'zod'
import { XnatError } from '../errors.ts'
import type { Call, CallOptions, Query, Reply } from './call.ts'
import type { XnatClient } from './client.ts'
import { type XnatPath, xnatPath } from './path.ts'
import { detailOf } from './reply.ts'
import { cell, filledCell, resultSet } from './result-set.ts'
import { parseSessionUri, type SessionUri, uriLines } from './session-uri.ts'

/** A session in the prearchive. Its project is `Unassigned` when XNAT could not tell. */
export interface PrearchiveRef {
  projectId: string
  timestamp: string
  folder: string
}

const PrearchiveRow = z
  .object({
    project: filledCell,
    timestamp: filledCell,
    folderName: filledCell,
    name: cell,
    subject: cell,
    tag: cell,
    status: filledCell,
    uploaded: cell,
    lastmod: cell,
    scan_date: cell,
    scan_time: cell,
    prevent_anon: cell,
    prevent_auto_commit: cell,
    autoarchive: cell,
    SOURCE: cell,
  })
  .transform((row) => ({
    projectId: row.project,
    timestamp: row.timestamp,
    folder: row.folderName,
    label: row.name,
    subjectLabel: row.subject,
    studyInstanceUid: row.tag,
    /** `RECEIVING`, `BUILDING`, `READY`, `ARCHIVING`, `CONFLICT`, `ERROR`, ... */
    status: row.status.replace(/^_/, ''),
    // XNAT: a status with an underscore before it is the locked form of it (PrearcUtils.PrearcStatus).
    isLocked: row.status.startsWith('_'),
    uploadedAt: row.uploaded,
    lastModifiedAt: row.lastmod,
    scanDate: row.scan_date,
    scanTime: row.scan_time,
    /** Whether the project's anonymization leaves it alone, and XNAT's timer. */
    preventsAnonymization: row.prevent_anon === 'true',
    preventsAutoCommit: row.prevent_auto_commit === 'true',
    autoArchive: row.autoarchive,
    source: row.SOURCE,
  }))
export type PrearchiveSession = z.infer<typeof PrearchiveRow>

const json: Query = { format: 'json' }

/**
 * The sessions waiting in one project's prearchive, or in all that the account may edit.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when the project is missing or the account may not edit it.
 */
export async function listPrearchive(
  client: XnatClient,
  { projectId }: { projectId?: string } = {},
  options: CallOptions = {},
): Promise<PrearchiveSession[]> {
  const path = projectId === undefined ? xnatPath`/data/prearchive` : xnatPath`/data/prearchive/projects/${projectId}`
  const rows = await client.json(resultSet(PrearchiveRow), { method: 'GET', path, query: json, ...options })
  // XNAT: whoever may see all data gets the unassigned sessions in every project's list
  // (W/restlet/resources/prearchive/PrearcSessionListResource.java).
  return projectId === undefined ? rows : rows.filter((row) => row.projectId === projectId)
}

export async function findPrearchiveSession(
  client: XnatClient,
  ref: PrearchiveRef,
  options: CallOptions = {},
): Promise<PrearchiveSession | undefined> {
  const call: Call = { method: 'GET', path: prearchivePath(ref), query: json, ...options }
  // XNAT: a session that is not there is an empty table (W/restlet/resources/prearchive/PrearcSessionResource.java).
  return (await client.find(resultSet(PrearchiveRow), call))?.[0]
}

const LogRow = z
  .object({ id: cell, date: cell, entry: cell })
  .transform((row) => ({ id: row.id, date: row.date, entry: row.entry }))
export type PrearchiveLogEntry = z.infer<typeof LogRow>

/** What XNAT noted about a session: the one place where it says why one failed. May name patients. */
export async function listPrearchiveLog(
  client: XnatClient,
  ref: PrearchiveRef,
  options: CallOptions = {},
): Promise<PrearchiveLogEntry[]> {
  const path = xnatPath`${prearchivePath(ref)}/logs`
  return client.json(resultSet(LogRow), { method: 'GET', path, query: json, ...options })
}

export interface ArchiveOptions extends CallOptions {
  /** Where it goes, if not where XNAT would put it. */
  projectId?: string
  subject?: string
  label?: string
  /** `append` and `delete` both merge into a session that is there, past differing UIDs and over same-named files. */
  overwrite?: 'append' | 'delete'
  /** Put it under quarantine, until somebody activates it. The project decides by default. */
  quarantine?: boolean
  /** `false` keeps XNAT from running its AutoRun pipeline afterwards. */
  triggerPipelines?: boolean
}

export type ArchiveOutcome =
  | { kind: 'archived'; session: Extract<SessionUri, { kind: 'archive' }> }
  /** It clashes with archived data and stays in the prearchive. */
  | { kind: 'conflict'; detail: string | undefined }
  /** It cannot be archived and stays in the prearchive; its log says why. */
  | { kind: 'failed'; detail: string | undefined }
  /** Somebody is at it, or XNAT took longer than it lets a caller wait. */
  | { kind: 'in-progress' }

/**
 * Archives a session and waits until XNAT is done, up to its own limit of ten minutes.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when the session is not in the prearchive.
 */
export async function archivePrearchiveSession(
  client: XnatClient,
  ref: PrearchiveRef,
  { projectId, subject, label, overwrite, quarantine, triggerPipelines, ...options }: ArchiveOptions = {},
): Promise<ArchiveOutcome> {
  const path = xnatPath`/data/services/archive`
  const query: Query = {
    src: prearchiveUri(ref),
    project: projectId,
    subject,
    session: label,
    overwrite,
    quarantine,
    triggerPipelines,
    // XNAT: otherwise an auto-archive project is answered with a redirect (W/restlet/services/Archiver.java).
    'auto-archive': false,
  }
  const call: Call = { method: 'POST', path, query, accept: [303, 403, 500], isSlow: true, ...options }
  const reply = await client.send(call)
  if (reply.status === 500) return whyNot(client, ref, reply, options)
  if (reply.status === 403) {
    if (/already in progress/i.test(reply.text)) return { kind: 'in-progress' }
    throw client.errorFrom(call, reply)
  }
  const session = parseSessionUri(uriOf(reply))
  if (session?.kind === 'archive') return { kind: 'archived', session }
  throw unexpected(call, reply)
}

// XNAT: conflicts, failures and its own impatience are all 500 (W/restlet/services/Archiver.java); the row tells them
// apart.
async function whyNot(
  client: XnatClient,
  ref: PrearchiveRef,
  reply: Reply,
  options: CallOptions,
): Promise<ArchiveOutcome> {
  const detail = detailOf(reply.text)
  const row = await findPrearchiveSession(client, ref, options)
  if (row?.status === 'CONFLICT') return { kind: 'conflict', detail }
  if (row === undefined || /ARCHIVING$/.test(row.status)) return { kind: 'in-progress' }
  return { kind: 'failed', detail }
}

/** Has XNAT read the files of a session again. `locked`: something else is being done to it. */
export async function rebuildPrearchiveSession(
  client: XnatClient,
  ref: PrearchiveRef,
  options: CallOptions = {},
): Promise<{ kind: 'rebuilt' } | { kind: 'locked' }> {
  const call: Call = {
    method: 'POST',
    path: prearchivePath(ref),
    query: { action: 'build' },
    accept: [409],
    isSlow: true,
  }
  const { status } = await client.send({ ...call, ...options })
  return { kind: status === 409 ? 'locked' : 'rebuilt' }
}

/** Moves a session into another project's prearchive, under a place of its own there. */
export async function movePrearchiveSession(
  client: XnatClient,
  ref: PrearchiveRef,
  { projectId, ...options }: CallOptions & { projectId: string },
): Promise<{ kind: 'moved'; to: PrearchiveRef } | { kind: 'locked' }> {
  const query: Query = { action: 'move', newProject: projectId }
  const call: Call = { method: 'POST', path: prearchivePath(ref), query, accept: [301], isSlow: true, ...options }
  const reply = await client.send(call)
  // XNAT: 301 with the new address when it was moved, 200 without a word when it was locked
  // (W/restlet/resources/prearchive/PrearcSessionResource.java).
  const to = parseSessionUri(uriOf(reply))
  if (to?.kind === 'prearchive') return { kind: 'moved', to }
  if (reply.status === 200) return { kind: 'locked' }
  throw unexpected(call, reply)
}

/** Deletes a session and its files. XNAT may say the same of one that was not there. */
export async function deletePrearchiveSession(
  client: XnatClient,
  ref: PrearchiveRef,
  options: CallOptions = {},
): Promise<{ kind: 'deleted' } | { kind: 'not-there' }> {
  const { status } = await client.send({ method: 'DELETE', path: prearchivePath(ref), accept: [404], ...options })
  return { kind: status === 404 ? 'not-there' : 'deleted' }
}

/** The address of a session below `/data`. */
export function prearchivePath({ projectId, timestamp, folder }: PrearchiveRef): XnatPath {
  return xnatPath`/data/prearchive/projects/${projectId}/${timestamp}/${folder}`
}

function prearchiveUri(ref: PrearchiveRef): string {
  return prearchivePath(ref).path.replace(/^\/data/, '')
}

function uriOf({ text, headers }: Reply): string {
  return uriLines(text)[0] ?? (typeof headers['location'] === 'string' ? headers['location'] : '')
}

function unexpected({ method, path }: Call, { status }: Reply): XnatError {
  return new XnatError({ code: 'XNAT_UNEXPECTED_REPLY', method, pathTemplate: path.template, status })
}
