// The study that a request names: by the hub's sealed id of its project, and its accession number.
import { type EnvelopeKeys, open } from '../envelope.ts'
import { InvalidInputError } from '../errors.ts'
import { type Experiment, findExperiment } from '../xnat/archive.ts'
import type { XnatClient } from '../xnat/client.ts'
import { findProjectBySecondaryId } from '../xnat/projects.ts'
import { studyNotFound } from './failure.ts'
import type { StudyFolder } from './tree.ts'

/**
 * Opens the hub's id of a project.
 *
 * @throws {InvalidInputError} ENVELOPE_NOT_AUTHENTIC, ENVELOPE_NOT_VALID in FLIP's words.
 */
export function openHubProjectId(envelope: string, keys: EnvelopeKeys): string {
  try {
    const id = open(envelope, { keys, context: 'project_id' })
    // Projects carry it as it was provisioned: UUIDs in lower case.
    return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? id.toLowerCase() : id
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    const what =
      error.code === 'ENVELOPE_NOT_AUTHENTIC' ? 'failed authentication' : `is not a valid envelope: ${error.message}`
    throw new InvalidInputError(`Central Hub project id ${what}`, { code: error.code, cause: error })
  }
}

export interface FoundStudy {
  projectId: string
  experiment: Experiment
}

/** @throws {InvalidInputError} PROJECT_NOT_FOUND, EXPERIMENT_NOT_FOUND in FLIP's words. */
export async function findStudy(
  { xnat, signal }: { xnat: XnatClient; signal: AbortSignal },
  folder: StudyFolder,
): Promise<FoundStudy> {
  const project = await findProjectBySecondaryId(xnat, folder.hubProjectId, { signal })
  if (project === undefined) throw studyNotFound('PROJECT_NOT_FOUND')
  const { projectId } = project
  const experiment = await findExperiment(xnat, { projectId, experiment: folder.accession }, { signal })
  if (experiment === undefined) throw studyNotFound('EXPERIMENT_NOT_FOUND')
  return { projectId, experiment }
}
