import type { Exchange } from './exchange.ts'
import { HttpFailure } from './http-failure.ts'
import { canReadProject, canUse } from './permissions.ts'
import type { Experiment, Project, Subject } from './records.ts'
import { labelKey } from './state.ts'
import type { Groups } from './table-indexes.ts'

type Who = Pick<Exchange, 'xnat' | 'user'>

/** By ID or alias; undefined when it is missing *or* may not be seen: XNAT does not let these be told apart. */
export function findProject({ xnat, user }: Who, name: string): Project | undefined {
  const { projects } = xnat.state
  const project = projects.get(name) ?? projects.find(({ aliases }) => aliases.includes(name))
  return project !== undefined && canReadProject(user, project) ? project : undefined
}

/** By label within the project, else by accession ID. */
export function findSubject(who: Who, name: string, project: Project | undefined): Subject | undefined {
  const { subjects, subjectLabels } = who.xnat.state
  const subject = (project && byLabel(subjectLabels, name, project)) ?? subjects.get(name)
  if (subject === undefined || (project !== undefined && labelIn(subject, project) === undefined)) return undefined
  return isVisible(who, subject) ? subject : undefined
}

/** By accession ID, else by label within the project. */
export function findExperiment(who: Who, name: string, project: Project | undefined): Experiment | undefined {
  const { experiments, experimentLabels } = who.xnat.state
  const byId = experiments.get(name)
  const isElsewhere = byId !== undefined && project !== undefined && labelIn(byId, project) === undefined
  const found = byId !== undefined && !isElsewhere ? byId : project && byLabel(experimentLabels, name, project)
  return found !== undefined && isVisible(who, found) ? found : undefined
}

function byLabel<T extends Subject | Experiment>(labels: Groups<T>, label: string, project: Project): T | undefined {
  const found = labels.get(labelKey(project.projectId, label)).filter((item) => labelIn(item, project) === label)
  return found.find(({ projectId }) => projectId === project.projectId) ?? found[0]
}

export function isVisible({ xnat, user }: Who, item: Subject | Experiment): boolean {
  return canUse(xnat.state, 'read', user, item)
}

/** The label an item goes by in a project: its own, or the one it was shared under; undefined when it is not there. */
export function labelIn(item: Subject | Experiment, project: Project): string | undefined {
  if (item.projectId === project.projectId) return item.label
  return item.shares.find((share) => share.projectId === project.projectId)?.label
}

/** The project a path names. */
export function requireProject(exchange: Exchange): Project {
  const name = exchange.params['PROJECT_ID'] ?? ''
  const project = findProject(exchange, name)
  if (project === undefined) throw new HttpFailure(404, `Unable to identify project ${name}`)
  return project
}

/** The subject a path names. */
export function requireSubject(exchange: Exchange, project: Project): Subject {
  const name = exchange.params['SUBJECT_ID'] ?? ''
  const subject = findSubject(exchange, name, project)
  if (subject === undefined) throw new HttpFailure(404, `Unable to identify subject ${name}`)
  return subject
}
