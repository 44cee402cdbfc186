// A training client asks for a study: answered from the tree, or entered as a job and waited for.
import type { Queue } from '../aws/queue.ts'
import type { EnvelopeKeys } from '../envelope.ts'
import { beginDownload, type DownloadDeps, type ExportStatus, pathOf, statusOf } from '../images/begin-download.ts'
import { type DownloadPlan, downloadId, downloadJobs, findValidMarker } from '../images/download.ts'
import { writeExport } from '../images/export.ts'
import { failure } from '../images/failure.ts'
import { awaitJob } from '../images/job.ts'
import { openHubProjectId } from '../images/study.ts'
import { type StudyPart, studyFolder } from '../images/tree.ts'
import { systemClock } from '../retry.ts'

export interface RequestDownloadDeps extends DownloadDeps {
  exports: Queue
  envelopeKeys: EnvelopeKeys
}

export interface DownloadRequest {
  net: string
  sealedHubProjectId: string
  accession: string
  part: StudyPart
  /** Downloads anew what is there. */
  isForced: boolean
  /** How long the whole request may take, waiting for the end included. */
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
  const patience = { endsAt: performance.now() + waitMs, sleep: systemClock.sleep }
  const hubProjectId = openHubProjectId(request.sealedHubProjectId, deps.envelopeKeys)
  const folder = studyFolder({ net, hubProjectId, accession }, 'download')
  const plan: DownloadPlan = { folder, part, isForced }
  const done = { kind: 'done', path: pathOf(deps, folder) } as const
  const { freshMs } = deps.settings
  if (!isForced && (await findValidMarker({ ...deps, freshMs }, plan)) !== undefined) return done

  const id = downloadId(plan)
  const job = await beginDownload(deps, plan, (message) => deps.exports.send([message]))
  const latest = await awaitJob(deps, downloadJobs, { id, job }, patience)
  if (latest.state === 'done') return done
  if (latest.state === 'failed') throw failure(latest.code ?? 'UNEXPECTED', 'download')
  const record = { net, hubProjectId, part, accessions: [accession] }
  await writeExport(deps, id, record)
  return { kind: 'under-way', status: statusOf(deps, id, record, [latest]) }
}
