// DICOM Query-Retrieve: the PACS, what they hold, and who may import. As the plug-in's 2.x line answers.
import * as z from 'zod'
import { type Call, type CallOptions, jsonBody } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'
import { detailOf } from './reply.ts'

const Pacs = z
  .object({
    id: z.number(),
    aeTitle: z.string(),
    label: z.string().optional(),
    host: z.string().optional(),
    queryRetrievePort: z.number().optional(),
    queryable: z.boolean().optional(),
    storable: z.boolean().optional(),
    defaultQueryRetrievePacs: z.boolean().optional(),
    dicomWebEnabled: z.boolean().optional(),
  })
  .transform(({ id, queryable, storable, defaultQueryRetrievePacs, dicomWebEnabled, ...pacs }) => ({
    pacsId: id,
    ...pacs,
    isQueryable: queryable ?? false,
    isStorable: storable ?? false,
    isDefault: defaultQueryRetrievePacs ?? false,
    isDicomWeb: dicomWebEnabled ?? false,
  }))
export type Pacs = z.infer<typeof Pacs>

export async function listPacs(client: XnatClient, options: CallOptions = {}): Promise<Pacs[]> {
  return client.json(z.array(Pacs), { method: 'GET', path: xnatPath`/xapi/pacs`, ...options })
}

/** The PACS that XNAT queries when none is named: its default one, or else the first; `undefined` when it knows none. */
export async function findDefaultPacs(client: XnatClient, options: CallOptions = {}): Promise<number | undefined> {
  const pacs = await listPacs(client, options)
  return (pacs.find(({ isDefault }) => isDefault) ?? pacs[0])?.pacsId
}

const Ping = z.object({ successful: z.boolean() })

/**
 * Whether the PACS answers XNAT now.
 *
 * @throws {XnatError} XNAT_NOT_FOUND for a PACS that XNAT does not know.
 */
export async function pingPacs(client: XnatClient, pacsId: number, options: CallOptions = {}): Promise<boolean> {
  const path = xnatPath`/xapi/pacs/${pacsId}/status`
  return (await client.json(Ping, { method: 'GET', path, isSlow: true, ...options })).successful
}

export interface StudyCriteria {
  /** The default PACS when absent. */
  pacsId?: number
  accessionNumber?: string
  studyInstanceUid?: string
  patientId?: string
  modality?: string
  /** `yyyyMMdd` each. */
  studyDates?: { start: string; end: string }
}

const PacsStudyReply = z
  .object({
    studyInstanceUid: z.string(),
    studyId: z.string().optional(),
    studyDescription: z.string().optional(),
    accessionNumber: z.string().optional(),
    studyDate: z.string().optional(),
    modalitiesInStudy: z.array(z.string()).optional(),
  })
  .transform(({ modalitiesInStudy, ...study }) => ({ ...study, modalities: modalitiesInStudy ?? [] }))
/** A study as the PACS describes it. The patient is left out on purpose. */
export type PacsStudy = z.infer<typeof PacsStudyReply>

// DQR: a find over DIMSE is cut off at 500 studies without a word (D:dicom/converters, A4).
const mostStudies = 500

export type StudyQueryOutcome =
  /** `isCut`: there may be more. */
  { kind: 'answered'; studies: PacsStudy[]; isCut: boolean } | { kind: 'pacs-unavailable'; detail: string | undefined }

/**
 * Asks a PACS for studies, once: when XNAT fails at it, it is not made to ask the PACS again by itself.
 *
 * @throws {XnatError} XNAT_NOT_FOUND, XNAT_CONFLICT when XNAT does not know the PACS or may not query it.
 */
export async function queryStudies(
  client: XnatClient,
  criteria: StudyCriteria,
  options: CallOptions = {},
): Promise<StudyQueryOutcome> {
  const { studyDates, ...rest } = criteria
  const body = jsonBody({ ...rest, studyDateRange: studyDates })
  const path = xnatPath`/xapi/dqr/query/studies`
  const call: Call = { method: 'POST', path, body, idempotent: true, accept: [400, 500], isSlow: true, ...options }
  const reply = await client.send(call)
  if (reply.status === 500) throw client.errorFrom(call, reply)
  // DQR: a PACS that cannot be reached is 400 with these words, no study at all is 204
  // (D:services/impl/DimsePacsClientService.java).
  if (reply.status === 400) {
    if (!/DQR run-time exception/i.test(reply.text)) throw client.errorFrom(call, reply)
    return { kind: 'pacs-unavailable', detail: detailOf(reply.text) }
  }
  const studies = reply.status === 204 ? [] : client.parse(z.array(PacsStudyReply), call, reply)
  return { kind: 'answered', studies, isCut: studies.length >= mostStudies }
}

// DQR: all preferences are texts (D:preferences/DqrPreferences.java).
const DqrSettings = z
  .object({
    dqrCallingAe: z.string(),
    allowAllProjectsToUseDqr: z.union([z.boolean(), z.stringbool()]),
    dqrMaxPacsRequestAttempts: z.coerce.number(),
    dqrWaitToRetryRequestInSeconds: z.coerce.number(),
  })
  .transform((settings) => ({
    /** What XNAT calls itself when it asks a PACS. */
    callingAeTitle: settings.dqrCallingAe,
    areAllProjectsEnabled: settings.allowAllProjectsToUseDqr,
    /** How often DQR tries a retrieve by itself, and how long it waits in between, keeping the PACS's thread. */
    attempts: settings.dqrMaxPacsRequestAttempts,
    waitBetweenAttemptsMs: settings.dqrWaitToRetryRequestInSeconds * 1000,
  }))
export type DqrSettings = z.infer<typeof DqrSettings>

/** DQR's settings for the site. Accounts that see all data only. */
export async function getDqrSettings(client: XnatClient, options: CallOptions = {}): Promise<DqrSettings> {
  return client.json(DqrSettings, { method: 'GET', path: xnatPath`/xapi/dqr/settings`, ...options })
}

const ProjectSettings = z.object({ dqrEnabled: z.boolean() })

/** Whether a project may import by DQR; one without settings may not. Administrators only. */
export async function isDqrEnabled(client: XnatClient, projectId: string, options: CallOptions = {}): Promise<boolean> {
  const path = xnatPath`/xapi/dqr/settings/project/${projectId}`
  return (await client.find(ProjectSettings, { method: 'GET', path, ...options }))?.dqrEnabled ?? false
}

/** @throws {XnatError} XNAT_NOT_FOUND when there is no such project. */
export async function setDqrEnabled(
  client: XnatClient,
  { projectId, enabled }: { projectId: string; enabled: boolean },
  options: CallOptions = {},
): Promise<void> {
  // DQR: asked with "enabled", answered with "dqrEnabled"; 304 when it was so before
  // (D:services/impl/hibernate/HibernateDqrProjectSettingsService.java).
  const path = xnatPath`/xapi/dqr/settings/project/${projectId}`
  await client.send({ method: 'PUT', path, body: jsonBody({ enabled }), accept: [304], ...options })
}
