// One DICOM archive -> one session in XNAT's archive, believed only when XNAT lists what was sent.
import { DeliveryError, type DeliveryErrorCode } from '../errors.ts'
import { findExperiment } from '../xnat/archive.ts'
import type { XnatClient } from '../xnat/client.ts'
import { type DicomArchive, type ImportOptions, type ImportOutcome, importDicomArchive } from '../xnat/import.ts'
import { listPrearchive } from '../xnat/prearchive.ts'
import { listScanFiles } from '../xnat/session-files.ts'
import type { SessionTarget } from './object-key.ts'

interface ImportDeps {
  xnat: XnatClient
  signal: AbortSignal
}

/** What a session that is there already means for one that arrives. */
export type DicomOverwrite = 'refuse' | 'append' | 'replace'

export interface SessionContents {
  experimentId: string
  scans: number
  /** DICOM files of all scans, by XNAT's catalogs. */
  instances: number
}

/** What XNAT lists of the session; `undefined` when it is not in the archive. */
export async function findSession(
  { xnat, signal }: ImportDeps,
  { projectId, experiment }: Pick<SessionTarget, 'projectId' | 'experiment'>,
): Promise<SessionContents | undefined> {
  const found = await findExperiment(xnat, { projectId, experiment }, { signal })
  if (found === undefined) return undefined
  const { experimentId } = found
  const { scans, files } = await listScanFiles(xnat, { experimentId }, { signal })
  const dicom = files.filter(({ resourceLabel }) => resourceLabel !== undefined && dicomLabels.has(resourceLabel))
  return { experimentId, scans: scans.length, instances: dicom.length }
}

// XNAT: where its session builder puts instances, secondary captures apart (ScanAttributes of dicom-xnat); other
// resources of a scan were made from them.
const dicomLabels: ReadonlySet<string> = new Set(['DICOM', 'secondary'])

const merges: Readonly<Record<DicomOverwrite, ImportOptions['merge']>> = {
  refuse: undefined,
  append: 'append',
  replace: 'override',
}

/**
 * Sends the archive and waits until XNAT has archived it, up to XNAT's own limit of ten minutes. Gives the label under
 * which XNAT says that it did.
 *
 * @throws {DeliveryError} SESSION_CONFLICT, SESSION_NOT_ARCHIVED and SESSION_BUSY leave the files in the prearchive;
 * SESSION_MISPLACED, SEVERAL_SESSIONS or SESSION_EMPTY when XNAT took the files for something else.
 */
export async function importSession(
  { xnat, signal }: ImportDeps,
  target: SessionTarget,
  source: DicomArchive,
  overwrite: DicomOverwrite,
): Promise<{ experiment: string }> {
  const merge = merges[overwrite]
  const options: ImportOptions = { signal, ...(merge && { merge }) }
  const outcome = await importDicomArchive(xnat, source, { kind: 'archive', ...target }, options)
  return archivedOf(outcome) ?? { experiment: await throwWhy({ xnat, signal }, target, outcome) }
}

function archivedOf(outcome: ImportOutcome): { experiment: string } | undefined {
  if (outcome.kind !== 'imported') return undefined
  const [session, ...others] = outcome.sessions
  if (others.length > 0) return undefined
  return session?.kind === 'archive' ? { experiment: session.experiment } : undefined
}

async function throwWhy(deps: ImportDeps, target: SessionTarget, outcome: ImportOutcome): Promise<never> {
  switch (outcome.kind) {
    case 'misplaced':
      throw failure('SESSION_MISPLACED', 'XNAT put the session elsewhere')
    case 'nothing-kept':
      throw failure('SESSION_EMPTY', 'XNAT kept none of the files')
    case 'imported':
      if (outcome.sessions.length > 1) throw failure('SEVERAL_SESSIONS', 'the archive holds several sessions')
  }
  await refuseWaiting(deps, target)
  throw failure('SESSION_NOT_ARCHIVED', 'XNAT left the session in the prearchive')
}

/**
 * Looks whether the session waits in the prearchive.
 *
 * @throws {DeliveryError} SESSION_BUSY while XNAT works on it, SESSION_CONFLICT when it clashes with archived data.
 */
export async function refuseWaiting({ xnat, signal }: ImportDeps, target: SessionTarget): Promise<void> {
  const { projectId, experiment } = target
  const waiting = await listPrearchive(xnat, { projectId }, { signal })
  const [newest] = waiting
    .filter(({ label, folder }) => label === experiment || folder === experiment)
    .toSorted((a, b) => (a.timestamp < b.timestamp ? 1 : -1))
  if (newest === undefined) return
  if (/(?:BUILDING|ARCHIVING|MOVING|SEPARATING)$/.test(newest.status)) {
    throw failure('SESSION_BUSY', 'XNAT is still at work on the session')
  }
  if (newest.status === 'CONFLICT') throw failure('SESSION_CONFLICT', 'the session clashes with what is archived')
}

const failure = (code: DeliveryErrorCode, message: string) => new DeliveryError(message, { code })
