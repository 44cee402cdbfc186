// Evidence and ledger -> where each accession number of the cohort stands, why, and what may be done about it. Pure.
import { refusedNumbers, sessionLabelOf } from './accession-numbers.ts'
import { assessStudy, type StudyFinding, type StudyView } from './assess-study.ts'
import type { Evidence } from './evidence.ts'
import { type EvidenceIndex, indexEvidence } from './evidence-index.ts'
import { countedAttempts, type Ledger, type LedgerEntry, lastLease } from './ledger.ts'
import type { Leftover, LeftoverPolicy } from './leftovers.ts'
import { nextAttemptAt, type RetryPlan } from './retry-plan.ts'
import type { SessionCheck } from './session-check.ts'
import type { ReasonCode, StudyState } from './study-state.ts'

export interface AssessRules {
  retryPlan: RetryPlan
  /** What has not moved for so long, and is not finished, is stalled. */
  stallAfterMs: number
  leftovers: LeftoverPolicy
}

/** Where one accession number stands. Times in milliseconds since 1970. */
export interface Standing {
  accessionNumber: string
  state: StudyState
  reason?: ReasonCode
  attempts: number
  lastAttemptMs?: number
  /** When it may be asked for again, 0 for at once; absent while it must not, or need not. */
  nextAttemptMs?: number
  /** What stands in the way of another attempt and may be cleared away for it. */
  leftovers: readonly Leftover[]
  /** Its studies that are not to be asked for again: they are there, on their way, or left as they are. */
  settledStudies: readonly string[]
  findings: readonly StudyFinding[]
}

export interface AssessInput {
  cohort: readonly string[]
  ledger: Ledger
  evidence: Evidence
  /** What counting the files of sessions gave, by experiment ID. */
  checks: ReadonlyMap<string, SessionCheck>
  rules: AssessRules
  nowMs: number
}

/** One standing for each of the cohort, in its order: the counts add up to it. */
export function assessCohort(input: AssessInput): Standing[] {
  const refused = refusedNumbers(input.cohort)
  const index = indexEvidence(input.evidence, input.cohort)
  return input.cohort.map((accessionNumber) =>
    refused.has(accessionNumber) ? unusable(accessionNumber) : assess(accessionNumber, input, index),
  )
}

const unusable = (accessionNumber: string): Standing => ({
  accessionNumber,
  state: 'refused',
  reason: 'UNSAFE_NUMBER',
  attempts: 0,
  leftovers: [],
  settledStudies: [],
  findings: [],
})

function assess(accessionNumber: string, input: AssessInput, index: EvidenceIndex): Standing {
  const entry = input.ledger.entries.get(accessionNumber)
  const findings = viewsOf(accessionNumber, entry, input, index).map((view) => assessStudy(view, input))
  const worst = worstOf(findings)
  const { state, reason } = worst
  const open = findings.filter((finding) => !finding.isBlocked)
  const lease = lastLease(input.ledger, entry)
  const standing: Standing = {
    accessionNumber,
    state,
    ...(reason !== undefined && { reason }),
    attempts: entry?.attempts.length ?? 0,
    ...(lease !== undefined && { lastAttemptMs: lease.atMs }),
    leftovers: open.flatMap((finding) => finding.leftovers),
    settledStudies: findings.flatMap(({ uid, ...finding }) => (uid !== undefined && isSettled(finding) ? [uid] : [])),
    findings,
  }
  if (state === 'waiting') return { ...standing, nextAttemptMs: 0 }
  if (!open.some((finding) => canRetry.has(finding.state)) || isUnderWay(entry, input)) return standing
  const attempts = entry === undefined ? 0 : countedAttempts(entry)
  const nextAttemptMs = nextAttemptAt(input.rules.retryPlan, attempts, lease?.atMs ?? 0)
  return nextAttemptMs === undefined ? { ...standing, state: 'exhausted' } : { ...standing, nextAttemptMs }
}

/** Its order is still on its way to XNAT, or about to be sent there. */
function isUnderWay(entry: LedgerEntry | undefined, { ledger, nowMs }: AssessInput): boolean {
  const [number, code] = entry?.attempts.at(-1) ?? []
  if (number === undefined || code !== 'SENT') return false
  return ledger.unsent.includes(number) || nowMs <= (ledger.leases[number]?.expiresAtMs ?? 0)
}

const canRetry: ReadonlySet<StudyState> = new Set(['incomplete', 'failed', 'stalled', 'not-found', 'ambiguous'])

/** XNAT has it, or is about to, or it is left as it is. What is on order is not: the order may have to be sent again. */
const isSettled = ({ state, isBlocked, isOnOrder }: Pick<StudyFinding, 'state' | 'isBlocked' | 'isOnOrder'>) =>
  isBlocked || state === 'verified' || state === 'processing' || (state === 'queued' && isOnOrder !== true)

/** From what counts most to what counts least, when the studies of one accession number stand differently. */
const severity: readonly StudyState[] = [
  'failed',
  'incomplete',
  'stalled',
  'not-found',
  'ambiguous',
  'waiting',
  'processing',
  'queued',
  'verified',
]

function worstOf(findings: readonly StudyFinding[]): StudyFinding {
  const [first, ...others] = findings
  if (first === undefined) throw new Error('an accession number has at least one study to look at')
  const rank = ({ state, isBlocked }: StudyFinding) => severity.indexOf(state) * 2 + (isBlocked ? 1 : 0)
  return others.reduce((worst, finding) => (rank(finding) < rank(worst) ? finding : worst), first)
}

function viewsOf(
  accessionNumber: string,
  entry: LedgerEntry | undefined,
  input: AssessInput,
  index: EvidenceIndex,
): StudyView[] {
  const known = entry?.studies ?? []
  const lease = lastLease(input.ledger, entry)
  const common = { accessionNumber, entry, lease, isUnderWay: isUnderWay(entry, input) }
  // Without a word of the ledger, the session of the accession number's own label is the one to look at.
  const studies = known.length > 0 ? known : [[undefined, sessionLabelOf(accessionNumber)] as const]
  return studies.map(([uid, label]) => ({
    ...common,
    uid,
    label,
    rows: index.rowsOf({ accessionNumber: known.length > 1 ? undefined : accessionNumber, uid, label }),
  }))
}
