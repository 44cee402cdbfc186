import { InvalidInputError } from '../errors.ts'
import { type XnatPath, xnatPath } from './path.ts'
import type { ResourceParent, ResourceRef } from './resources.ts'

export function parentPath(parent: ResourceParent): XnatPath {
  switch (parent.level) {
    case 'project':
      return xnatPath`/data/projects/${parent.projectId}`
    case 'subject':
      return xnatPath`/data/projects/${parent.projectId}/subjects/${parent.subject}`
    case 'experiment':
      return xnatPath`/data/experiments/${parent.experimentId}`
    case 'scan':
      return xnatPath`/data/experiments/${parent.experimentId}/scans/${oneScan(parent.scanId)}`
    case 'assessor':
      return xnatPath`/data/experiments/${parent.experimentId}/assessors/${parent.assessorId}/${parent.direction}`
  }
}

// XNAT: "ALL", "*" and comma lists stand for several scans (RES/files/XNATTemplate.java).
function oneScan(scanId: string): string {
  if (scanId === 'ALL') throw new InvalidInputError('ALL is no scan ID', { code: 'UNSAFE_PATH_VALUE' })
  return scanId
}

/** The records a resource hangs on that XNAT does not report missing by itself, outermost first. */
export function recordPaths(parent: ResourceParent): XnatPath[] {
  if (!('experimentId' in parent)) return []
  const experiment = xnatPath`/data/experiments/${parent.experimentId}`
  if (parent.level === 'experiment') return [experiment]
  const below =
    parent.level === 'scan'
      ? xnatPath`${experiment}/scans/${parent.scanId}`
      : xnatPath`${experiment}/assessors/${parent.assessorId}`
  return [experiment, below]
}

export function resourcePath({ parent, resourceLabel }: ResourceRef): XnatPath {
  // XNAT: digits only are taken for the numeric ID of a resource, wherever it lives (RES/files/XNATCatalogTemplate.java).
  if (/^\d+$/.test(resourceLabel)) {
    throw new InvalidInputError('A resource label cannot be a number', { code: 'UNSAFE_PATH_VALUE' })
  }
  return xnatPath`${parentPath(parent)}/resources/${resourceLabel}`
}

/** How XNAT's services name a resource: the path below `/data`, with `/archive` before it. */
export function archiveUri(ref: ResourceRef): string {
  // XNAT: the short forms by experiment ID are known there as well (W/helpers/uri/URIManager.java).
  return resourcePath(ref).path.replace(/^\/data/, '/archive')
}

// XNAT: asked for the files of something that is not there, it may list the same-named resource of the level above, and
// a scan ID that is another scan's type lists that one's (RES/files/XNATTemplate.java). The URI of a listed file tells
// what answered: by IDs, not percent-encoded, with or without project and subject before an experiment.
const experiments = /^\/data\/(?:projects\/[^/]+\/subjects\/[^/]+\/)?experiments\/[^/]+/.source
const file = /\/resources\/[^/]+\/files\/(.+)$/.source

/** The path of a listed file inside its resource, or `undefined` when it is not a file of this parent. */
export function pathWithin(parent: ResourceParent, uri: string): string | undefined {
  return new RegExp(`${uriPattern(parent)}${file}`, 's').exec(uri)?.[1]
}

function uriPattern(parent: ResourceParent): string {
  switch (parent.level) {
    case 'project':
      return '^/data/projects/[^/]+'
    case 'subject':
      return '^/data/(?:projects/[^/]+/)?subjects/[^/]+'
    case 'experiment':
      return experiments
    case 'scan':
      return `${experiments}/scans/${parent.scanId.replace(/\W/g, '\\$&')}`
    case 'assessor':
      return `${experiments}/assessors/[^/]+(?:/in|/out)?`
  }
}
