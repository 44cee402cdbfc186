// What the path of a resource or file request names (XNATTemplate.java).
import type { Exchange } from './exchange.ts'
import { HttpFailure } from './http-failure.ts'
import { findExperiment, findProject, findSubject, isVisible } from './lookup.ts'
import type { Securable } from './permissions.ts'
import type { Experiment, Project, ResourceParent, Scan, Subject } from './records.ts'

export interface Target {
  project: Project | undefined
  subject: Subject | undefined
  /** The image sessions above a scan or assessor. */
  sessions: Experiment[]
  experiments: Experiment[]
  scans: Scan[]
  direction: 'in' | 'out' | undefined
}

export interface TargetParent {
  parent: ResourceParent
  securable: Securable
}

/**
 * Resolves the parents a path names. A project or subject that cannot be seen is always 404. Anything below that
 * does not resolve is 404 in a write, and simply missing in a read: XNAT then falls back to the level above.
 */
export function resolveTarget(exchange: Exchange): Target {
  const { params, xnat } = exchange
  const { PROJECT_ID, SUBJECT_ID, ASSESSED_ID, EXPT_ID, SCAN_ID, TYPE } = params
  const project = PROJECT_ID === undefined ? undefined : findProject(exchange, PROJECT_ID)
  if (PROJECT_ID !== undefined && project === undefined) throw new HttpFailure(404, 'Unable to identify project')
  const subject = SUBJECT_ID === undefined ? undefined : findSubject(exchange, SUBJECT_ID, project)
  if (SUBJECT_ID !== undefined && subject === undefined) throw new HttpFailure(404, 'Unable to identify subject')
  const sessions = (ASSESSED_ID?.split(',') ?? []).flatMap((name) => {
    const found = findExperiment(exchange, name, project)
    return found !== undefined && found.sessionId === undefined ? [found] : []
  })
  if (ASSESSED_ID !== undefined) requireOne(exchange, sessions, 'image session')
  const experiments =
    EXPT_ID === undefined
      ? []
      : findExperiments(exchange, EXPT_ID, { project, sessions, hasSession: ASSESSED_ID !== undefined })
  if (EXPT_ID !== undefined) requireOne(exchange, experiments, 'experiment')
  const scans =
    SCAN_ID === undefined
      ? []
      : sessions.flatMap((session) => pickScans(xnat.state.scans.group(session.experimentId), SCAN_ID))
  if (SCAN_ID !== undefined && sessions.length > 0) requireOne(exchange, scans, 'scan')
  return {
    project,
    subject,
    sessions,
    experiments,
    scans,
    direction: TYPE === 'in' || TYPE === 'out' ? TYPE : undefined,
  }
}

/** What the resources hang on: the most specific thing that was found. Several for `scans/ALL` and the like. */
export function parentsOf(target: Target): TargetParent[] {
  if (target.scans.length > 0) {
    return target.scans.flatMap((scan) => {
      const session = target.sessions.find(({ experimentId }) => experimentId === scan.sessionId)
      return session === undefined
        ? []
        : [
            {
              parent: { level: 'scan', id: String(scan.rowId) } as const,
              securable: { kind: 'item', item: session } as const,
            },
          ]
    })
  }
  if (target.experiments.length > 0) return target.experiments.map((experiment) => experimentParent(experiment, target))
  if (target.subject !== undefined) {
    return [
      { parent: { level: 'subject', id: target.subject.subjectId }, securable: { kind: 'item', item: target.subject } },
    ]
  }
  if (target.project !== undefined) {
    return [
      {
        parent: { level: 'project', id: target.project.projectId },
        securable: { kind: 'project', project: target.project },
      },
    ]
  }
  return []
}

function experimentParent(experiment: Experiment, target: Target): TargetParent {
  const parent: ResourceParent = { level: 'experiment', id: experiment.experimentId }
  // XNAT: an assessor's resources are outputs unless the path says "in" (XNATTemplate.java).
  const direction = experiment.sessionId === undefined ? {} : { direction: target.direction ?? 'out' }
  return { parent: { ...parent, ...direction }, securable: { kind: 'item', item: experiment } }
}

function requireOne({ method }: Exchange, found: readonly unknown[], what: string): void {
  if (method !== 'GET' && method !== 'HEAD' && found.length !== 1)
    throw new HttpFailure(404, `Unable to identify ${what}`)
}

interface Scope {
  project: Project | undefined
  sessions: readonly Experiment[]
  hasSession: boolean
}

function findExperiments(exchange: Exchange, names: string, { project, sessions, hasSession }: Scope): Experiment[] {
  return names.split(',').flatMap((name) => {
    const found = findExperiment(exchange, name, project)
    if (found !== undefined) return [found]
    if (!hasSession) return []
    const assessors = sessions.flatMap((session) =>
      exchange.xnat.state.experiments
        .group(session.projectId)
        .filter(({ sessionId }) => sessionId === session.experimentId),
    )
    return assessors.filter(
      (assessor) =>
        isVisible(exchange, assessor) &&
        (name === '*' || name === 'ALL' || name === assessor.label || name === assessor.xsiType),
    )
  })
}

// XNAT: a scan is named by ID, by type, by a list of either, or all are meant (XNATTemplate.java).
function pickScans(scans: readonly Scan[], raw: string): Scan[] {
  const wanted = decodeName(raw).replaceAll('[SLASH]', '/')
  if (wanted === '*' || wanted === 'ALL') return [...scans]
  const names = wanted.split(',').map((name) => name.replaceAll('[COMMA]', ','))
  return scans.filter((scan) => {
    const type = scan.fields['type'] ?? ''
    return names.some((name) => scan.scanId === name || (type === '' ? name === 'NULL' : type === name))
  })
}

// XNAT: of all path variables only the scan's is URL-decoded (XNATTemplate.java getUrlEncodedParameter).
function decodeName(raw: string): string {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '))
  } catch (error) {
    if (error instanceof URIError) throw new HttpFailure(500)
    throw error
  }
}
