import type { Xnat } from './exchange.ts'
import type { Experiment, Project, ResourceParent, Scan, Subject } from './records.ts'

interface DeleteOptions {
  /** Whether files leave the archive too. Records go either way. */
  removeFiles: boolean
}

export async function deleteProjectData(xnat: Xnat, project: Project, options: DeleteOptions): Promise<void> {
  const { state } = xnat
  for (const subject of state.subjects.group(project.projectId)) await deleteSubjectData(xnat, subject, options)
  await deleteResources(xnat, { level: 'project', id: project.projectId }, options)
  for (const subject of state.subjects.all().filter((item) => isSharedInto(item, project))) {
    state.subjects.put(withoutShare(subject, project))
  }
  for (const experiment of state.experiments.all().filter((item) => isSharedInto(item, project))) {
    state.experiments.put(withoutShare(experiment, project))
  }
  const projectGroups = ['owner', 'member', 'collaborator'].map((group) => `${project.projectId}_${group}`)
  for (const user of state.users.all()) {
    const groups = user.groups.filter((group) => !projectGroups.includes(group))
    if (groups.length !== user.groups.length) state.users.put({ ...user, groups })
  }
  state.projects.delete(project.projectId)
  // XNAT: the ID of a deleted project is never free again (ProjectResource.java handlePut).
  state.deletedProjects.put({ projectId: project.projectId })
}

export async function deleteSubjectData(xnat: Xnat, subject: Subject, options: DeleteOptions): Promise<void> {
  const { state } = xnat
  const experiments = state.experiments
    .all()
    .filter(({ subjectId, sessionId }) => subjectId === subject.subjectId && sessionId === undefined)
  for (const experiment of experiments) await deleteExperimentData(xnat, experiment, options)
  await deleteResources(xnat, { level: 'subject', id: subject.subjectId }, options)
  state.subjects.delete(subject.subjectId)
}

export async function deleteExperimentData(xnat: Xnat, experiment: Experiment, options: DeleteOptions): Promise<void> {
  const { state } = xnat
  const assessors = state.experiments
    .group(experiment.projectId)
    .filter(({ sessionId }) => sessionId === experiment.experimentId)
  for (const assessor of assessors) await deleteExperimentData(xnat, assessor, options)
  for (const scan of state.scans.group(experiment.experimentId)) await deleteScanData(xnat, scan, options)
  await deleteResources(xnat, { level: 'experiment', id: experiment.experimentId }, options)
  state.experiments.delete(experiment.experimentId)
}

export async function deleteScanData(xnat: Xnat, scan: Scan, options: DeleteOptions): Promise<void> {
  await deleteResources(xnat, { level: 'scan', id: String(scan.rowId) }, options)
  xnat.state.scans.delete(String(scan.rowId))
}

async function deleteResources(
  xnat: Xnat,
  parent: Pick<ResourceParent, 'level' | 'id'>,
  { removeFiles }: DeleteOptions,
): Promise<void> {
  for (const resource of xnat.state.resourcesOf(parent)) {
    if (removeFiles) await xnat.archive.discard(resource)
    xnat.state.resources.delete(String(resource.resourceId))
  }
}

function isSharedInto(item: Subject | Experiment, project: Project): boolean {
  return item.shares.some(({ projectId }) => projectId === project.projectId)
}

function withoutShare<T extends Subject | Experiment>(item: T, project: Project): T {
  return { ...item, shares: item.shares.filter(({ projectId }) => projectId !== project.projectId) }
}
