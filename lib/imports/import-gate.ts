// How many requests may be under way to DQR, for all projects together. What is promised to a planner and not yet in
// DQR's queue is written here, in one object that is changed only over the version that was read.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { ImportError } from '../errors.ts'
import { parseJson } from '../json.ts'

const Reservation = z.object({
  projectId: z.string(),
  requestId: z.string(),
  studies: z.int().positive(),
  expiresAtMs: z.int(),
})

const Gate = z.object({ reservations: z.array(Reservation) })
type Gate = z.infer<typeof Gate>

const gateKey = 'import-gate.json'
const tries = 20

export interface GateDeps {
  state: ObjectStore
  signal: AbortSignal
  nowMs: number
}

/**
 * Promises room for up to `wanted` studies and says for how many, in leases of at most `perLease`. `countOutstanding` is
 * asked after the promises were read and before the new ones are written: a promise that became a request meanwhile is
 * counted twice, never not at all.
 *
 * @throws {ImportError} IMPORT_GATE_BUSY when others were faster every time.
 */
export async function reserve(
  deps: GateDeps,
  request: {
    projectId: string
    wanted: number
    perLease: number
    most: number
    expiresAtMs: number
    requestIdOf: (leaseNumber: number) => string
    countOutstanding: () => Promise<number>
  },
): Promise<{ requestId: string; studies: number }[]> {
  const { projectId, wanted, perLease, most, expiresAtMs } = request
  let granted: Reservations = []
  await change(deps, async (reservations) => {
    const promised = reservations.reduce((sum, { studies }) => sum + studies, 0)
    let room = Math.min(wanted, most - promised - (await request.countOutstanding()))
    granted = []
    for (; room > 0; room -= perLease) {
      const requestId = request.requestIdOf(granted.length)
      granted.push({ projectId, requestId, studies: Math.min(room, perLease), expiresAtMs })
    }
    return [...reservations, ...granted]
  })
  return granted.map(({ requestId, studies }) => ({ requestId, studies }))
}

/** Takes back what was promised for studies that have been asked for, or will not be. Doing it twice is once. */
export async function release(deps: GateDeps, requestIds: ReadonlySet<string>): Promise<void> {
  await change(deps, async (reservations) => reservations.filter(({ requestId }) => !requestIds.has(requestId)))
}

/** Takes back promises to the project that its ledger knows nothing of: their planner died in between. */
export async function releaseForgotten(deps: GateDeps, projectId: string, known: ReadonlySet<string>): Promise<void> {
  await change(deps, async (reservations) =>
    reservations.filter((each) => each.projectId !== projectId || known.has(each.requestId)),
  )
}

type Reservations = Gate['reservations']

async function change(deps: GateDeps, act: (current: Reservations) => Promise<Reservations>): Promise<void> {
  const { state, signal, nowMs } = deps
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const stored = await state.readText(gateKey, { signal })
    const parsed = Gate.safeParse(parseJson(stored?.text ?? ''))
    const before = parsed.success ? parsed.data.reservations : []
    const current = before.filter(({ expiresAtMs }) => expiresAtMs > nowMs)
    const after = await act(current)
    if (after.length === before.length && after.every((each, index) => each === before[index])) return
    const outcome = await state.writeText(gateKey, JSON.stringify({ reservations: after }), {
      signal,
      contentType: 'application/json',
      ...(stored === undefined ? { ifAbsent: true } : { ifMatch: stored.etag }),
    })
    if (outcome.kind === 'written') return
  }
  throw new ImportError('Too many planners ask for room at once', { code: 'IMPORT_GATE_BUSY' })
}
