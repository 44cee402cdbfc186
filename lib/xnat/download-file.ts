import { XnatError } from '../errors.ts'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { type DownloadOptions, type DownloadSource, downloadArchive } from './downloads.ts'
import type { Progress } from './progress.ts'
import { resourcePath } from './resource-path.ts'
import { type FileEntry, listFiles, openFile, type ResourceRef } from './resources.ts'
import { saveBody } from './save-body.ts'

export interface DownloadFileOptions extends CallOptions {
  /** The file in its resource, folders included. */
  path: string
  /** Where it goes. */
  location: string
  onProgress?: (progress: Progress) => void
}

/**
 * Downloads one file of a resource to a location whose folder must be there. What was there is replaced, only when the
 * new bytes are complete and agree with XNAT's size and digest.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when the resource lists no such file; XNAT_UNREACHABLE when its bytes are others
 * than those listed.
 */
export async function downloadFile(
  client: XnatClient,
  ref: ResourceRef,
  { path, location, onProgress = () => undefined, ...options }: DownloadFileOptions,
): Promise<{ bytes: number }> {
  const file = (await listFiles(client, ref, options)).find((each) => each.path === path)
  if (file === undefined) throw failure(ref, 'XNAT_NOT_FOUND', 'not among the files of the resource')
  let doneBytes = 0
  const onBytes = (bytes: number) => {
    doneBytes += bytes
    onProgress({ doneBytes, totalBytes: file.sizeBytes })
  }
  await saveListed(client, ref, { file, location, onBytes }, options)
  return { bytes: file.sizeBytes }
}

export interface ListedDownload {
  file: FileEntry
  location: string
  onBytes: (bytes: number) => void
}

/** Downloads a file as its listing describes it. */
export async function saveListed(
  client: XnatClient,
  ref: ResourceRef,
  { file, location, onBytes }: ListedDownload,
  options: CallOptions,
): Promise<void> {
  const { body } = await openFile(client, ref, file.path, options)
  await saveBody(body, location, {
    onBytes,
    check({ sizeBytes, md5 }) {
      if (sizeBytes === file.sizeBytes && (file.md5 === undefined || file.md5 === md5)) return
      throw failure(ref, 'XNAT_UNREACHABLE', 'other bytes than listed')
    },
  })
}

function failure(ref: ResourceRef, code: 'XNAT_NOT_FOUND' | 'XNAT_UNREACHABLE', detail: string): XnatError {
  return new XnatError({ code, method: 'GET', pathTemplate: `${resourcePath(ref).template}/files/{file}`, detail })
}

/**
 * Downloads what `downloadArchive` streams to `location`, whose folder must be there; it appears there when it is whole.
 * XNAT does not say beforehand how long the archive will be, so progress has no total.
 */
export async function downloadArchiveFile(
  client: XnatClient,
  source: DownloadSource,
  location: string,
  { onProgress = () => undefined, ...options }: DownloadOptions & { onProgress?: (doneBytes: number) => void } = {},
): Promise<{ bytes: number }> {
  const { body } = await downloadArchive(client, source, options)
  let doneBytes = 0
  const onBytes = (bytes: number) => {
    doneBytes += bytes
    onProgress(doneBytes)
  }
  const { sizeBytes } = await saveBody(body, location, { onBytes, check: () => undefined })
  return { bytes: sizeBytes }
}
