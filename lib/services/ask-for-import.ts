// What people and the hub ask of an import. The planner does it: here it is only checked and handed over.
import type { Queue } from '../aws/queue.ts'
import { InvalidInputError } from '../errors.ts'
import { cleanAccessionNumbers } from '../imports/accession-numbers.ts'
import { decodeQuery } from '../imports/encoded-query.ts'
import { askByName, askForLook } from '../imports/messages.ts'
import type { XnatClient } from '../xnat/client.ts'
import { findProject } from '../xnat/projects.ts'

/**
 * Has the project's cohort heard anew, and what is due of it asked for. Whether there is such a project shows later, as
 * FLIP has it.
 *
 * @throws {InvalidInputError} REIMPORT_DISABLED, QUERY_EMPTY, QUERY_NOT_DECODABLE
 */
export async function askForReimport(
  { imports, isEnabled }: { imports: Queue; isEnabled: boolean },
  { projectId, encodedQuery }: { projectId: string; encodedQuery: string },
): Promise<void> {
  if (!isEnabled) throw new InvalidInputError('Reimport studies feature is not enabled', { code: 'REIMPORT_DISABLED' })
  const query = decodeQuery(encodedQuery)
  if (query.trim() === '') throw new InvalidInputError('Query must not be empty', { code: 'QUERY_EMPTY' })
  await askForLook(imports, { projectId, query })
}

/**
 * Takes accession numbers into the project's cohort and has each that is not there yet asked for, whatever the retry
 * plan says of it. Says how many were taken, and how many left out because no PACS may be asked for them.
 *
 * @throws {InvalidInputError} PROJECT_NOT_FOUND
 */
export async function askForImport(
  { xnat, imports, signal }: { xnat: XnatClient; imports: Queue; signal: AbortSignal },
  { projectId, accessionNumbers: given }: { projectId: string; accessionNumbers: readonly string[] },
): Promise<{ accepted: number; dropped: number }> {
  if ((await findProject(xnat, projectId, { signal })) === undefined) {
    throw new InvalidInputError(`404: Project with ID '${projectId}' not found.`, { code: 'PROJECT_NOT_FOUND' })
  }
  const { accessionNumbers, dropped } = cleanAccessionNumbers(given)
  await askByName(imports, projectId, accessionNumbers)
  return { accepted: accessionNumbers.length, dropped }
}
