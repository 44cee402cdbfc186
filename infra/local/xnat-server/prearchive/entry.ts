// Sessions on their way into the archive, as PrearcDatabase keeps them.
import * as z from 'zod'

const statuses = [
  'RECEIVING',
  'RECEIVING_INTERRUPT',
  'QUEUED_BUILDING',
  'BUILDING',
  'READY',
  'QUEUED_ARCHIVING',
  'ARCHIVING',
  'CONFLICT',
  'ERROR',
  'QUEUED_MOVING',
  'MOVING',
  'QUEUED_DELETING',
  'DELETING',
  'QUEUED_SEPARATING',
  'SEPARATING',
] as const
/** XNAT: somebody is at it (PrearcUtils.java inProcessStatusMap). */
const lockedStatuses = [
  '_RECEIVING',
  '_RECEIVING_INTERRUPT',
  '_BUILDING',
  '_ARCHIVING',
  '_CONFLICT',
  '_MOVING',
  '_DELETING',
  '_SEPARATING',
] as const
export const SessionStatus = z.enum([...statuses, ...lockedStatuses])
export type SessionStatus = z.infer<typeof SessionStatus>

/** What building makes of the files of a session; XNAT keeps it as an XML file beside their folder. */
export const SessionDocument = z.object({
  xsiType: z.string(),
  fields: z.record(z.string(), z.string()),
  scans: z.array(z.object({ scanId: z.string(), xsiType: z.string(), fields: z.record(z.string(), z.string()) })),
})
export type SessionDocument = z.infer<typeof SessionDocument>

export const ArchiveRules = z.object({
  /** Into a session that is there. */
  merge: z.boolean(),
  /** Over other UIDs and same-named files. */
  override: z.boolean(),
  overwriteFiles: z.boolean(),
})
export type ArchiveRules = z.infer<typeof ArchiveRules>

/** What is to be done once a QUEUED_ status has had its time. */
const Task = z.discriminatedUnion('kind', [
  /** `thenArchive`: when the session or its project asks for it. */
  z.object({ kind: z.literal('build'), thenArchive: z.boolean() }),
  z.object({ kind: z.literal('archive'), rules: ArchiveRules, username: z.string() }),
  z.object({ kind: z.literal('move'), projectId: z.string() }),
  z.object({ kind: z.literal('delete') }),
])
export type Task = z.infer<typeof Task>

export const AutoArchive = z.enum(['Manual', 'AutoArchive', 'AutoArchiveOverwrite'])
export type AutoArchive = z.infer<typeof AutoArchive>

/** A session as it comes in, in the prearchive or straight for the archive. Times in milliseconds since 1970. */
export const ReceivedSession = z.object({
  /** Names the folder of its files, wherever the session is moved. */
  receivedId: z.number(),
  timestamp: z.string(),
  folder: z.string(),
  name: z.string(),
  subject: z.string(),
  studyInstanceUid: z.string(),
  /** `2024-01-31 09:00:00.0` */
  scanDate: z.string(),
  scanTime: z.string(),
  status: SessionStatus,
  statusSinceMs: z.number(),
  lastModifiedMs: z.number(),
  uploadedMs: z.number(),
  preventAnon: z.boolean(),
  preventAutoCommit: z.boolean(),
  source: z.string(),
  visit: z.string(),
  protocol: z.string(),
  timeZone: z.string(),
  document: SessionDocument.optional(),
})
export type ReceivedSession = z.infer<typeof ReceivedSession>

export const PrearchiveEntry = ReceivedSession.extend({
  /** undefined: nobody knows whose it is. */
  projectId: z.string().optional(),
  autoArchive: AutoArchive.optional(),
  logs: z.array(z.object({ id: z.string(), atMs: z.number(), text: z.string() })),
  task: Task.optional(),
})
export type PrearchiveEntry = z.infer<typeof PrearchiveEntry>

export const unassigned = 'Unassigned'

/** `/prearchive/projects/P/20240131_090000123/S1`: without /data, as lists have it. */
export function entryUrl({ projectId, timestamp, folder }: EntryName): string {
  return `/prearchive/projects/${projectId ?? unassigned}/${timestamp}/${folder}`
}

export type EntryName = Pick<PrearchiveEntry, 'timestamp' | 'folder'> & { projectId?: string | undefined }

export function entryKey({ projectId, timestamp, folder }: EntryName): string {
  return `${projectId ?? unassigned}/${timestamp}/${folder}`
}

export function isLocked({ status }: Pick<PrearchiveEntry, 'status'>): boolean {
  return status.startsWith('_')
}

/** A status that a request may ask for: the locked ones are XNAT's own (PrearcDatabase.java setStatus). */
export function askedStatus(text: string): SessionStatus | undefined {
  return statuses.find((status) => status === text)
}
