// An upload that was asked for -> files in XNAT, by the delivery engine.
import type { ObjectStore } from '../aws/objects.ts'
import type { DeliveryOrder } from '../delivery/order.ts'
import { ImagesError, XnatError } from '../errors.ts'
import { type JobOutcome, type JobReport, runJob } from '../images/run-job.ts'
import { markChanged } from '../images/session-change.ts'
import {
  deliveryOrder,
  tallyOf,
  type UploadedFile,
  type UploadOrder,
  type UploadPlan,
  uploadJobs,
  uploadSource,
} from '../images/upload.ts'
import type { XnatClient } from '../xnat/client.ts'
import { listFiles, type ResourceRef } from '../xnat/resources.ts'

export interface UploadDeps {
  xnat: XnatClient
  images: ObjectStore
  state: ObjectStore
  signal: AbortSignal
  /** After so many it ends with its reason, before the queue ends it without one. */
  tries: number
  /** The delivery engine, reading from this source. */
  deliver: (order: DeliveryOrder, source: ObjectStore) => Promise<{ superseded: number }>
}

/**
 * Does one upload. Safe to repeat, and to die at any point: what is in XNAT already and equal is left alone. What stood
 * there before the first try is a conflict, unless it may be replaced; the traces of an earlier try are none.
 */
export async function uploadImages(deps: UploadDeps, { uploadId, jobId }: UploadOrder): Promise<JobOutcome> {
  return runJob(deps, uploadJobs, { id: uploadId, jobId }, async (job, report) => {
    const plan = job.order
    if (!job.isChecked) {
      if (!plan.existOk) await refuseExisting(deps, plan)
      await report.checked()
    }
    const source = uploadSource(deps.images, plan.files, progressOf(plan, report))
    try {
      const { superseded } = await deps.deliver(deliveryOrder(uploadId, job), source)
      if (superseded > 0) throw new ImagesError('files changed since they were named', { code: 'FILES_CHANGED' })
    } finally {
      // Also of an upload that failed for good a part may have arrived.
      await markChanged(deps, sessionOf(plan))
    }
    return tallyOf(plan.files)
  })
}

async function refuseExisting(
  { xnat, signal }: UploadDeps,
  { target, experimentId, files }: UploadPlan,
): Promise<void> {
  const parent = { level: 'scan', experimentId, scanId: target.scanId ?? '' } as const
  const ref: ResourceRef = { parent, resourceLabel: target.resourceLabel }
  const listed = await listFiles(xnat, ref, { signal }).catch((error: unknown) => {
    // There is no such scan yet.
    if (error instanceof XnatError && error.code === 'XNAT_NOT_FOUND') return []
    throw error
  })
  const taken = new Set(listed.map(({ path }) => path))
  if (files.some(({ path }) => taken.has(path))) {
    throw new ImagesError('files of these names are in XNAT', { code: 'FILES_EXIST' })
  }
}

const sessionOf = ({ target, folder }: UploadPlan) => ({
  projectId: target.projectId,
  experiment: target.experiment ?? folder.accession,
})

/** Counts each file once, however often it is sent. */
function progressOf({ files }: UploadPlan, report: JobReport): (file: UploadedFile) => void {
  const read = new Set<UploadedFile>()
  return (file) => {
    read.add(file)
    report.progress(tallyOf([...read]), tallyOf(files))
  }
}
