// A training client asks for a study, or for many: answered from the tree, or entered as jobs and waited for.
import type { ObjectStore } from '../aws/objects.ts'
import type { OutgoingMessage, Queue } from '../aws/queue.ts'
import type { EnvelopeKeys } from '../envelope.ts'
import { InvalidInputError } from '../errors.ts'
import { type DownloadPlan, downloadId, downloadJobs, downloadMessage, findValidMarker } from '../images/download.ts'
import { type ExportRecord, readExport, writeExport } from '../images/export.ts'
import { failure } from '../images/failure.ts'
import { mapSome } from '../images/in-turns.ts'
import { awaitJob, beginJob, findJob, hasEnded, type Job } from '../images/job.ts'
import { openHubProjectId } from '../images/study.ts'
import { digestOf, folderPath, partShape, type StudyFolder, type StudyPart, studyFolder } from '../images/tree.ts'
import { systemClock } from '../retry.ts'

export interface RequestDownloadDeps {
  images: ObjectStore
  state: ObjectStore
  exports: Queue
  signal: AbortSignal
  envelopeKeys: EnvelopeKeys
  settings: { mountedAt: string; freshMs: number }
}

interface Wanted {
  net: string
  sealedHubProjectId: string
  part: StudyPart
  /** Downloads anew what is there. */
  isForced: boolean
}

export interface DownloadRequest extends Wanted {
  accession: string
  /** How long to wait for the end. */
  waitMs: number
}

/** `path`: the folder of the study, as clients see it through their mount. */
export type DownloadOutcome = { kind: 'done'; path: string } | { kind: 'under-way'; status: ExportStatus }

/**
 * The folder of a study, with this part of it in it, whole. What is there and valid is answered from the tree, without
 * asking XNAT; a request for what is under way waits for that.
 *
 * @throws {InvalidInputError} ENVELOPE_NOT_AUTHENTIC, ENVELOPE_NOT_VALID, PROJECT_NOT_FOUND, EXPERIMENT_NOT_FOUND
 * @throws {ImagesError} PATH_ESCAPES, and those that the download ended with.
 */
export async function requestDownload(deps: RequestDownloadDeps, request: DownloadRequest): Promise<DownloadOutcome> {
  const { net, accession, part, isForced, waitMs } = request
  const hubProjectId = openHubProjectId(request.sealedHubProjectId, deps.envelopeKeys)
  const folder = studyFolder({ net, hubProjectId, accession }, 'download')
  const plan: DownloadPlan = { folder, part, isForced }
  const done = { kind: 'done', path: pathOf(deps, folder) } as const
  const { freshMs } = deps.settings
  if (!isForced && (await findValidMarker({ ...deps, freshMs }, plan)) !== undefined) return done

  const id = downloadId(plan)
  const job = await begin(deps, plan, (message) => deps.exports.send([message]))
  const latest = await awaitJob(deps, downloadJobs, { id, job }, { ms: waitMs, sleep: systemClock.sleep })
  if (latest.state === 'done') return done
  if (latest.state === 'failed') throw failure(latest.code ?? 'UNEXPECTED', folder, 'download')
  const record = { net, hubProjectId, part, accessions: [accession] }
  await writeExport(deps, id, record)
  return { kind: 'under-way', status: statusOf(deps, id, record, [latest]) }
}

function begin(
  deps: RequestDownloadDeps,
  plan: DownloadPlan,
  send: (message: OutgoingMessage) => Promise<void>,
): Promise<Job<DownloadPlan>> {
  // One that has begun to read may have read what was there before the force was asked for.
  const joins = (job: Job<DownloadPlan>) => !plan.isForced || (job.order.isForced && job.tries === 0)
  const wanted = { id: downloadId(plan), order: plan, total: { files: 0, bytes: 0 }, joins }
  return beginJob(deps, downloadJobs, wanted, (job) => send(downloadMessage(job)))
}

export interface ExportStatus {
  exportId: string
  state: Job<unknown>['state']
  studies: { accession: string; job: Job<DownloadPlan> | undefined; path: string | undefined }[]
}

/**
 * Has many studies downloaded, and does not wait. The same request again is the same export, of which only what is
 * neither there nor under way is downloaded.
 *
 * @throws {InvalidInputError} ENVELOPE_NOT_AUTHENTIC, ENVELOPE_NOT_VALID
 * @throws {ImagesError} PATH_ESCAPES
 */
export async function requestExport(
  deps: RequestDownloadDeps,
  { net, part, isForced, ...request }: Wanted & { accessions: readonly string[] },
): Promise<ExportStatus> {
  const hubProjectId = openHubProjectId(request.sealedHubProjectId, deps.envelopeKeys)
  const accessions = [...new Set(request.accessions)]
  const folders = accessions.map((accession) => studyFolder({ net, hubProjectId, accession }, 'download'))
  const record: ExportRecord = { net, hubProjectId, part, accessions }
  const exportId = digestOf(record)
  await writeExport(deps, exportId, record)
  const messages: OutgoingMessage[] = []
  const jobs = await mapSome(folders, (folder) =>
    begin(deps, { folder, part, isForced }, async (message) => {
      messages.push(message)
    }),
  )
  await deps.exports.send(messages)
  return statusOf(deps, exportId, record, jobs)
}

type ReadDeps = Pick<RequestDownloadDeps, 'images' | 'state' | 'signal' | 'settings'>

/** @throws {InvalidInputError} EXPORT_NOT_FOUND */
export async function getExport(deps: ReadDeps, exportId: string): Promise<ExportStatus> {
  const record = await readExport(deps, exportId)
  const jobs = await mapSome(record.accessions, (accession) =>
    findJob(deps, downloadJobs, downloadId({ folder: folderOf(record, accession), part: record.part })),
  )
  return statusOf(deps, exportId, record, jobs)
}

export interface ExportedFiles {
  files: { path: string; sizeBytes: number; url: string }[]
  /** Where the next page starts; absent when this is the last one. */
  cursor?: string
}

/** How long addresses of files are valid. Credentials of a function may end before it. */
const signedSeconds = 60 * 60

/**
 * The files of one study of an export, with addresses under which they can be read without a mount.
 *
 * @throws {InvalidInputError} EXPORT_NOT_FOUND; EXPORT_NOT_DONE while the study is not in the tree.
 */
export async function listExportedFiles(
  deps: ReadDeps,
  exportId: string,
  { accession, cursor, limit }: { accession: string; cursor?: string | undefined; limit: number },
): Promise<ExportedFiles> {
  const record = await readExport(deps, exportId)
  const folder = folderOf(record, accession)
  const { part } = record
  const isThere = record.accessions.includes(accession)
  const { freshMs } = deps.settings
  if (!isThere || (await findValidMarker({ ...deps, freshMs }, { folder, part })) === undefined) {
    throw new InvalidInputError('This study is not downloaded.', { code: 'EXPORT_NOT_DONE' })
  }
  const home = `${folderPath(folder)}/`
  const startAfter = home + (cursor ?? '')
  const { objects, isComplete } = await deps.images.list(home, { startAfter, limit, signal: deps.signal })
  const files = objects
    .map(({ key, sizeBytes }) => ({ key, sizeBytes, path: key.slice(home.length) }))
    .filter(({ path }) => partShape(part).test(path))
  const signed = await mapSome(files, async ({ key, ...file }) => ({
    ...file,
    url: await deps.images.signedUrl(key, signedSeconds),
  }))
  const last = objects.at(-1)
  return { files: signed, ...(!isComplete && last !== undefined && { cursor: last.key.slice(home.length) }) }
}

const folderOf = ({ net, hubProjectId }: ExportRecord, accession: string): StudyFolder => ({
  net,
  hubProjectId,
  accession,
})

const pathOf = ({ settings }: Pick<ReadDeps, 'settings'>, folder: StudyFolder) =>
  `${settings.mountedAt}/${folderPath(folder)}`

function statusOf(
  deps: Pick<ReadDeps, 'settings'>,
  exportId: string,
  record: ExportRecord,
  jobs: readonly (Job<DownloadPlan> | undefined)[],
): ExportStatus {
  const studies = record.accessions.map((accession, index) => {
    const job = jobs[index]
    const path = job?.state === 'done' ? pathOf(deps, folderOf(record, accession)) : undefined
    return { accession, job, path }
  })
  return { exportId, state: stateOf(jobs), studies }
}

/** `failed` when all have ended, and not all well. */
function stateOf(jobs: readonly (Job<unknown> | undefined)[]): Job<unknown>['state'] {
  if (jobs.every((job) => job?.state === 'done')) return 'done'
  if (jobs.every((job) => job !== undefined && hasEnded(job))) return 'failed'
  return jobs.every((job) => job === undefined || job.state === 'queued') ? 'queued' : 'running'
}
