// What is saved or deleted, as an event (E:aspects/EventServiceItemSaveAspect.java) with the object that filters see
// (E:model/xnat).
import type { Experiment, Project, Resource, Scan, Subject } from '../records.ts'
import type { State } from '../state.ts'
import { isSessionType } from '../xsi-types.ts'
import { eventClasses } from './event-types.ts'

export interface Trigger {
  type: string
  status: string
  projectId: string
  username: string
  /** Made when it is looked at: a session is saved before its scans, and is to be seen with them. */
  object: () => EventObject
}

export type EventObject = Readonly<Record<string, unknown>> & Record<'id' | 'label' | 'xsiType' | 'uri', string>

export function scanTrigger(state: State, scan: Scan, status: string): Trigger | undefined {
  const session = state.experiments.get(scan.sessionId)
  if (session === undefined) return undefined
  const { fields, scanId, xsiType } = scan
  return {
    ...about('ScanEvent', status, session),
    username: scan.inserted.by,
    object: () => ({
      id: scanId,
      label: scanLabel(scan),
      xsiType,
      uri: `/archive/experiments/${session.experimentId}/scans/${scanId}`,
      'integer-id': scan.rowId,
      'scan-type': fields['type'],
      'project-id': session.projectId,
      'session-id': session.experimentId,
      modality: fields['modality'],
      quality: fields['quality'],
      'series-description': fields['series_description'],
      uid: fields['UID'],
      // FLIP's subscription filters on them (flip-contract 2.3): a scan that is saved before its files has none yet.
      resources: state.resourcesOf({ level: 'scan', id: String(scan.rowId) }).map(({ label }) => ({ label })),
    }),
  }
}

function scanLabel({ scanId, fields }: Scan): string {
  const description = fields['series_description'] ?? ''
  return description === '' ? scanId : `${scanId} - ${description}`
}

/** One experiment may be several events: a session is a subject's assessor too. */
export function experimentTriggers(state: State, experiment: Experiment, status: string): Trigger[] {
  const { experimentId, sessionId, xsiType } = experiment
  const object = objectOf(experiment)
  if (sessionId !== undefined) {
    if (status !== 'CREATED') return []
    const uri = `/archive/experiments/${sessionId}/assessors/${experimentId}`
    const assessor = () => ({ ...object, uri, 'session-id': sessionId })
    return [{ ...about('ImageAssessorEvent', status, experiment), object: assessor }]
  }
  const asAssessor = { ...about('SubjectAssessorEvent', status, experiment), object: () => object }
  if (!isSessionType(xsiType)) return [asAssessor]
  const asSession = { ...about('SessionEvent', status, experiment), object: () => withScans(state, experiment) }
  return status === 'MERGED' ? [asSession] : [asSession, asAssessor]
}

function objectOf({ experimentId, label, xsiType, projectId, subjectId }: Experiment): EventObject {
  const uri = `/archive/experiments/${experimentId}`
  return { id: experimentId, label, xsiType, uri, 'project-id': projectId, 'subject-id': subjectId }
}

function withScans(state: State, session: Experiment): EventObject {
  const scans = state.scans.group(session.experimentId)
  const modalities = [...new Set(scans.flatMap(({ fields }) => fields['modality'] ?? []))]
  const shown = scans.map((scan) => ({ id: scan.scanId, xsiType: scan.xsiType, 'scan-type': scan.fields['type'] }))
  return { ...objectOf(session), 'modalities-in-study': modalities, scans: shown }
}

export function subjectTrigger(subject: Subject, status: string): Trigger {
  const { subjectId, label, projectId, fields } = subject
  return {
    ...about('SubjectEvent', status, subject),
    object: () => ({
      id: subjectId,
      label,
      xsiType: 'xnat:subjectData',
      uri: `/archive/subjects/${subjectId}`,
      'project-id': projectId,
      group: fields['group'],
    }),
  }
}

export function projectTrigger(project: Project, status: string): Trigger {
  const { projectId, name } = project
  return {
    ...about('ProjectEvent', status, project),
    object: () => ({ id: projectId, label: name, xsiType: 'xnat:projectData', uri: `/archive/projects/${projectId}` }),
  }
}

export function resourceTrigger(state: State, resource: Resource, status: string): Trigger | undefined {
  const parent = parentOf(state, resource)
  if (parent === undefined) return undefined
  return {
    ...about('ResourceEvent', status, parent.owner),
    object: () => ({
      id: String(resource.resourceId),
      label: resource.label,
      xsiType: 'xnat:resourceCatalog',
      uri: `${parent.uri}/resources/${resource.label}`,
      'project-id': parent.owner.projectId,
    }),
  }
}

type Owner = Pick<Subject, 'projectId' | 'inserted'>

function parentOf(state: State, { parent }: Resource): { owner: Owner; uri: string } | undefined {
  const { level, id } = parent
  if (level === 'project') return found(state.projects.get(id), `/archive/projects/${id}`)
  if (level === 'subject') return found(state.subjects.get(id), `/archive/subjects/${id}`)
  if (level === 'experiment') return found(state.experiments.get(id), `/archive/experiments/${id}`)
  const scan = state.scans.get(id)
  if (scan === undefined) return undefined
  const session = state.experiments.get(scan.sessionId)
  return found(session, `/archive/experiments/${scan.sessionId}/scans/${scan.scanId}`)
}

function found(owner: Owner | undefined, uri: string): { owner: Owner; uri: string } | undefined {
  return owner && { owner, uri }
}

function about(name: string, status: string, { projectId, inserted }: Owner) {
  return { type: `${eventClasses}${name}`, status, projectId, username: inserted.by }
}
