// What the product itself remembers of a project's import: who was asked for, when, and what became of it. Written by
// import-cohort alone, which works on one project at a time. All else is read from XNAT.
import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { ImportError } from '../errors.ts'
import { parseJson } from '../json.ts'
import { Leftover } from './leftovers.ts'
import { reasonCodes } from './study-state.ts'

const Milliseconds = z.int().nonnegative()

/** One round of requests, under one `requestId` in DQR. */
const Lease = z.object({
  requestId: z.string(),
  atMs: Milliseconds,
  /** From then on nobody acts on its order any more: what shows no trace of it is lost. */
  expiresAtMs: Milliseconds,
  /** Which PACS is asked; absent in a ledger that was rebuilt. */
  pacsId: z.int().optional(),
})
export type Lease = z.infer<typeof Lease>

/** An attempt: the index of its lease, and what became of it: `SENT` until that is known, `REQUESTED` when XNAT took it. */
const Attempt = z.tuple([z.int().nonnegative(), z.string()])

/** A study of the accession number: its StudyInstanceUID and the label of its session. */
const Study = z.tuple([z.string(), z.string()])

/** The newest row of DQR's history for a study, kept once it can no longer change: UID, row ID, status, time, message. */
const SeenRow = z.tuple([z.string(), z.int(), z.string(), Milliseconds, z.boolean()])

const Entry = z.object({
  attempts: z.array(Attempt),
  studies: z.array(Study).optional(),
  /** The sessions whose files were counted and found in every scan, by experiment ID. */
  verified: z.array(z.string()).optional(),
  seen: z.array(SeenRow).optional(),
  /** What its evidence looked like, and since when it has looked so. */
  moving: z.tuple([z.string(), Milliseconds]).optional(),
  /** Why the last request was taken back without costing an attempt. */
  held: z.enum(reasonCodes).optional(),
  /** What is in the way of the newest attempt, and is to be cleared away before it is ordered. */
  clearing: z.array(Leftover).optional(),
  /** What was cleared away before an attempt, by the index of its lease. */
  cleared: z.array(z.tuple([z.int(), z.string()])).optional(),
  /** From this attempt on the plan counts anew: somebody asked for it by name. */
  restartedAt: z.int().optional(),
})
export type LedgerEntry = z.infer<typeof Entry>

const Ledger = z.object({
  version: z.literal(1),
  /** In every `requestId`, so that DQR's rows tell whose they are. */
  id: z.string(),
  /** Secret of the project: subject labels are derived with it, and say nothing without it. */
  salt: z.string(),
  leases: z.array(Lease),
  /** The leases whose messages have perhaps not been sent, by index. */
  unsent: z.array(z.int()),
  /** Rows of DQR's history up to this ID are accounted for in the entries. */
  historyReadTo: z.int(),
  /** Why nothing is asked for at present. */
  waiting: z.object({ code: z.string(), sinceMs: Milliseconds }).optional(),
  lookedAtMs: Milliseconds,
  /** Nothing is left to do until somebody asks for more. */
  isSettled: z.boolean(),
  /** By accession number. A list of pairs in the file: any text may be an accession number, `__proto__` too. */
  entries: z.array(z.tuple([z.string(), Entry])).transform((pairs) => new Map(pairs)),
})
export type Ledger = z.infer<typeof Ledger>

export const requestIdPrefix = 'xnat-conduit-'

export function newLedger(): Ledger {
  return {
    version: 1,
    id: randomBytes(9).toString('base64url'),
    salt: randomBytes(24).toString('base64url'),
    leases: [],
    unsent: [],
    historyReadTo: 0,
    lookedAtMs: 0,
    isSettled: false,
    entries: new Map(),
  }
}

const ledgerKey = (projectId: string) => `ledgers/${projectId}.json`

export type StoredLedger =
  | { kind: 'found'; ledger: Ledger; etag: string }
  /** There is none, or one that cannot be read; its ETag is that of the unreadable one. */
  | { kind: 'none'; etag?: string }

export async function readLedger(
  state: ObjectStore,
  projectId: string,
  options: { signal?: AbortSignal } = {},
): Promise<StoredLedger> {
  const stored = await state.readText(ledgerKey(projectId), options)
  if (stored === undefined) return { kind: 'none' }
  const parsed = Ledger.safeParse(parseJson(stored.text))
  return parsed.success
    ? { kind: 'found', ledger: parsed.data, etag: stored.etag }
    : { kind: 'none', etag: stored.etag }
}

/**
 * Writes the ledger over the version that was read.
 *
 * @throws {ImportError} LEDGER_BUSY when another run wrote it meanwhile; nothing is lost, the work is to be repeated.
 */
export async function writeLedger(
  state: ObjectStore,
  projectId: string,
  ledger: Ledger,
  etag: string | undefined,
  options: { signal?: AbortSignal } = {},
): Promise<string> {
  const text = JSON.stringify({ ...ledger, entries: [...ledger.entries] })
  const outcome = await state.writeText(ledgerKey(projectId), text, {
    ...options,
    contentType: 'application/json',
    ...(etag === undefined ? { ifAbsent: true } : { ifMatch: etag }),
  })
  if (outcome.kind === 'written') return outcome.etag
  throw new ImportError('The ledger was written by another run', { code: 'LEDGER_BUSY', context: { projectId } })
}

export async function forgetLedger(state: ObjectStore, projectId: string): Promise<void> {
  await state.remove(ledgerKey(projectId))
}

/** The lease of the newest attempt. */
export function lastLease(ledger: Ledger, entry: LedgerEntry | undefined): Lease | undefined {
  const last = entry?.attempts.at(-1)
  return last && ledger.leases[last[0]]
}

/** How many attempts the retry plan counts. */
export const countedAttempts = ({ attempts, restartedAt = 0 }: LedgerEntry) => attempts.length - restartedAt
