import * as z from 'zod'
import { XnatError } from '../errors.ts'
import { findExperimentById } from './archive.ts'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'
import { type EnsureOutcome, listBelow, putRecord } from './record-calls.ts'
import { cell, filledCell, resultSet } from './result-set.ts'

const AssessorRow = z
  .object({ ID: filledCell, project: cell, label: cell, date: cell, xsiType: cell, session_ID: cell })
  .transform((row) => ({
    assessorId: row.ID,
    projectId: row.project,
    label: row.label,
    date: row.date,
    xsiType: row.xsiType,
    experimentId: row.session_ID,
  }))
export type AssessorSummary = z.infer<typeof AssessorRow>

/**
 * The assessors of a session.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is no such session.
 */
export async function listAssessors(
  client: XnatClient,
  { experimentId }: { experimentId: string },
  options: CallOptions = {},
): Promise<AssessorSummary[]> {
  const session = xnatPath`/data/experiments/${experimentId}`
  const path = xnatPath`${session}/assessors`
  const call = { method: 'GET', path, query: { format: 'json' }, ...options } as const
  return listBelow(client, [session], resultSet(AssessorRow), call)
}

export interface AssessorDescription {
  /** The session that is assessed. */
  experimentId: string
  label: string
  /** Such as `xnat:qcManualAssessorData`. */
  xsiType: string
}

/**
 * The assessor of the session with this label; a missing one is created.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is no such session.
 */
export async function ensureAssessor(
  client: XnatClient,
  { experimentId, label, xsiType }: AssessorDescription,
  options: CallOptions = {},
): Promise<{ kind: EnsureOutcome; assessorId: string }> {
  const found = (await listAssessors(client, { experimentId }, options)).find((assessor) => assessor.label === label)
  if (found !== undefined) return { kind: 'already-there', assessorId: found.assessorId }
  // XNAT: a new assessor must be put under its project and subject (RES/ExptAssessmentResource.java).
  const { projectId, subjectId } = (await findExperimentById(client, experimentId, options)) ?? {}
  if (projectId === undefined || subjectId === undefined) {
    const pathTemplate = '/data/experiments/{experiment}/assessors/{assessor}'
    throw new XnatError({ code: 'XNAT_NOT_FOUND', method: 'PUT', pathTemplate, detail: 'no such session' })
  }
  const path = xnatPath`/data/projects/${projectId}/subjects/${subjectId}/experiments/${experimentId}/assessors/${label}`
  const { kind, id } = await putRecord(client, { method: 'PUT', path, query: { xsiType }, ...options })
  return { kind, assessorId: id }
}
