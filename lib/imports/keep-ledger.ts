// Standings and outcomes -> the ledger. What the evidence may forget, the ledger keeps.

import { sessionLabelOf } from './accession-numbers.ts'
import type { Standing } from './assess.ts'
import { labelStudies } from './choose-study.ts'
import type { Evidence } from './evidence.ts'
import { type Lease, type Ledger, type LedgerEntry, newLedger, requestIdPrefix } from './ledger.ts'
import type { Leftover } from './leftovers.ts'
import type { Outcome } from './messages.ts'

const entryOf = (ledger: Ledger, accessionNumber: string): LedgerEntry =>
  ledger.entries.get(accessionNumber) ?? { attempts: [] }

/** Writes down what was seen: sessions that are there with their files, since when things stand still, how attempts ended. */
export function keepStandings(
  ledger: Ledger,
  standings: readonly Standing[],
  { evidence, nowMs }: { evidence: Evidence; nowMs: number },
): void {
  for (const standing of standings) {
    const { accessionNumber } = standing
    const kept = withFindings(entryOf(ledger, accessionNumber), standing, { evidence, nowMs })
    if (ledger.entries.has(accessionNumber) || saysAnything(kept)) ledger.entries.set(accessionNumber, kept)
  }
  ledger.historyReadTo = evidence.historyReadTo
  ledger.lookedAtMs = nowMs
}

function withFindings(
  entry: LedgerEntry,
  { state, findings }: Standing,
  { evidence, nowMs }: { evidence: Evidence; nowMs: number },
): LedgerEntry {
  const { moving: before, seen: _seen, verified: _verified, ...rest } = entry
  const seen = findings.flatMap(
    ({ uid, seen: row }): NonNullable<LedgerEntry['seen']> =>
      row === undefined || row.id > evidence.historyReadTo
        ? []
        : [[uid ?? '', row.id, row.status, row.atMs, row.isEmpty]],
  )
  const mark = findings.flatMap((finding) => finding.mark ?? []).join('\n')
  const isVerified = state === 'verified'
  const verified = findings.flatMap((finding) => (finding.state === 'verified' ? (finding.experimentId ?? []) : []))
  const attempts = isVerified ? endedWith(entry.attempts, 'VERIFIED') : entry.attempts
  return {
    ...rest,
    attempts,
    ...(verified.length > 0 && { verified }),
    ...(seen.length > 0 && !isVerified && { seen }),
    ...(mark !== '' && !isVerified && { moving: before?.[0] === mark ? before : [mark, nowMs] }),
  }
}

const saysAnything = ({ attempts, ...rest }: LedgerEntry) => attempts.length > 0 || Object.keys(rest).length > 0

function endedWith(attempts: LedgerEntry['attempts'], code: string): LedgerEntry['attempts'] {
  const last = attempts.at(-1)
  return last === undefined || last[1] === code ? attempts : [...attempts.slice(0, -1), [last[0], code]]
}

/** Begins an attempt for these: until its outcome is known it is `SENT`. */
export function beginAttempts(ledger: Ledger, standings: readonly Standing[], lease: Lease): void {
  const number = ledger.leases.push(lease) - 1
  ledger.unsent.push(number)
  for (const { accessionNumber, state, reason, leftovers } of standings) {
    const { held: _held, ...entry } = entryOf(ledger, accessionNumber)
    // What waits has no outcome to tell: its last attempt ended before.
    const ended = reason === undefined || state === 'waiting' ? entry.attempts : endedWith(entry.attempts, reason)
    const begun: LedgerEntry = { ...entry, attempts: [...ended, [number, 'SENT']] }
    ledger.entries.set(
      accessionNumber,
      leftovers.length > 0 ? { ...begun, clearing: [...leftovers] } : withoutPast(begun),
    )
  }
}

/** Writes down what is gone from the way of the newest attempt. Where that is not all, there is no attempt. */
export function endClearing(ledger: Ledger, accessionNumber: string, gone: readonly Leftover[]): void {
  const { clearing = [], ...entry } = entryOf(ledger, accessionNumber)
  const number = entry.attempts.at(-1)?.[0] ?? 0
  const cleared = [...(entry.cleared ?? []), ...gone.map(({ kind }): [number, string] => [number, kind])]
  const isFree = gone.length === clearing.length
  const kept = isFree ? withoutPast(entry) : { ...entry, attempts: entry.attempts.slice(0, -1) }
  ledger.entries.set(accessionNumber, { ...kept, ...(cleared.length > 0 && { cleared }) })
}

/** What was seen of earlier attempts says nothing of the one that begins. */
function withoutPast({ seen: _seen, moving: _moving, ...entry }: LedgerEntry): LedgerEntry {
  return entry
}

const costless: ReadonlySet<string> = new Set(['PACS_UNREACHABLE', 'PACS_UNKNOWN', 'IMPORT_REFUSED', 'LEASE_EXPIRED'])

/**
 * Takes down what became of an order. What does not belong to the newest attempt is of the past, and left out; so is what
 * is said of one that is known to have reached XNAT.
 */
export function keepOutcomes(ledger: Ledger, requestId: string, outcomes: readonly Outcome[]): void {
  for (const { accessionNumber, code, studies } of outcomes) {
    const entry = ledger.entries.get(accessionNumber)
    const last = entry?.attempts.at(-1)
    if (entry === undefined || last === undefined || ledger.leases[last[0]]?.requestId !== requestId) continue
    if (last[1] === 'REQUESTED' || last[1] === 'VERIFIED') continue
    const attempts = costless.has(code) ? entry.attempts.slice(0, -1) : endedWith(entry.attempts, code)
    ledger.entries.set(accessionNumber, {
      ...entry,
      attempts,
      ...(studies !== undefined && { studies }),
      ...(costless.has(code) && { held: code as LedgerEntry['held'] }),
    })
  }
}

const canRestart: ReadonlySet<string> = new Set([
  'incomplete',
  'failed',
  'stalled',
  'not-found',
  'ambiguous',
  'exhausted',
])

/**
 * Lets the plan begin anew for those that somebody asked for by name. What is there or on its way needs none;
 * an attempt whose order is not sent yet is the first of the new plan.
 */
export function restartPlans(
  ledger: Ledger,
  standings: readonly Standing[],
  accessionNumbers: ReadonlySet<string>,
): void {
  for (const { accessionNumber, state } of standings) {
    const entry = ledger.entries.get(accessionNumber)
    if (entry === undefined || !accessionNumbers.has(accessionNumber) || !canRestart.has(state)) continue
    const [last] = entry.attempts.at(-1) ?? []
    const isBegun = last !== undefined && ledger.unsent.includes(last)
    const restartedAt = entry.attempts.length - (isBegun ? 1 : 0)
    if (restartedAt > 0) ledger.entries.set(accessionNumber, { ...entry, restartedAt })
  }
}

/** A ledger made from DQR's own rows, where the one that was kept is gone or unreadable. */
export function rebuildLedger(evidence: Evidence): Ledger {
  const ledger = newLedger()
  const leaseNumbers = new Map<string, number>()
  // Requests made together may have one time: then the older ID is the earlier.
  const rows = [...evidence.history.toReversed(), ...evidence.queue.toReversed()]
    .filter(({ requestId }) => requestId?.startsWith(requestIdPrefix) === true)
    .toSorted((one, other) => timeOf(one) - timeOf(other))
  for (const row of rows) {
    const { requestId = '', accessionNumber, studyInstanceUid } = row
    if (accessionNumber === undefined) continue
    const atMs = timeOf(row)
    const number = leaseNumbers.get(requestId) ?? ledger.leases.push({ requestId, atMs, expiresAtMs: atMs }) - 1
    leaseNumbers.set(requestId, number)
    const entry = entryOf(ledger, accessionNumber)
    const known = entry.studies ?? []
    const uids = [...new Set([...known.map(([uid]) => uid), studyInstanceUid])]
    const isNew = !entry.attempts.some(([lease]) => lease === number)
    ledger.entries.set(accessionNumber, {
      ...entry,
      attempts: isNew ? [...entry.attempts, [number, 'REQUESTED']] : entry.attempts,
      studies: labelStudies(sessionLabelOf(accessionNumber), uids, known),
    })
  }
  return ledger
}

const timeOf = ({ queuedAtMs, executedAtMs }: Evidence['history'][number]) => queuedAtMs ?? executedAtMs ?? 0
