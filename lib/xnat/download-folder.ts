import { listScans } from './archive.ts'
import { listAssessors } from './assessors.ts'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { type DownloadFolderOptions, downloadInto, type PlacedFile } from './download-into.ts'
import { listFiles, listParentFiles, type ResourceParent, type ResourceRef } from './resources.ts'

/**
 * Downloads every file of a resource into a folder, which is made when it is missing. Files of the same name are
 * replaced, each only when its new bytes are complete and agree with XNAT's size and digest.
 *
 * @throws {InvalidInputError} before anything is written: UNSAFE_FILE_NAME when a name leads out of the folder,
 * UNSAFE_PATH_VALUE when one cannot stand in a URL (`%`, `;`, `\`): then `downloadArchiveFile` brings it.
 * @throws {XnatError} XNAT_UNREACHABLE when the bytes are not those that XNAT lists.
 */
export async function downloadFolder(
  client: XnatClient,
  ref: ResourceRef,
  folder: string,
  options: DownloadFolderOptions = {},
): Promise<{ files: number; bytes: number }> {
  const files = await listFiles(client, ref, { signal: options.signal })
  const placed = files.map((file): PlacedFile => ({ ref, file, path: file.path }))
  return downloadInto(client, placed, folder, options)
}

export interface ExperimentDownload {
  files: number
  bytes: number
  /** IDs of resources that have no label, and so no name for a folder: they were left out. */
  unlabelled: string[]
}

/**
 * Downloads all files of an experiment, of its scans and of what its assessors gave out, into a folder: as
 * `{resource}/...`, `scans/{scan}/{resource}/...` and `assessors/{label}/{resource}/...`. Its promises are those of
 * `downloadFolder`.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is no such experiment.
 */
export async function downloadExperiment(
  client: XnatClient,
  experimentId: string,
  folder: string,
  options: DownloadFolderOptions = {},
): Promise<ExperimentDownload> {
  const placed: PlacedFile[] = []
  const unlabelled = new Set<string>()
  for (const { parent, prefix } of await parentsIn(client, experimentId, { signal: options.signal })) {
    for (const { resourceLabel, ...file } of await listParentFiles(client, parent, { signal: options.signal })) {
      if (resourceLabel === undefined) unlabelled.add(file.resourceId ?? '')
      else placed.push({ ref: { parent, resourceLabel }, file, path: `${prefix}${resourceLabel}/${file.path}` })
    }
  }
  return { ...(await downloadInto(client, placed, folder, options)), unlabelled: [...unlabelled] }
}

async function parentsIn(
  client: XnatClient,
  experimentId: string,
  options: CallOptions,
): Promise<{ parent: ResourceParent; prefix: string }[]> {
  const scans = await listScans(client, { experimentId }, options)
  const assessors = await listAssessors(client, { experimentId }, options)
  return [
    { parent: { level: 'experiment', experimentId }, prefix: '' },
    ...scans.map(({ scanId }) => {
      const parent: ResourceParent = { level: 'scan', experimentId, scanId }
      return { parent, prefix: `scans/${scanId}/` }
    }),
    ...assessors.map(({ assessorId, label }) => {
      const parent: ResourceParent = { level: 'assessor', experimentId, assessorId, direction: 'out' }
      return { parent, prefix: `assessors/${label ?? assessorId}/` }
    }),
  ]
}
