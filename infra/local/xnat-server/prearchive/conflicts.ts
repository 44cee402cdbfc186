// What keeps a session out of the archive (PrearcSessionArchiver.java checkForConflicts, MergeSessionsA.java).
import { readdir } from 'node:fs/promises'
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { ifMissing } from '../missing.ts'
import type { Experiment, Project, Scan, Subject } from '../records.ts'
import type { ArchiveRules, SessionDocument } from './entry.ts'
import { receivedFiles } from './received-files.ts'

export const sentences = {
  exists: 'Session already exists, retry with overwrite enabled',
  subject: 'Invalid modification of session subject via archive process.',
  uid: 'Invalid modification of session UID via archive process.',
  modality: 'Invalid modification of session modality via archive process.  Data may require a manual merge.',
  files: 'Session already exists with matching files.',
} as const

export interface Merge {
  project: Project
  existing: Experiment
  document: SessionDocument
  receivedId: number
  subject: Subject | undefined
}

/** @throws {HttpFailure} 409 for the first thing that does not fit, of those the rules do not pass over. */
export function refuseConflict({ state }: Xnat, merge: Merge, { merge: mayMerge, override }: ArchiveRules): void {
  const { existing, document } = merge
  if (!mayMerge) throw conflict(sentences.exists)
  if (state.settings.preventCrossModalityMerge && existing.xsiType !== document.xsiType) {
    throw conflict(sentences.modality)
  }
  if (existing.subjectId !== merge.subject?.subjectId) throw conflict(otherSubject(existing))
  if (!override && hasOtherUid(merge)) throw conflict(sentences.uid)
  const scans = state.scans.group(existing.experimentId)
  for (const { scanId, fields } of document.scans) {
    const twin = scanOfUid(scans, fields['UID'])
    if (twin !== undefined && twin.scanId !== scanId && !isRenumbered(twin.scanId, scanId) && !override) {
      throw conflict(`Session already contains a scan with the same UID, but a different number (${twin.scanId}).`)
    }
  }
}

export function otherSubject(existing: Experiment): string {
  return `${sentences.subject}: ${existing.label} Already Exists for another Subject`
}

export function hasOtherUid({ existing, document }: Pick<Merge, 'existing' | 'document'>): boolean {
  const [own = '', other = ''] = [document.fields['UID'], existing.fields['UID']]
  return own !== '' && other !== '' && own !== other
}

export function scanOfUid(scans: readonly Scan[], uid: string | undefined): Scan | undefined {
  return uid === undefined ? undefined : scans.find((scan) => scan.fields['UID'] === uid)
}

/** @throws {HttpFailure} 409 when a scan holds a file of the same name already. */
export async function refuseSameFiles(xnat: Xnat, merge: Merge, places: ReadonlyMap<string, string>): Promise<void> {
  const { project, existing, receivedId } = merge
  for (const [scanId, archivedId] of places) {
    const folder = xnat.archive.scanResourceFolder(project, existing.label, archivedId, 'DICOM')
    const present = new Set(await readdir(`${xnat.archive.root}/${folder}`).catch(ifMissing<string[]>([])))
    const incoming = receivedFiles(xnat, receivedId, scanId)
    if (incoming.some((name) => present.has(name))) throw conflict(sentences.files)
  }
}

/**
 * The ID each scan gets in the session it is merged into.
 *
 * XNAT: its own, the one its UID has there, or, when the number is another series' there, `1-MR1`, `1-MR2` and so on
 * (PrearcSessionArchiver.java correctScanID).
 */
export function mergedScanIds({ state }: Xnat, existing: Experiment, document: SessionDocument): Map<string, string> {
  const scans = state.scans.group(existing.experimentId)
  const taken = new Set(scans.map((scan) => scan.scanId))
  const places = new Map<string, string>()
  for (const { scanId, xsiType, fields } of document.scans) {
    const twin = scanOfUid(scans, fields['UID'])
    const id = twin?.scanId ?? (taken.has(scanId) ? freeScanId(scanId, xsiType, taken) : scanId)
    taken.add(id)
    places.set(scanId, id)
  }
  return places
}

// XNAT: the first two letters of the type, which would make PE of a PET (PrearcSessionArchiver.java correctScanID).
function freeScanId(scanId: string, xsiType: string, taken: ReadonlySet<string>): string {
  const letters = xsiType
    .replace(/^xnat:/, '')
    .slice(0, 2)
    .toUpperCase()
  const stem = `${scanId}-${letters === 'PE' ? 'PT' : letters}`
  let count = 1
  while (taken.has(`${stem}${count}`)) count += 1
  return `${stem}${count}`
}

function isRenumbered(archivedId: string, scanId: string): boolean {
  return archivedId.startsWith(`${scanId}-`)
}

function conflict(message: string): HttpFailure {
  return new HttpFailure(409, message)
}
