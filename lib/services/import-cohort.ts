// One project's import, planned: who of the cohort stands where, and who is asked for now.
import { AppError } from '../errors.ts'
import { type AssessRules, assessCohort, type Standing } from '../imports/assess.ts'
import { checkUnchecked } from '../imports/check-sessions.ts'
import { membersOf } from '../imports/cohort.ts'
import { readEvidence } from '../imports/evidence.ts'
import { forgetImport } from '../imports/forget-import.ts'
import { release } from '../imports/import-gate.ts'
import { keepOutcomes, keepStandings, rebuildLedger, restartPlans } from '../imports/keep-ledger.ts'
import { type Ledger, newLedger, readLedger, writeLedger } from '../imports/ledger.ts'
import type { ImportMessage } from '../imports/messages.ts'
import { beginRound, type RoundDeps, sendOrders } from '../imports/order-studies.ts'
import { pacsReadiness } from '../imports/pacs-readiness.ts'
import { type CohortDeps, type RenewedCohort, renewCohort } from '../imports/renew-cohort.ts'
import { type StudyState, studyStates } from '../imports/study-state.ts'
import {
  findRegistration,
  forgetRegistration,
  type Registration,
  registerImport,
} from '../provisioning/registration.ts'
import { findProject } from '../xnat/projects.ts'

export interface ImportSettings extends AssessRules {
  mostOutstanding: RoundDeps['importing']['mostOutstanding']
  /** IANA name of the zone that XNAT's server lives in. */
  timeZone: string
}

export interface ImportDeps extends CohortDeps, RoundDeps {
  importing: ImportSettings
  imaging: { fallbackPacsId: number | undefined }
  now?: () => Date
}

export interface ImportTally {
  /** How many of the cohort were asked for by this run. */
  requested: number
  /** Why no more were, when more are due. */
  waiting?: string
  /** The code of the error that ended a look of the sweep. */
  failed?: string
  /** How many of the cohort stand where, when it was looked at. */
  states?: ReadonlyMap<StudyState, number>
  /** What DQR held for all projects, when that was asked. */
  outstanding?: number
}

const nothing: ImportTally = { requested: 0 }

/**
 * Takes one message of a project to heart: what became of an order, accession numbers given by name, or a look at the
 * whole cohort, after which what is due has been asked for, within the bound on outstanding requests.
 *
 * Safe to repeat after it died anywhere. What is asked for is written down before it is sent, and an order that may not
 * have been sent is sent again by the next look; whoever acts on it twice sees it in DQR.
 *
 * @throws {ImportError} LEDGER_BUSY, IMPORT_GATE_BUSY
 */
export async function importCohort(deps: ImportDeps, message: ImportMessage): Promise<ImportTally> {
  const { projectId } = message
  if (message.kind === 'outcomes') return takeOutcomes(deps, message)
  const registration = await registrationFor(deps, message)
  const tally = registration === undefined ? nothing : await plan(deps, registration, message)
  // The project was deleted while the message, or this run, was under way: what it wrote goes too.
  const isRegistered = registration !== undefined && (await findRegistration(deps.state, projectId)) !== undefined
  if (!isRegistered) await forgetImport(deps.state, projectId)
  return tally
}

async function plan(deps: ImportDeps, registration: Registration, message: LookMessage): Promise<ImportTally> {
  const run = await openRun(deps, message.projectId)
  if (message.kind === 'look' && message.cause === 'sweep') return lookAgain(run, registration, message)
  return lookAtAll(run, registration, message)
}

type LookMessage = Exclude<ImportMessage, { kind: 'outcomes' }>

/** A look of the sweep. One that fails is not repeated: the next sweep comes before that would help. */
async function lookAgain(run: Run, registration: Registration, message: LookMessage): Promise<ImportTally> {
  if (isAtRest(run)) return nothing
  try {
    return await lookAtAll(run, registration, message)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { requested: 0, failed: error.code }
  }
}

async function lookAtAll(run: Run, registration: Registration, message: LookMessage): Promise<ImportTally> {
  const { deps } = run
  const cohort = await renewCohort(deps, registration, message, run.ledger.waiting?.code)
  return look(run, cohort, new Set(message.kind === 'name' ? message.accessionNumbers : []))
}

/** The work on one project, from reading its ledger to writing it. */
interface Run {
  deps: ImportDeps
  projectId: string
  ledger: Ledger
  /** There was no ledger that could be read: it is to be made from DQR's history. */
  isNew: boolean
  etag: string | undefined
  nowMs: number
  /** What it came across, for the tally. */
  seen: Pick<ImportTally, 'states' | 'outstanding'>
}

async function openRun(deps: ImportDeps, projectId: string): Promise<Run> {
  const nowMs = (deps.now?.() ?? new Date()).getTime()
  const stored = await readLedger(deps.state, projectId, { signal: deps.signal })
  const run = { deps, projectId, nowMs, etag: stored.etag, seen: {} }
  return stored.kind === 'found'
    ? { ...run, ledger: stored.ledger, isNew: false }
    : { ...run, ledger: newLedger(), isNew: true }
}

async function takeOutcomes(
  deps: ImportDeps,
  { projectId, requestId, outcomes }: Extract<ImportMessage, { kind: 'outcomes' }>,
): Promise<ImportTally> {
  const { state, signal } = deps
  const run = await openRun(deps, projectId)
  // Without a ledger the next look makes one, of what DQR has of this order too.
  if (!run.isNew) {
    keepOutcomes(run.ledger, requestId, outcomes)
    await save(run)
  }
  await release({ state, signal, nowMs: run.nowMs }, new Set([requestId]))
  return nothing
}

// Sweeps that piled up behind a long run find that all was looked at a moment ago.
const restsForMs = 20_000

const isAtRest = ({ ledger, nowMs }: Run) =>
  ledger.unsent.length === 0 && (ledger.isSettled || nowMs - ledger.lookedAtMs < restsForMs)

/** How the project is registered; one that others made is, when it is first asked for. */
async function registrationFor(deps: ImportDeps, message: LookMessage): Promise<Registration | undefined> {
  const { xnat, state, signal, now = () => new Date() } = deps
  const { projectId } = message
  const known = await findRegistration(state, projectId)
  if (known !== undefined || (message.kind === 'look' && message.cause === 'sweep')) return known
  const project = await findProject(xnat, projectId, { signal })
  if (project === undefined) return undefined
  const query = message.kind === 'look' ? message.query : undefined
  const registration = await registerImport(state, { projectId, query, secondaryId: project.secondaryId }, now)
  if ((await findProject(xnat, projectId, { signal })) !== undefined) return registration
  // It was deleted meanwhile, perhaps before there was a registration to forget.
  await forgetRegistration(state, projectId)
  return undefined
}

async function look(run: Run, cohort: RenewedCohort, named: ReadonlySet<string>): Promise<ImportTally> {
  const { deps, projectId, nowMs } = run
  const { xnat, signal } = deps
  if ((await findProject(xnat, projectId, { signal })) === undefined) {
    // A ledger that is not there yet is made when there is a history to make it from.
    return run.isNew ? { requested: 0, waiting: 'PROJECT_MISSING' } : wait(run, 'PROJECT_MISSING')
  }
  const evidence = await readEvidence(deps, projectId, { readHistoryAfter: run.ledger.historyReadTo, nowMs })
  if (run.isNew) {
    run.ledger = rebuildLedger(evidence)
    deps.log.info('ledger made from the history', { projectId, studies: run.ledger.entries.size })
  }
  const { ledger } = run
  const input = { cohort: membersOf(cohort.members), ledger, evidence, rules: deps.importing, nowMs }
  const checked = { ...input, checks: await checkUnchecked(deps, input) }
  restartPlans(ledger, assessCohort(checked), named)
  const standings = assessCohort(checked)
  keepStandings(ledger, standings, { evidence, nowMs })
  run.seen.states = countStates(standings)
  ledger.isSettled = cohort.fault === undefined && standings.every(({ state }) => atTheEnd.has(state))
  if (cohort.fault !== undefined && !cohort.mayImport) return wait(run, cohort.fault)

  const due = standings.filter(({ nextAttemptMs = Number.POSITIVE_INFINITY }) => nextAttemptMs <= nowMs)
  if (due.length === 0 && ledger.unsent.length === 0) return wait(run, cohort.fault)
  const readiness = await pacsReadiness({ ...deps, ...deps.importing, ...deps.imaging }, new Date(nowMs))
  if (readiness.kind === 'waits') return wait(run, readiness.code)
  const room = await beginRound(run, due.toSorted(byDueTime), readiness.pacsId)
  setWaiting(run, cohort.fault ?? (room < due.length ? 'NO_ROOM' : undefined))
  await save(run)
  const requested = await sendOrders(run, standings, readiness.pacsId)
  if (ledger.unsent.length > 0) {
    ledger.unsent = []
    await save(run)
  }
  return { ...run.seen, requested, ...(ledger.waiting && { waiting: ledger.waiting.code }) }
}

function countStates(standings: readonly Standing[]): Map<StudyState, number> {
  const counts = new Map<StudyState, number>(studyStates.map((state) => [state, 0]))
  for (const { state } of standings) counts.set(state, (counts.get(state) ?? 0) + 1)
  return counts
}

const atTheEnd: ReadonlySet<string> = new Set(['verified', 'refused', 'exhausted'])

const byDueTime = (one: Standing, other: Standing) => (one.nextAttemptMs ?? 0) - (other.nextAttemptMs ?? 0)

async function save(run: Run): Promise<void> {
  const { deps, projectId, ledger } = run
  run.etag = await writeLedger(deps.state, projectId, ledger, run.etag, { signal: deps.signal })
}

function setWaiting({ ledger, nowMs }: Run, code: string | undefined): void {
  if (code === undefined) delete ledger.waiting
  else if (ledger.waiting?.code !== code) ledger.waiting = { code, sinceMs: nowMs }
}

async function wait(run: Run, code: string | undefined): Promise<ImportTally> {
  setWaiting(run, code)
  await save(run)
  return { ...run.seen, requested: 0, ...(code !== undefined && { waiting: code }) }
}
