import type { Experiment, Project, Resource, Subject, User } from './records.ts'
import type { State } from './state.ts'

type Group = 'owner' | 'member' | 'collaborator'
export type Right = 'read' | 'edit' | 'delete'

const dataRights: Record<Group, readonly Right[]> = {
  owner: ['read', 'edit', 'delete'],
  member: ['read', 'edit'],
  collaborator: ['read'],
}

export function isAdmin(user: User | undefined): boolean {
  return user?.roles.includes('Administrator') ?? false
}

export function groupIn(user: User | undefined, projectId: string): Group | undefined {
  return (['owner', 'member', 'collaborator'] as const).find((group) => user?.groups.includes(`${projectId}_${group}`))
}

// XNAT: the project record is readable when it is protected; its data only when it is public (init_project_group_functions.sql).
export function canReadProject(user: User | undefined, project: Project): boolean {
  return (
    project.accessibility !== 'private' || groupIn(user, project.projectId) !== undefined || hasAllData(user, 'read')
  )
}

export function canEditProject(user: User | undefined, project: Project): boolean {
  return groupIn(user, project.projectId) === 'owner' || hasAllData(user, 'edit')
}

export function canUseData(user: User | undefined, right: Right, project: Project): boolean {
  const group = groupIn(user, project.projectId)
  if (group !== undefined && dataRights[group].includes(right)) return true
  return (right === 'read' && project.accessibility === 'public') || hasAllData(user, right)
}

interface Shared {
  projectId: string
  shares: readonly { projectId: string }[]
}

/** Data shared into a project is readable through it, and never more. */
export function canUse(state: State, right: Right, user: User | undefined, item: Shared): boolean {
  const home = state.projects.get(item.projectId)
  if (home !== undefined && canUseData(user, right, home)) return true
  if (right !== 'read') return false
  return item.shares.some((share) => {
    const project = state.projects.get(share.projectId)
    return project !== undefined && canUseData(user, 'read', project)
  })
}

/** What a resource hangs on, as far as rights are concerned: a scan answers with its session's. */
export type Securable = { kind: 'project'; project: Project } | { kind: 'item'; item: Subject | Experiment }

export function mayUse(state: State, right: Right, user: User | undefined, securable: Securable): boolean {
  if (securable.kind === 'item') return canUse(state, right, user, securable.item)
  if (right === 'read') return canReadProject(user, securable.project)
  // Resources of a project belong to its record, which members may read and owners change.
  return canEditProject(user, securable.project)
}

export function securableOf(state: State, resource: Resource): Securable | undefined {
  const { level, id } = resource.parent
  if (level === 'project') {
    const project = state.projects.get(id)
    return project && { kind: 'project', project }
  }
  if (level === 'subject') {
    const subject = state.subjects.get(id)
    return subject && { kind: 'item', item: subject }
  }
  const experimentId = level === 'scan' ? state.scans.get(id)?.sessionId : id
  const experiment = experimentId === undefined ? undefined : state.experiments.get(experimentId)
  return experiment && { kind: 'item', item: experiment }
}

export function hasAllData(user: User | undefined, right: Right): boolean {
  const groups = user?.groups ?? []
  return groups.includes('ALL_DATA_ADMIN') || (right === 'read' && groups.includes('ALL_DATA_ACCESS'))
}
