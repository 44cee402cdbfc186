import { join } from 'node:path'
import type { Instance } from '../dicom/instance.ts'
import { labelOf } from '../dicom/names.ts'
import type { Xnat } from '../exchange.ts'
import { newSession, type SessionClaim } from '../prearchive/entries.ts'
import type { SessionStatus } from '../prearchive/entry.ts'
import type { Project } from '../records.ts'
import { exists } from '../stored-file.ts'
import { type DirectArchiveRow, directArchiveKey, folderKey } from './row.ts'

/**
 * The row that takes an instance; undefined when it has to go through the prearchive.
 *
 * XNAT: that is when the archive has something of that name, or when the row no longer receives. Nobody is told but by
 * the address in the answer (DirectArchiveSessionServiceImpl.java getOrCreate).
 */
export async function openRow(
  xnat: Xnat,
  claim: SessionClaim,
  { project, instance }: { project: Project; instance: Instance },
): Promise<DirectArchiveRow | undefined> {
  const name = { project: project.projectId, studyInstanceUid: instance.studyInstanceUid, label: claim.name }
  const isTaken = exists(join(xnat.archive.root, locationOf(xnat, project, claim.folder)))
  // Nothing waits from here on, so that two instances that come together open one row.
  const present = findRow(xnat, name)
  if (present !== undefined) return present.status === 'RECEIVING' ? touched(xnat, present) : undefined
  const inFolder = xnat.state.directArchiveFolders.get(folderKey({ ...project, folder: claim.folder }))
  if (isTaken || inFolder.some(({ status }) => status !== 'ERROR')) return undefined
  return xnat.state.directArchive.put({ ...newSession(xnat, claim, instance), projectId: project.projectId })
}

interface RowName {
  project: string
  studyInstanceUid: string
  label: string
}

export function findRow({ state }: Xnat, { project, studyInstanceUid, label }: RowName): DirectArchiveRow | undefined {
  return state.directArchive.group(studyInstanceUid).find((row) => row.projectId === project && row.name === label)
}

/** Replaces a row by what has become of it, with these changes. A row that is gone stays gone. */
export function changeRow({ state }: Xnat, row: DirectArchiveRow, changes: Partial<DirectArchiveRow>): void {
  const present = state.directArchive.get(directArchiveKey(row))
  if (present !== undefined) state.directArchive.put({ ...present, ...changes })
}

export function setRowStatus(xnat: Xnat, row: DirectArchiveRow, status: SessionStatus): void {
  changeRow(xnat, row, { status, statusSinceMs: xnat.now().getTime() })
}

export function rowUrl({ projectId, studyInstanceUid, name }: DirectArchiveRow): string {
  return `/xapi/direct-archive/${projectId}/${studyInstanceUid}/${name}`
}

/** The folder its files will have in the archive, relative to that. */
export function locationOf({ archive }: Xnat, project: Project, folder: string): string {
  return archive.sessionFolder(project, labelOf(folder))
}

function touched(xnat: Xnat, row: DirectArchiveRow): DirectArchiveRow {
  const nowMs = xnat.now().getTime()
  if (nowMs - row.lastModifiedMs > 15_000) changeRow(xnat, row, { lastModifiedMs: nowMs })
  return row
}
