// The accession numbers of a project as they are known now: heard anew from their source when that was asked for, or has
// not succeeded yet.
import type { ObjectStore } from '../aws/objects.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { cleanAccessionNumbers } from './accession-numbers.ts'
import { type Cohort, emptyCohort, findCohort, writeCohort } from './cohort.ts'
import type { ImportMessage } from './messages.ts'

/** Answers with the accession numbers that a query stands for, as they come. */
export type CohortSource = (
  request: { projectId: string; hubProjectId: string | undefined; query: string },
  options: { signal: AbortSignal },
) => Promise<readonly unknown[]>

export interface CohortDeps {
  state: ObjectStore
  signal: AbortSignal
  log: Logger
  /** Absent where cohorts are only named. */
  cohortSource?: CohortSource | undefined
  now?: () => Date
}

/** As much of a registration as tells a cohort. */
export interface CohortOwner {
  projectId: string
  hubProject?: { hubProjectId: string; query: string } | undefined
  query?: string | undefined
  secondaryId?: string | undefined
}

export interface RenewedCohort {
  members: Cohort
  /** Why the source was not heard. */
  fault?: string
  /** Whether what is known from earlier may be imported meanwhile. */
  mayImport: boolean
}

export async function renewCohort(
  deps: CohortDeps,
  owner: CohortOwner,
  message: Exclude<ImportMessage, { kind: 'outcomes' }>,
  waitingCode: string | undefined,
): Promise<RenewedCohort> {
  const { state, signal, log, cohortSource, now = () => new Date() } = deps
  const { projectId, hubProject } = owner
  const known = (await findCohort(state, projectId, { signal })) ?? emptyCohort
  const members = message.kind === 'name' ? withNamed(known, message.accessionNumbers) : known
  const keep = async (cohort: Cohort) => {
    if (cohort !== known) await writeCohort(state, projectId, cohort, { signal })
    return cohort
  }

  const query = (message.kind === 'look' ? message.query : undefined) ?? hubProject?.query ?? owner.query ?? ''
  const isAsked = message.kind === 'look' && message.cause === 'asked'
  const isOwed = known.queriedAt === undefined || waitingCode?.startsWith('COHORT_') === true
  if (cohortSource === undefined || query.trim() === '' || !(isAsked || isOwed)) {
    return { members: await keep(members), mayImport: true }
  }
  try {
    const given = await cohortSource(
      { projectId, hubProjectId: hubProject?.hubProjectId ?? owner.secondaryId, query },
      { signal },
    )
    const { accessionNumbers, dropped } = cleanAccessionNumbers(given)
    log.info('cohort heard', { projectId, studies: accessionNumbers.length, refused: dropped })
    const heard = { ...members, queried: accessionNumbers, dropped, queriedAt: now().toISOString() }
    return { members: await keep(heard), mayImport: true }
  } catch (error) {
    if (!(error instanceof AppError) || signal.aborted) throw error
    log.warn('cohort not heard', { projectId, code: error.code, retry: error.retry })
    return { members: await keep(members), fault: error.code, mayImport: error.code !== 'COHORT_BELOW_THRESHOLD' }
  }
}

/** What the query yields stays the query's: who asks for it once more does not keep it when the query drops it. */
function withNamed(known: Cohort, given: readonly string[]): Cohort {
  const queried = new Set(known.queried)
  const added = given.filter((accessionNumber) => !queried.has(accessionNumber))
  return { ...known, named: cleanAccessionNumbers([...known.named, ...added]).accessionNumbers }
}
