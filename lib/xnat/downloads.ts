import { InvalidInputError } from '../errors.ts'
import type { CallOptions, StreamReply } from './call.ts'
import type { XnatClient } from './client.ts'
import { decodedSegment, type PathPart, type XnatPath, xnatPath } from './path.ts'
import { parentPath, resourcePath } from './resource-path.ts'
import type { ResourceParent, ResourceRef } from './resources.ts'

/** What to pack: one resource, all resources of a parent, or those of several scans of a session. */
export type DownloadSource =
  | { kind: 'resource'; ref: ResourceRef }
  | { kind: 'parent'; parent: ResourceParent }
  | { kind: 'scans'; experimentId: string; scanIds: 'all' | readonly string[]; resourceLabel?: string }

export interface DownloadOptions extends CallOptions {
  /** Default `zip`, whose members are stored as they are. */
  format?: 'zip' | 'tar' | 'tgz'
  /** XNAT leaves `resources` and `files` out of the paths. */
  simplified?: boolean
}

const formats = { zip: 'zip', tar: 'tar', tgz: 'tar.gz' } as const

/**
 * An archive that XNAT packs as it sends: of unknown length, to be read to its end or destroyed. Paths in it begin with
 * the label of what was asked for and come from XNAT, so they must be checked before anything is written under them.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is nothing to pack.
 */
export async function downloadArchive(
  client: XnatClient,
  source: DownloadSource,
  { format = 'zip', simplified = false, ...options }: DownloadOptions = {},
): Promise<StreamReply> {
  const query = { format: formats[format], structure: simplified ? 'simplified' : undefined }
  return client.stream({ method: 'GET', path: filesPath(source), query, isSlow: true, ...options })
}

function filesPath(source: DownloadSource): XnatPath {
  switch (source.kind) {
    case 'resource':
      return xnatPath`${resourcePath(source.ref)}/files`
    case 'parent':
      return xnatPath`${parentPath(source.parent)}/files`
    case 'scans':
      return scansPath(source)
  }
}

function scansPath({ experimentId, scanIds, resourceLabel }: Extract<DownloadSource, { kind: 'scans' }>): XnatPath {
  const scans = xnatPath`/data/experiments/${experimentId}/scans/${scanIds === 'all' ? 'ALL' : scanList(scanIds)}`
  return resourceLabel === undefined ? xnatPath`${scans}/files` : xnatPath`${scans}/resources/${resourceLabel}/files`
}

// XNAT: a comma separates scans, and this segment is decoded (RES/files/XNATTemplate.java).
function scanList(scanIds: readonly string[]): PathPart {
  if (scanIds.length === 0 || scanIds.some((scanId) => /[,*]/.test(scanId) || scanId === 'ALL')) {
    throw new InvalidInputError('Not a list of scan IDs', { code: 'UNSAFE_PATH_VALUE' })
  }
  return decodedSegment(scanIds.join(','))
}
