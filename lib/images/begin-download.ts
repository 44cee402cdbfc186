// What requests for one study and for many have in common: their jobs, and how these stand.
import type { ObjectStore } from '../aws/objects.ts'
import type { OutgoingMessage } from '../aws/queue.ts'
import { type DownloadPlan, downloadId, downloadJobs, downloadMessage } from './download.ts'
import type { ExportRecord } from './export.ts'
import { beginJob, hasEnded, type Job } from './job.ts'
import { folderPath, type StudyFolder } from './tree.ts'

export interface DownloadDeps {
  images: ObjectStore
  state: ObjectStore
  signal: AbortSignal
  settings: { mountedAt: string; freshMs: number }
}

/** Enters the job of a download, or joins the one that is under way for the same. */
export function beginDownload(
  deps: Pick<DownloadDeps, 'state' | 'signal'>,
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

export const folderOf = ({ net, hubProjectId }: ExportRecord, accession: string): StudyFolder => ({
  net,
  hubProjectId,
  accession,
})

/** The folder of a study, as clients see it through their mount. */
export const pathOf = ({ settings }: Pick<DownloadDeps, 'settings'>, folder: StudyFolder) =>
  `${settings.mountedAt}/${folderPath(folder)}`

/** How the studies of an export stand, each by its job. */
export function statusOf(
  deps: Pick<DownloadDeps, 'settings'>,
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
