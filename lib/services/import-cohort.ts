// One project's import, planned: who of the cohort stands where, and who is asked for now.
import pLimit from 'p-limit'
import type { ObjectStore } from '../aws/objects.ts'
import type { Queue } from '../aws/queue.ts'
import { AppError, isHopeless } from '../errors.ts'
import { type AssessRules, assessCohort, type Standing } from '../imports/assess.ts'
import { checkUnchecked } from '../imports/check-sessions.ts'
import { membersOf } from '../imports/cohort.ts'
import { readEvidence } from '../imports/evidence.ts'
import { forgetImport } from '../imports/forget-import.ts'
import { release, releaseForgotten, reserve } from '../imports/import-gate.ts'
import {
  beginAttempts,
  endClearing,
  keepOutcomes,
  keepStandings,
  rebuildLedger,
  restartPlans,
} from '../imports/keep-ledger.ts'
import {
  type Ledger,
  type LedgerEntry,
  newLedger,
  readLedger,
  requestIdPrefix,
  writeLedger,
} from '../imports/ledger.ts'
import { clearLeftover, type Leftover } from '../imports/leftovers.ts'
import { type ImportMessage, maxStudiesPerOrder, type StudiesOrder } from '../imports/messages.ts'
import { pacsReadiness } from '../imports/pacs-readiness.ts'
import { type CohortDeps, type RenewedCohort, renewCohort } from '../imports/renew-cohort.ts'
import { type StudyState, studyStates } from '../imports/study-state.ts'
import { subjectLabelOf } from '../imports/subject-label.ts'
import type { Logger } from '../log.ts'
import {
  findRegistration,
  forgetRegistration,
  type Registration,
  registerImport,
} from '../provisioning/registration.ts'
import type { XnatClient } from '../xnat/client.ts'
import { countQueuedRequests } from '../xnat/dqr-import.ts'
import { findProject } from '../xnat/projects.ts'

export interface ImportSettings extends AssessRules {
  /** The most requests that DQR may hold, for all projects together. */
  mostOutstanding: number
  /** IANA name of the zone that XNAT's server lives in. */
  timeZone: string
}

export interface ImportDeps extends CohortDeps {
  xnat: XnatClient
  state: ObjectStore
  /** Orders for whoever asks the PACS. */
  studies: Queue
  log: Logger
  signal: AbortSignal
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
  const room = await begin(run, due.toSorted(byDueTime), readiness.pacsId)
  setWaiting(run, cohort.fault ?? (room < due.length ? 'NO_ROOM' : undefined))
  await save(run)
  const requested = await sendOrders(run, standings, readiness.pacsId)
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

/** How long an order may lie before it is acted on, and how long after that whoever acts on it may still be at it. */
const orderMs = 60 * 60_000
const actingMs = 20 * 60_000

/** Begins an attempt for as many as there is room for, and says for how many. */
async function begin(run: Run, due: readonly Standing[], pacsId: number): Promise<number> {
  const { deps, projectId, ledger, nowMs } = run
  const { xnat, state, signal, importing } = deps
  if (due.length === 0) return 0
  const gate = { state, signal, nowMs }
  await releaseForgotten(gate, projectId, new Set(ledger.leases.map(({ requestId }) => requestId)))
  const round = ledger.leases.length
  const expiresAtMs = nowMs + orderMs + actingMs
  const leases = await reserve(gate, {
    projectId,
    wanted: due.length,
    perLease: maxStudiesPerOrder,
    most: importing.mostOutstanding,
    expiresAtMs,
    requestIdOf: (number) => `${requestIdPrefix}${ledger.id}-${round + number}`,
    countOutstanding: async () => {
      run.seen.outstanding = await countQueuedRequests(xnat, { all: true, signal })
      return run.seen.outstanding
    },
  })
  let begun = 0
  for (const { requestId, studies } of leases) {
    beginAttempts(ledger, due.slice(begun, begun + studies), { requestId, atMs: nowMs, expiresAtMs, pacsId })
    begun += studies
  }
  return begun
}

/**
 * Sends the orders of all leases that may not have been sent, with nothing of earlier attempts in their way, then writes
 * down that they were. Says how many studies are asked for by them.
 */
async function sendOrders(run: Run, standings: readonly Standing[], pacsId: number): Promise<number> {
  const { deps, ledger, nowMs } = run
  if (ledger.unsent.length === 0) return 0
  await clearWays(run)
  const orders = ledger.unsent.flatMap((number) => orderFor(run, number, standings, pacsId) ?? [])
  await deps.studies.send(orders.map((order) => ({ body: JSON.stringify(order) })))
  const sent = new Set(orders.map(({ requestId }) => requestId))
  const empty = ledger.unsent.flatMap((number) => ledger.leases[number]?.requestId ?? []).filter((id) => !sent.has(id))
  if (empty.length > 0) await release({ ...deps, nowMs }, new Set(empty))
  ledger.unsent = []
  await save(run)
  return orders.reduce((sum, { wanted }) => sum + wanted.length, 0)
}

/** XNAT calls under way at a time while leftovers are cleared away. */
const clearedAtATime = 4

/** What cannot be cleared away keeps its own study waiting, and no other. */
async function clearWays({ deps, projectId, ledger }: Run): Promise<void> {
  const clear = async (leftover: Leftover): Promise<boolean> => {
    try {
      const isGone = await clearLeftover(deps, leftover)
      if (isGone) deps.log.info('leftover cleared', { projectId, outcome: leftover.kind })
      return isGone
    } catch (error) {
      if (!isHopeless(error)) throw error
      deps.log.warn('leftover not cleared', { projectId, outcome: leftover.kind, code: error.code })
      return false
    }
  }
  const limit = pLimit(clearedAtATime)
  const clearAll = async ([accessionNumber, { clearing = [] }]: [string, LedgerEntry]): Promise<void> => {
    const gone: Leftover[] = []
    for (const leftover of clearing) if (await clear(leftover)) gone.push(leftover)
    endClearing(ledger, accessionNumber, gone)
  }
  const inTheWay = [...ledger.entries].filter(([, { clearing }]) => clearing !== undefined)
  await Promise.all(inTheWay.map((entry) => limit(clearAll, entry)))
}

function orderFor(
  { projectId, ledger }: Run,
  number: number,
  standings: readonly Standing[],
  pacsId: number,
): StudiesOrder | undefined {
  const lease = ledger.leases[number]
  const wanted = standings.flatMap(({ accessionNumber, settledStudies }) => {
    const entry = ledger.entries.get(accessionNumber)
    const [lastLease, code] = entry?.attempts.at(-1) ?? []
    if (lastLease !== number || code !== 'SENT') return []
    return [
      {
        accessionNumber,
        subjectLabel: subjectLabelOf(ledger.salt, accessionNumber),
        ...(entry?.studies !== undefined && { known: entry.studies }),
        ...(settledStudies.length > 0 && { settled: [...settledStudies] }),
      },
    ]
  })
  if (lease === undefined || wanted.length === 0) return undefined
  const { requestId, atMs } = lease
  const expiresAtMs = lease.expiresAtMs - actingMs
  const { historyReadTo } = ledger
  return { projectId, pacsId: lease.pacsId ?? pacsId, requestId, atMs, expiresAtMs, historyReadTo, wanted }
}
