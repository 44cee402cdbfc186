// POST /dqr/import: from what is asked to rows in the queue (D:services/impl/basic/BasicDicomQueryRetrieveService.java).
import * as z from 'zod'
import type { Exchange } from '../exchange.ts'
import { notCovered } from '../http-failure.ts'
import { canUseData, isAdmin } from '../permissions.ts'
import type { User } from '../records.ts'
import { forbidden, requestFailure, xapiFailure } from '../xapi.ts'
import { hasAllDataAccess } from './access.ts'
import { newEntity } from './entity.ts'
import { pacsNotFound, pacsNotQueryable } from './failures.ts'
import { dqrSettings } from './preferences.ts'
import { findReceiver } from './receivers.ts'
import type { Pacs, QueuedRequest } from './records.ts'
import { readScript, scriptOf } from './relabel.ts'
import { type FoundStudy, PacsFailure, type RemotePacs } from './remote-pacs.ts'

const RequestedStudy = z.object({
  studyInstanceUid: z.string(),
  seriesInstanceUids: z.array(z.string()).optional(),
  seriesDescriptions: z.array(z.string()).optional(),
  relabelMap: z.record(z.string(), z.string()).optional(),
  anonScript: z.string().optional(),
})
type RequestedStudy = z.infer<typeof RequestedStudy>

export const ImportRequest = z.object({
  pacsId: z.number().default(0),
  aeTitle: z.string().default(''),
  port: z.number().default(0),
  projectId: z.string().default(''),
  requestId: z.string().optional(),
  forceImport: z.boolean().default(false),
  retrieveLevel: z
    .string()
    .transform((level) => level.toUpperCase())
    .pipe(z.enum(['STUDY', 'SERIES']))
    .optional(),
  studies: z.array(RequestedStudy),
})
export type ImportRequest = z.infer<typeof ImportRequest>

/** Checks in DQR's order, then queues the studies that the PACS knows. The others are left out without a word. */
export async function importStudies(
  exchange: Exchange,
  user: User,
  request: ImportRequest,
  remote: RemotePacs,
): Promise<QueuedRequest[]> {
  refuseTwice(request)
  requireProjectEnabled(exchange, request.projectId)
  requireProjectEdit(exchange, user, request.projectId)
  const pacs = requireQueryable(exchange, request.pacsId)
  const scripts = new Map(request.studies.map((study) => [study.studyInstanceUid, wantedScript(exchange, study)]))
  const hasScript = [...scripts.values()].some((script) => script !== undefined)
  if (hasScript && !request.forceImport && !pacs.dicomWebEnabled) requireReceiver(exchange, request)
  requireLevel(request, pacs)
  const queued: QueuedRequest[] = []
  for (const study of request.studies) {
    const found = await lookUp(remote, study)
    if (found === undefined) continue
    const script = scripts.get(study.studyInstanceUid)
    queued.push(enqueue(exchange, { user, request, pacs, ...found, ...(script !== undefined && { script }) }))
  }
  return queued
}

/** DQR: a Collectors.toMap without a way to merge. */
function refuseTwice({ studies }: ImportRequest): void {
  const uids = new Set<string>()
  for (const { studyInstanceUid } of studies) {
    if (uids.has(studyInstanceUid)) throw requestFailure(500, `Duplicate key ${studyInstanceUid}`)
    uids.add(studyInstanceUid)
  }
}

/** DQR: no settings are 404, settings that say no are 403, whoever asks. */
function requireProjectEnabled({ xnat }: Exchange, projectId: string): void {
  if (dqrSettings(xnat).allProjects) return
  if (projectId.trim() === '') throw requestFailure(404, "Can't search for a project with a blank ID")
  if (xnat.state.projects.get(projectId) === undefined) {
    throw requestFailure(404, `Project ${projectId} does not exist`)
  }
  const settings = xnat.state.dqr.projectSettings.get(projectId)
  if (settings === undefined) throw requestFailure(404, `No DQR settings found for project ${projectId}`)
  if (!settings.dqrEnabled) throw forbidden()
}

function requireProjectEdit({ xnat }: Exchange, user: User, projectId: string): void {
  if (isAdmin(user) || hasAllDataAccess(user)) return
  const project = xnat.state.projects.get(projectId)
  if (project === undefined || !canUseData(user, 'edit', project)) throw forbidden()
}

export function requireQueryable({ xnat }: Exchange, pacsId: number): Pacs {
  const pacs = xnat.state.dqr.pacs.get(String(pacsId))
  if (pacs === undefined) throw pacsNotFound()
  if (!pacs.queryable) throw pacsNotQueryable(pacsId)
  return pacs
}

/** DQR: a script that is given takes the place of the map. */
function wantedScript({ method, rawPath }: Exchange, { relabelMap, anonScript }: RequestedStudy): string | undefined {
  if (anonScript !== undefined && anonScript.trim() !== '') {
    if (readScript(anonScript) === undefined)
      throw notCovered(method, `${rawPath} with a script that does more than assign`)
    return anonScript
  }
  try {
    return scriptOf(relabelMap ?? {})
  } catch (error) {
    if (error instanceof RangeError) throw requestFailure(500, error.message)
    throw error
  }
}

function requireReceiver({ xnat }: Exchange, { aeTitle, port }: ImportRequest): void {
  const receiver = findReceiver(xnat, destination(aeTitle, port))
  if (receiver === undefined || !receiver.enabled) {
    throw requestFailure(404, `No DICOM SCP receiver found for ${destination(aeTitle, port)}`)
  }
  if (!receiver.customProcessing) {
    throw requestFailure(400, `DICOM receiver ${destination(aeTitle, port)} does not have custom processing enabled`)
  }
  if (!xnat.state.switches.remappingProcessor) throw requestFailure(400, 'No usable archive processors are available')
}

function requireLevel({ retrieveLevel, studies }: ImportRequest, pacs: Pacs): void {
  if (retrieveLevel !== 'STUDY') return
  if (pacs.dicomWebEnabled) throw xapiFailure(400, 'STUDY level retrieves are not supported by DICOMweb')
  const namesSeries = studies.some(
    ({ seriesInstanceUids = [], seriesDescriptions = [] }) => seriesInstanceUids.length + seriesDescriptions.length > 0,
  )
  if (namesSeries) throw xapiFailure(400, 'Series may not be named in a STUDY level retrieve')
}

interface Found {
  study: FoundStudy
  seriesIds: string[]
}

/** DQR: a study that is not there, whose series all fall through, or whose query fails is skipped. */
async function lookUp(remote: RemotePacs, wanted: RequestedStudy): Promise<Found | undefined> {
  try {
    const [study] = await remote.findStudies({ studyInstanceUid: wanted.studyInstanceUid })
    if (study === undefined) return undefined
    const { seriesInstanceUids = [], seriesDescriptions = [] } = wanted
    const series = (await remote.findSeries(wanted.studyInstanceUid)).filter(
      ({ seriesInstanceUid, seriesDescription }) =>
        (seriesInstanceUids.length === 0 || seriesInstanceUids.includes(seriesInstanceUid)) &&
        (seriesDescriptions.length === 0 || seriesDescriptions.includes(seriesDescription)),
    )
    return series.length === 0 ? undefined : { study, seriesIds: series.map((each) => each.seriesInstanceUid) }
  } catch (error) {
    if (error instanceof PacsFailure) return undefined
    throw error
  }
}

interface NewRequest extends Found {
  user: User
  request: ImportRequest
  pacs: Pacs
  script?: string
}

function enqueue({ xnat }: Exchange, { user, request, pacs, study, seriesIds, script }: NewRequest): QueuedRequest {
  const { requestId, retrieveLevel } = request
  return xnat.state.dqr.queue.put({
    ...newEntity(xnat, xnat.state.next('dqrQueue')),
    pacsId: pacs.id,
    username: user.username,
    projectId: request.projectId,
    studyInstanceUid: study.studyInstanceUid,
    seriesIds,
    destinationAeTitle: destination(request.aeTitle, request.port),
    status: 'QUEUED',
    // DQR: a request for one study goes before requests for many.
    priority: request.studies.length === 1 ? 1 : 10,
    queuedTimeMs: xnat.now().getTime(),
    studyDate: study.studyDate,
    studyId: study.studyId,
    accessionNumber: study.accessionNumber,
    patientName: study.patientName,
    patientId: study.patientId,
    ...(requestId !== undefined && { requestId }),
    ...(retrieveLevel !== undefined && { retrieveLevel }),
    ...(script !== undefined && { remappingScript: script }),
  })
}

function destination(aeTitle: string, port: number): string {
  return port === 0 ? aeTitle : `${aeTitle}:${port}`
}
