// A round of requests: attempts that begin in the ledger, what is in their way, and the orders for whoever asks the PACS.
import pLimit from 'p-limit'
import type { ObjectStore } from '../aws/objects.ts'
import type { Queue } from '../aws/queue.ts'
import { isHopeless } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { XnatClient } from '../xnat/client.ts'
import { countQueuedRequests } from '../xnat/dqr-import.ts'
import type { Standing } from './assess.ts'
import { release, releaseForgotten, reserve } from './import-gate.ts'
import { beginAttempts, endClearing } from './keep-ledger.ts'
import { type Ledger, type LedgerEntry, requestIdPrefix } from './ledger.ts'
import { clearLeftover, type Leftover } from './leftovers.ts'
import { maxStudiesPerOrder, type StudiesOrder } from './messages.ts'
import { subjectLabelOf } from './subject-label.ts'

export interface RoundDeps {
  xnat: XnatClient
  state: ObjectStore
  /** Orders for whoever asks the PACS. */
  studies: Queue
  log: Logger
  signal: AbortSignal
  importing: {
    /** The most requests that DQR may hold, for all projects together. */
    mostOutstanding: number
  }
}

export interface Round {
  deps: RoundDeps
  projectId: string
  ledger: Ledger
  nowMs: number
  seen: {
    /** What DQR held for all projects, when that was asked. */
    outstanding?: number
  }
}

/** How long an order may lie before it is acted on, and how long after that whoever acts on it may still be at it. */
const orderMs = 60 * 60_000
const actingMs = 20 * 60_000

/** Begins an attempt for as many as there is room for, and says for how many. */
export async function beginRound(run: Round, due: readonly Standing[], pacsId: number): Promise<number> {
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
 * Sends the orders of all leases that may not have been sent, with nothing of earlier attempts in their way. Says how many
 * studies are asked for by them. The caller writes down that they were sent.
 */
export async function sendOrders(run: Round, standings: readonly Standing[], pacsId: number): Promise<number> {
  const { deps, ledger, nowMs } = run
  if (ledger.unsent.length === 0) return 0
  await clearWays(run)
  const orders = ledger.unsent.flatMap((number) => orderFor(run, number, standings, pacsId) ?? [])
  await deps.studies.send(orders.map((order) => ({ body: JSON.stringify(order) })))
  const sent = new Set(orders.map(({ requestId }) => requestId))
  const empty = ledger.unsent.flatMap((number) => ledger.leases[number]?.requestId ?? []).filter((id) => !sent.has(id))
  if (empty.length > 0) await release({ ...deps, nowMs }, new Set(empty))
  return orders.reduce((sum, { wanted }) => sum + wanted.length, 0)
}

/** XNAT calls under way at a time while leftovers are cleared away. */
const clearedAtATime = 4

/** What cannot be cleared away keeps its own study waiting, and no other. */
async function clearWays({ deps, projectId, ledger }: Round): Promise<void> {
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
  { projectId, ledger }: Round,
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
