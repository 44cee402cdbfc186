// Where every study of a project's cohort stands, read from XNAT and the ledger. Writes nothing.
import type { ObjectStore } from '../aws/objects.ts'
import { InvalidInputError } from '../errors.ts'
import { cleanAccessionNumbers } from '../imports/accession-numbers.ts'
import { type AssessRules, assessCohort, type Standing } from '../imports/assess.ts'
import { checkUnchecked } from '../imports/check-sessions.ts'
import { type Cohort, emptyCohort, findCohort, membersOf } from '../imports/cohort.ts'
import { decodeQuery } from '../imports/encoded-query.ts'
import { readEvidence } from '../imports/evidence.ts'
import { rebuildLedger } from '../imports/keep-ledger.ts'
import { readLedger } from '../imports/ledger.ts'
import type { CohortSource } from '../imports/renew-cohort.ts'
import { type FlipClass, flipClassOf, type StudyState } from '../imports/study-state.ts'
import { findRegistration } from '../provisioning/registration.ts'
import type { XnatClient } from '../xnat/client.ts'
import { findProject } from '../xnat/projects.ts'

export interface StatusDeps {
  xnat: XnatClient
  state: ObjectStore
  signal: AbortSignal
  importing: AssessRules
  cohortSource?: CohortSource | undefined
  now?: () => Date
}

export interface ImportStatus {
  standings: readonly Standing[]
  states: Readonly<Partial<Record<StudyState, number>>>
  classes: Readonly<Record<FlipClass, number>>
  /** Why nothing is asked for at present, and since when. */
  waiting?: { code: string; sinceMs: number }
  /** When the planner last looked; absent when it never did. */
  lookedAtMs?: number
}

/** Sessions whose files are counted while somebody waits; the planner counts the others. */
const checks = { most: 400, withinMs: 5_000 }

/**
 * One standing for each accession number of the cohort: of what the query yields now, when one is given, or else of the
 * cohort as it was heard last; those asked for by name are in both. A project that is not there is told before a query
 * that cannot be read, as FLIP has it.
 *
 * @throws {InvalidInputError} PROJECT_NOT_FOUND, QUERY_NOT_DECODABLE @throws {CohortError}
 */
export async function readImportStatus(
  deps: StatusDeps,
  { projectId, encodedQuery }: { projectId: string; encodedQuery?: string | undefined },
): Promise<ImportStatus> {
  const { xnat, state, signal, importing } = deps
  const project = await findProject(xnat, projectId, { signal })
  if (project === undefined) {
    throw new InvalidInputError(`404: Project with ID '${projectId}' not found.`, { code: 'PROJECT_NOT_FOUND' })
  }
  const query = encodedQuery === undefined ? undefined : decodeQuery(encodedQuery)
  const nowMs = (deps.now?.() ?? new Date()).getTime()
  const [cohort, stored] = await Promise.all([
    cohortFor(deps, { projectId, hubProjectId: project.secondaryId, query }),
    readLedger(state, projectId, { signal }),
  ])
  const known = stored.kind === 'found' ? stored.ledger : undefined
  const evidence = await readEvidence(deps, projectId, { readHistoryAfter: known?.historyReadTo ?? 0, nowMs })
  const ledger = known ?? rebuildLedger(evidence)
  const input = { cohort: membersOf(cohort), ledger, evidence, rules: importing, nowMs }
  const standings = assessCohort({ ...input, checks: await checkUnchecked(deps, input, checks) })
  return {
    standings,
    ...countsOf(standings),
    ...(known?.waiting && { waiting: known.waiting }),
    ...(known !== undefined && known.lookedAtMs > 0 && { lookedAtMs: known.lookedAtMs }),
  }
}

async function cohortFor(
  { state, signal, cohortSource }: StatusDeps,
  {
    projectId,
    hubProjectId,
    query,
  }: { projectId: string; hubProjectId: string | undefined; query: string | undefined },
): Promise<Cohort> {
  const stored = await findCohort(state, projectId, { signal })
  if (cohortSource === undefined || (query === undefined && stored?.queriedAt !== undefined)) {
    return stored ?? emptyCohort
  }
  const asked = query ?? (await registeredQuery(state, projectId))
  if (asked === undefined || asked.trim() === '') return stored ?? emptyCohort
  const given = await cohortSource({ projectId, hubProjectId, query: asked }, { signal })
  return { ...(stored ?? emptyCohort), queried: cleanAccessionNumbers(given).accessionNumbers }
}

async function registeredQuery(state: ObjectStore, projectId: string): Promise<string | undefined> {
  const registration = await findRegistration(state, projectId)
  return registration?.hubProject?.query ?? registration?.query
}

function countsOf(standings: readonly Standing[]): Pick<ImportStatus, 'states' | 'classes'> {
  const states: Partial<Record<StudyState, number>> = {}
  const classes = { successful: 0, failed: 0, processing: 0, queued: 0, queue_failed: 0 }
  for (const { state } of standings) {
    states[state] = (states[state] ?? 0) + 1
    classes[flipClassOf[state]] += 1
  }
  return { states, classes }
}
