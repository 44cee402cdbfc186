// What XNAT lists of a study: the files that a download has to bring, under the names that XNAT's zips give them.
import { listAssessors } from '../xnat/assessors.ts'
import type { XnatClient } from '../xnat/client.ts'
import type { DownloadSource } from '../xnat/downloads.ts'
import { listFiles, listParentFiles, type ResourceParent } from '../xnat/resources.ts'
import { listScanFiles } from '../xnat/session-files.ts'
import type { StudyPart } from './tree.ts'

export interface ExpectedFile {
  /** Below the study's folder. */
  path: string
  sizeBytes: number
  /** Absent where the site keeps no checksums. */
  md5: string | undefined
}

/** One zip that XNAT packs, and what has to be in it. */
export interface ExpectedZip {
  source: DownloadSource
  /** By their names in the zip, after the first folder, which bears the label of what was asked for. */
  files: ReadonlyMap<string, ExpectedFile>
}

interface ListDeps {
  xnat: XnatClient
  signal: AbortSignal
}

/** The zips that make up one part of a study; those of which XNAT lists no file are left out. */
export async function expectedZips(deps: ListDeps, experimentId: string, part: StudyPart): Promise<ExpectedZip[]> {
  const resourceLabel = part.resourceType === 'ALL' ? undefined : part.resourceType
  const zips =
    part.assessorType === 'scan'
      ? [await scansZip(deps, experimentId, resourceLabel)]
      : await assessorZips(deps, experimentId, resourceLabel)
  return zips.filter(({ files }) => files.size > 0)
}

async function scansZip(
  { xnat, signal }: ListDeps,
  experimentId: string,
  resourceLabel?: string,
): Promise<ExpectedZip> {
  const { scans, files: listed } = await listScanFiles(xnat, { experimentId, resourceLabel }, { signal })
  const types = new Map(scans.map(({ scanId, type }) => [scanId, type]))
  const files = listed.map(({ scanId, resourceLabel, resourceId, path, sizeBytes, md5 }) => {
    const plain = `scans/${scanId}/resources/${resourceLabel ?? resourceId}/files/${path}`
    return { path: withScanType(plain, scanId, types.get(scanId)), sizeBytes, md5 }
  })
  const source = { kind: 'scans', experimentId, scanIds: 'all', ...(resourceLabel && { resourceLabel }) } as const
  return { source, files: new Map(files.map((file) => [file.path, file])) }
}

// XNAT: the scan's type is put behind every folder that is called like the scan, in resources too, with `_` for what is
// no letter, digit or `_` (REST/files/utils/RestFileUtils.java; xnat/data-api 4.8).
function withScanType(path: string, scanId: string, type: string | undefined): string {
  if (type === undefined) return path
  const name = `${scanId}-${type.replaceAll(/\W/g, '_')}`
  const segments = path.split('/')
  return segments
    .map((segment, index) => (segment === scanId && index < segments.length - 1 ? name : segment))
    .join('/')
}

async function assessorZips(deps: ListDeps, experimentId: string, resourceLabel?: string): Promise<ExpectedZip[]> {
  const { xnat, signal } = deps
  const zips: ExpectedZip[] = []
  for (const { assessorId, label = assessorId } of await listAssessors(xnat, { experimentId }, { signal })) {
    const parent: ResourceParent = { level: 'assessor', experimentId, assessorId, direction: 'out' }
    const listed =
      resourceLabel === undefined
        ? await listParentFiles(xnat, parent, { signal })
        : (await listFiles(xnat, { parent, resourceLabel }, { signal })).map((file) => ({ ...file, resourceLabel }))
    const files = new Map<string, ExpectedFile>()
    for (const { resourceLabel, resourceId, path, sizeBytes, md5 } of listed) {
      const name = `out/resources/${resourceLabel ?? resourceId}/files/${path}`
      const file = { path: `assessors/${label}/${name}`, sizeBytes, md5 }
      // XNAT: below the assessor's label, or in a session without a folder for assessors below the session's and the
      // assessor's ID (xnat/data-api 4.8).
      files.set(name, file)
      files.set(`assessors/${assessorId}/${name}`, file)
    }
    const source: DownloadSource =
      resourceLabel === undefined ? { kind: 'parent', parent } : { kind: 'resource', ref: { parent, resourceLabel } }
    zips.push({ source, files })
  }
  return zips
}
