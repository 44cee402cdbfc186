// Sharing a subject or experiment into another project: `PUT .../projects/{P2}` below the item.
import type { Exchange } from './exchange.ts'
import { HttpFailure } from './http-failure.ts'
import { findProject, labelIn } from './lookup.ts'
import { canUse, canUseData } from './permissions.ts'
import type { Experiment, Project, Subject } from './records.ts'
import { emptyTextReply, type Reply } from './reply.ts'
import { tableReply } from './result-set.ts'
import type { Table } from './table.ts'
import { refuseActions } from './uncovered-options.ts'

type Shareable = Subject | Experiment

/** The project a path below an item shares it into or removes it from; undefined for any other path. */
export function sharedProjectName(rest: string): string | undefined {
  return /^\/projects\/([^/]+)\/?$/.exec(rest)?.[1]
}

export function shareInto<T extends Shareable>(exchange: Exchange, table: Table<T>, item: T, name: string): Reply {
  const { query, user, xnat } = exchange
  const project = findProject(exchange, name)
  if (project === undefined) throw new HttpFailure(404, `Unable to identify project: ${name}`)
  refuseActions(exchange, ['primary'])
  if (!canUseData(user, 'edit', project) || !canUse(xnat.state, 'read', user, item)) throw new HttpFailure(403)
  if (labelIn(item, project) !== undefined)
    throw new HttpFailure(409, `Already assigned to project:${project.projectId}`)
  const label = query.get('label') ?? item.label
  if (isLabelTaken(table, project, label)) throw new HttpFailure(409, `Label already in use:${label}`)
  table.put({ ...item, shares: [...item.shares, { projectId: project.projectId, label }] })
  return emptyTextReply()
}

export function unshare<T extends Shareable>(exchange: Exchange, table: Table<T>, item: T, name: string): Reply {
  const project = findProject(exchange, name)
  if (project === undefined || !item.shares.some(({ projectId }) => projectId === project.projectId)) {
    throw new HttpFailure(404, `Unable to identify project: ${name}`)
  }
  if (!canUseData(exchange.user, 'delete', project)) throw new HttpFailure(403)
  table.put({ ...item, shares: item.shares.filter(({ projectId }) => projectId !== project.projectId) })
  return emptyTextReply()
}

/** The projects an item is in, its own first (SecureResource.java representProjectsForArchivableItem). */
export function listSharing(exchange: Exchange, item: Shareable): Reply {
  const places = [{ projectId: item.projectId, label: item.label }, ...item.shares]
  const rows = places.flatMap(({ projectId, label }) => {
    const project = exchange.xnat.state.projects.get(projectId)
    return project === undefined
      ? []
      : [{ label, ID: projectId, Secondary_ID: project.secondaryId, Name: project.name }]
  })
  return tableReply(exchange, rows, { columns: ['label', 'ID', 'Secondary_ID', 'Name'], totalRecords: false })
}

function isLabelTaken<T extends Shareable>(table: Table<T>, project: Project, label: string): boolean {
  return table.find((other) => labelIn(other, project) === label) !== undefined
}
