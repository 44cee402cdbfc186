// A training client asks for many studies: entered as jobs, and told how they stand.
import type { OutgoingMessage, Queue } from '../aws/queue.ts'
import type { EnvelopeKeys } from '../envelope.ts'
import { InvalidInputError } from '../errors.ts'
import { beginDownload, type DownloadDeps, type ExportStatus, folderOf, statusOf } from '../images/begin-download.ts'
import { downloadId, downloadJobs, findValidMarker } from '../images/download.ts'
import { type ExportRecord, readExport, writeExport } from '../images/export.ts'
import { findJob } from '../images/job.ts'
import { openHubProjectId } from '../images/study.ts'
import { digestOf, folderPath, partShape, type StudyPart, studyFolder } from '../images/tree.ts'
import { mapInParts } from '../in-parts.ts'

export interface RequestExportDeps extends DownloadDeps {
  exports: Queue
  envelopeKeys: EnvelopeKeys
}

export interface ExportRequest {
  net: string
  sealedHubProjectId: string
  part: StudyPart
  /** Downloads anew what is there. */
  isForced: boolean
  accessions: readonly string[]
}

/**
 * Has many studies downloaded, and does not wait. The same request again is the same export, of which only what is
 * neither there nor under way is downloaded.
 *
 * @throws {InvalidInputError} ENVELOPE_NOT_AUTHENTIC, ENVELOPE_NOT_VALID
 * @throws {ImagesError} PATH_ESCAPES
 */
export async function requestExport(
  deps: RequestExportDeps,
  { net, part, isForced, ...request }: ExportRequest,
): Promise<ExportStatus> {
  const hubProjectId = openHubProjectId(request.sealedHubProjectId, deps.envelopeKeys)
  const accessions = [...new Set(request.accessions)]
  const folders = accessions.map((accession) => studyFolder({ net, hubProjectId, accession }, 'download'))
  const record: ExportRecord = { net, hubProjectId, part, accessions }
  const exportId = digestOf(record)
  await writeExport(deps, exportId, record)
  const messages: OutgoingMessage[] = []
  const jobs = await mapInParts(folders, (folder) =>
    beginDownload(deps, { folder, part, isForced }, async (message) => {
      messages.push(message)
    }),
  )
  await deps.exports.send(messages)
  return statusOf(deps, exportId, record, jobs)
}

/** @throws {InvalidInputError} EXPORT_NOT_FOUND */
export async function getExport(deps: DownloadDeps, exportId: string): Promise<ExportStatus> {
  const record = await readExport(deps, exportId)
  const jobs = await mapInParts(record.accessions, (accession) =>
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
  deps: DownloadDeps,
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
  const signed = await mapInParts(files, async ({ key, ...file }) => ({
    ...file,
    url: await deps.images.signedUrl(key, signedSeconds),
  }))
  const last = objects.at(-1)
  return { files: signed, ...(!isComplete && last !== undefined && { cursor: last.key.slice(home.length) }) }
}
