// The PACS behind XNAT's DQR, as FLIP's operators ask it: is it there, what has it, fetch this.
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { AppError, InvalidInputError, isRefusal, PacsError, type XnatError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { findDefaultPacs } from '../xnat/dqr.ts'
import { requestImport } from '../xnat/dqr-import.ts'
import { xnatPath } from '../xnat/path.ts'
import { findProject } from '../xnat/projects.ts'

export interface ImagingDeps {
  xnat: XnatClient
  signal: AbortSignal
  imaging: {
    /** Taken when XNAT cannot say which PACS it has. */
    fallbackPacsId: number | undefined
    /** XNAT's own DICOM receiver, which the PACS sends to. */
    receiver: { aeTitle: string; port: number }
  }
}

const Ping = z.object({
  id: z.int(),
  pacsId: z.int(),
  successful: z.boolean(),
  /** When it was asked, not how long it took. */
  pingTime: z.int(),
  created: z.int(),
  timestamp: z.int(),
  enabled: z.boolean(),
  disabled: z.int(),
})
export type PacsPing = z.infer<typeof Ping>

/**
 * Asks XNAT to ask the PACS for a sign of life, now. Without an id, the one that XNAT would query.
 *
 * @throws {PacsError} PACS_NOT_FOUND
 */
export async function pingPacs(deps: ImagingDeps, pacsId?: number): Promise<PacsPing> {
  const id = pacsId ?? (await choosePacs(deps))
  const call = { method: 'GET', path: xnatPath`/xapi/pacs/${id}/status`, isSlow: true, signal: deps.signal } as const
  const ping = await deps.xnat.find(Ping, call)
  if (ping === undefined) throw new PacsError(`404: PACS with ID '${id}' not found.`, { code: 'PACS_NOT_FOUND' })
  return ping
}

/**
 * The PACS that XNAT queries when none is named: its default one, or the first.
 *
 * @throws {PacsError} PACS_NOT_FOUND when XNAT knows none and no fallback is set.
 */
export async function choosePacs({ xnat, signal, imaging }: ImagingDeps): Promise<number> {
  const known = await findDefaultPacs(xnat, { signal }).catch((error: unknown) => {
    if (error instanceof AppError && imaging.fallbackPacsId !== undefined && !signal.aborted) return undefined
    throw error
  })
  const chosen = known ?? imaging.fallbackPacsId
  if (chosen !== undefined) return chosen
  throw new PacsError('404: XNAT knows no PACS.', { code: 'PACS_NOT_FOUND' })
}

const FoundStudy = z.object({
  studyInstanceUid: z.string(),
  studyDescription: z.string().default(''),
  accessionNumber: z.string().default(''),
  studyDate: z.string().default(''),
  modalitiesInStudy: z.array(z.string()).default([]),
  referringPhysicianName: z.string().default(''),
  // DICOM: patient attributes are type 2, they may be empty, and DQR leaves out what is empty.
  patient: z
    .object({ id: z.string().default(''), name: z.string().default(''), sex: z.string().default('') })
    .default({ id: '', name: '', sex: '' }),
})
export type FoundStudy = z.infer<typeof FoundStudy>

/**
 * The studies that the PACS has under this accession number, as the PACS says. Some match loosely.
 *
 * @throws {PacsError} PACS_NOT_FOUND, PACS_UNAVAILABLE, and PACS_FORBIDDEN when the account may not use DQR.
 */
export async function queryStudies(deps: ImagingDeps, accessionNumber: string): Promise<FoundStudy[]> {
  const pacsId = await choosePacs(deps)
  const call = {
    method: 'POST',
    path: xnatPath`/xapi/dqr/query/studies`,
    body: { text: JSON.stringify({ accessionNumber, pacsId, modality: '' }), contentType: 'application/json' },
    idempotent: true,
    isSlow: true,
    signal: deps.signal,
  } as const
  const reply = await deps.xnat.send(call).catch((error: unknown) => {
    throw isRefusal(error) ? refusedQuery(error) : error
  })
  // DQR: no study is 204 (D:services/impl/DimsePacsClientService.java).
  return reply.status === 204 ? [] : deps.xnat.parse(z.array(FoundStudy), call, reply)
}

// DQR: a PACS that cannot be reached is 400, or 500 where it speaks DICOMweb; an account without the role is 403
// (xnat/dqr-containers-events A1, A4).
function refusedQuery(cause: XnatError): PacsError {
  const isForbidden = cause.code === 'XNAT_UNAUTHORIZED' || cause.code === 'XNAT_FORBIDDEN'
  return isForbidden
    ? new PacsError('Unauthorized to query PACS via DQR', { code: 'PACS_FORBIDDEN', cause })
    : new PacsError('Failed to query PACS via DQR', { code: 'PACS_UNAVAILABLE', cause })
}

export interface WantedStudy {
  studyInstanceUid: string
  accessionNumber: string
}

export interface QueuedStudy {
  id: number
  pacsId: number
  status: string
  accessionNumber: string
  queuedTime: number
  created: number
  priority: number
}

/**
 * Queues studies for retrieval into the project. The session is labelled with the accession number and the subject with
 * a new random name. Of two entries for one study the last counts.
 *
 * @throws {InvalidInputError} PROJECT_NOT_FOUND @throws {PacsError} PACS_NOT_FOUND, PACS_UNAVAILABLE, IMPORT_REFUSED,
 * STUDY_NOT_FOUND, and STUDIES_PARTLY_QUEUED when the PACS does not have all of them: what was found is queued then.
 */
export async function queueImport(
  deps: ImagingDeps,
  { projectId, studies }: { projectId: string; studies: readonly WantedStudy[] },
): Promise<QueuedStudy[]> {
  const { xnat, signal, imaging } = deps
  // DQR: takes an import for a project that does not exist, and delivers nothing.
  if ((await findProject(xnat, projectId, { signal })) === undefined) {
    throw new InvalidInputError(`404: Project with ID '${projectId}' not found.`, { code: 'PROJECT_NOT_FOUND' })
  }
  const pacsId = await choosePacs(deps)
  await requirePacs(deps, pacsId)

  const wanted = new Map(studies.map((study) => [study.studyInstanceUid, study]))
  const rows = await requestImport(
    xnat,
    {
      pacsId,
      receiver: imaging.receiver,
      projectId,
      requestId: randomUUID(),
      studies: [...wanted.values()].map(({ studyInstanceUid, accessionNumber }) => ({
        studyInstanceUid,
        subjectLabel: randomUUID(),
        sessionLabel: accessionNumber,
      })),
      force: true,
    },
    { signal },
  ).catch((error: unknown) => {
    throw isRefusal(error) ? refusedImport(projectId, error) : error
  })
  if (rows.length === 0) {
    const message = '404: No studies found on PACS with the study instance UID(s) provided'
    throw new PacsError(message, { code: 'STUDY_NOT_FOUND' })
  }
  const missing = [...wanted.keys()].filter((uid) => !rows.some((row) => row.studyInstanceUid === uid))
  if (missing.length > 0) {
    const message = `Some studies not found on PACS: ${missing.join(', ')}`
    throw new PacsError(message, { code: 'STUDIES_PARTLY_QUEUED' })
  }
  return rows.map((row) => ({
    id: row.id,
    pacsId: row.pacsId ?? pacsId,
    status: row.status,
    accessionNumber: row.accessionNumber ?? wanted.get(row.studyInstanceUid)?.accessionNumber ?? '',
    queuedTime: row.queuedAtMs ?? 0,
    created: row.createdAtMs ?? 0,
    priority: row.priority ?? 0,
  }))
}

async function requirePacs(deps: ImagingDeps, pacsId: number): Promise<void> {
  const unavailable = (message: string, cause?: XnatError) =>
    new PacsError(message, { code: 'PACS_UNAVAILABLE', cause })
  const ping = await pingPacs(deps, pacsId).catch((error: unknown) => {
    throw isRefusal(error) ? unavailable(`Failed to ping PACS with ID '${pacsId}'.`, error) : error
  })
  if (!ping.successful) throw unavailable(`PACS with ID '${pacsId}' is not reachable.`)
  if (!ping.enabled) throw unavailable(`PACS with ID '${pacsId}' is disabled.`)
}

// DQR: a project without settings is 404, one that may not import is 403 (xnat/dqr-containers-events A5).
function refusedImport(projectId: string, cause: XnatError): PacsError {
  return cause.code === 'XNAT_NOT_FOUND'
    ? new PacsError(`404: Not found error for project '${projectId}'`, { code: 'STUDY_NOT_FOUND', cause })
    : new PacsError(`Failed to queue image import via DQR for project '${projectId}'`, {
        code: 'IMPORT_REFUSED',
        cause,
      })
}
