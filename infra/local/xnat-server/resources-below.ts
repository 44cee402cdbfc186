import type { Resource, ResourceParent } from './records.ts'
import type { State } from './state.ts'

/** The resources of a parent and, for a session, those of its scans and assessors. */
export function listedBelow(state: State, parent: ResourceParent): Resource[] {
  const own = state.resourcesOf(parent).filter((resource) => isAt(resource, parent))
  if (parent.level !== 'experiment') return own
  const scans = state.scans
    .group(parent.id)
    .flatMap((scan) => state.resourcesOf({ level: 'scan', id: String(scan.rowId) }))
  const assessors = assessorsOf(state, parent.id).flatMap((id) => state.resourcesOf({ level: 'experiment', id }))
  return [...own, ...scans, ...assessors]
}

/** An assessor's parent names a direction, and then only that side's resources are meant. */
export function isAt(resource: Resource, parent: ResourceParent): boolean {
  return parent.direction === undefined || resource.parent.direction === parent.direction
}

function assessorsOf(state: State, sessionId: string): string[] {
  const session = state.experiments.get(sessionId)
  const all = session === undefined ? [] : state.experiments.group(session.projectId)
  return all.filter((assessor) => assessor.sessionId === sessionId).map(({ experimentId }) => experimentId)
}
