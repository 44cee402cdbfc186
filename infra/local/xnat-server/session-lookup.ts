import type { Exchange } from './exchange.ts'
import { findExperiment, findProject, findSubject } from './lookup.ts'
import type { Experiment } from './records.ts'

/** The image session a scan's or assessor's path names; undefined when any part of the path does not resolve. */
export function findSession(exchange: Exchange): Experiment | undefined {
  const { PROJECT_ID, SUBJECT_ID, ASSESSED_ID } = exchange.params
  const project = PROJECT_ID === undefined ? undefined : findProject(exchange, PROJECT_ID)
  if (PROJECT_ID !== undefined && project === undefined) return undefined
  const subject = SUBJECT_ID === undefined ? undefined : findSubject(exchange, SUBJECT_ID, project)
  if (SUBJECT_ID !== undefined && subject === undefined) return undefined
  const found = findExperiment(exchange, ASSESSED_ID ?? '', project)
  return found?.sessionId === undefined ? found : undefined
}
