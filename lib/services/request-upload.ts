// A training client asks for files of its folder to be put into XNAT: checked, entered as a job, and waited for.
import type { ObjectStore } from '../aws/objects.ts'
import type { Queue } from '../aws/queue.ts'
import { type DeliveryTarget, parseObjectKey } from '../delivery/object-key.ts'
import type { EnvelopeKeys } from '../envelope.ts'
import { ImagesError, InvalidInputError } from '../errors.ts'
import { failure } from '../images/failure.ts'
import { awaitJob, beginJob, findJob, type Job } from '../images/job.ts'
import { findStudy, openHubProjectId } from '../images/study.ts'
import { digestOf, requireNet, studyFolder, uploadPaths, uploadPrefix } from '../images/tree.ts'
import {
  resourcePaths,
  tallyOf,
  type UploadedFile,
  type UploadPlan,
  uploadJobs,
  uploadMessage,
  xnatUrl,
} from '../images/upload.ts'
import { mapInParts } from '../in-parts.ts'
import { systemClock } from '../retry.ts'
import type { XnatClient } from '../xnat/client.ts'

export interface RequestUploadDeps {
  xnat: XnatClient
  images: ObjectStore
  state: ObjectStore
  deliveries: Queue
  signal: AbortSignal
  envelopeKeys: EnvelopeKeys
  xnatBaseUrl: string
  settings: { mountedAt: string; uploadFolders: 'keep' | 'flatten' }
}

export interface UploadRequest {
  net: string
  sealedHubProjectId: string
  accession: string
  scanId: string
  resourceLabel: string
  /** Below `<net>/upload/`, or absolute paths of such files as the client sees them. */
  files: readonly string[]
  existOk: boolean
  /** How long the whole request may take, waiting for the end included. */
  waitMs: number
}

export interface UploadStatus {
  uploadId: string
  job: Job<UploadPlan>
  /** Addresses of the files in XNAT; of an upload that is done. */
  urls: string[]
}

/**
 * Has the files delivered by the same function, in the same turn, as everything else that goes into that resource, and
 * waits for it. All of them are known to exist before XNAT is asked anything. The same request while the first is under
 * way waits for the first.
 *
 * @throws {InvalidInputError} ENVELOPE_NOT_AUTHENTIC, ENVELOPE_NOT_VALID, PROJECT_NOT_FOUND, EXPERIMENT_NOT_FOUND;
 * KEY_NOT_UNDERSTOOD for names that XNAT could not keep.
 * @throws {ImagesError} PATH_ESCAPES, FILES_NOT_FOUND, FILES_COLLIDE, and those that the upload itself ended with.
 */
export async function requestUpload(deps: RequestUploadDeps, request: UploadRequest): Promise<UploadStatus> {
  const { net, accession, existOk } = request
  const patience = { endsAt: performance.now() + request.waitMs, sleep: systemClock.sleep }
  const hubProjectId = openHubProjectId(request.sealedHubProjectId, deps.envelopeKeys)
  const folder = studyFolder({ net, hubProjectId, accession }, 'upload')
  const files = await uploadedFiles(deps, request)
  const { projectId, experiment } = await findStudy(deps, folder)
  const { experimentId, subjectId = '', label = accession } = experiment
  const target = targetOf({ ...request, projectId, experiment: label }, files)

  const plan: UploadPlan = { folder, target, experimentId, subjectId, existOk, files }
  const uploadId = digestOf(plan)
  const wanted = { id: uploadId, order: plan, total: tallyOf(files), joins: () => true }
  const job = await beginJob(deps, uploadJobs, wanted, (fresh) =>
    deps.deliveries.send([uploadMessage(uploadId, fresh)]),
  )
  const latest = await awaitJob(deps, uploadJobs, { id: uploadId, job }, patience)
  if (latest.state === 'failed') throw failure(latest.code ?? 'UNEXPECTED', 'upload')
  return statusOf(deps, uploadId, latest)
}

/** @throws {InvalidInputError} UPLOAD_NOT_FOUND for what was never asked for, or long ago. */
export async function readUpload(
  deps: Pick<RequestUploadDeps, 'state' | 'signal' | 'xnatBaseUrl'>,
  uploadId: string,
): Promise<UploadStatus> {
  const job = await findJob(deps, uploadJobs, uploadId)
  if (job === undefined) throw new InvalidInputError('There is no upload of this id.', { code: 'UPLOAD_NOT_FOUND' })
  return statusOf(deps, uploadId, job)
}

function statusOf(
  { xnatBaseUrl }: Pick<RequestUploadDeps, 'xnatBaseUrl'>,
  uploadId: string,
  job: Job<UploadPlan>,
): UploadStatus {
  const { files } = job.order
  const urls = job.state === 'done' ? files.map(({ path }) => xnatUrl(xnatBaseUrl, job.order, path)) : []
  return { uploadId, job, urls }
}

async function uploadedFiles(deps: RequestUploadDeps, { net, files }: UploadRequest): Promise<UploadedFile[]> {
  requireNet(net, 'upload')
  const { mountedAt, uploadFolders } = deps.settings
  const paths = uploadPaths(files, { net, mountedAt })
  const infos = await mapInParts(paths, (path) => deps.images.find(uploadPrefix(net) + path, { signal: deps.signal }))
  const missing = infos.indexOf(undefined)
  if (missing >= 0) {
    const message = `Failed to upload files: File not found: files[${missing}]`
    throw new ImagesError(message, { code: 'FILES_NOT_FOUND' })
  }
  const names = resourcePaths(paths, uploadFolders)
  const found = infos.flatMap((info, index): UploadedFile[] => {
    const [path, source] = [names[index], paths[index]]
    if (info === undefined || path === undefined || source === undefined) return []
    return [{ path, key: uploadPrefix(net) + source, sizeBytes: info.sizeBytes, etag: info.etag.replaceAll('"', '') }]
  })
  return [...new Map(found.map((file) => [file.path, file])).values()]
}

interface Place {
  projectId: string
  experiment: string
  scanId: string
  resourceLabel: string
}

/** The resource, by the rules of all deliveries, which the files' paths in it have to keep too. */
function targetOf(
  { projectId, experiment, scanId, resourceLabel }: Place,
  files: readonly UploadedFile[],
): DeliveryTarget {
  const resource = `projects/${projectId}/experiments/${experiment}/scans/${scanId}/resources/${resourceLabel}/files/`
  const [first] = files.map(({ path }) => parseObjectKey(resource + path))
  if (first?.kind !== 'file') throw new Error('an upload needs a file')
  return first.target
}
