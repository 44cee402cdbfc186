import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { ImportError } from '../../lib/errors.ts'
import { release, releaseForgotten, reserve } from '../../lib/imports/import-gate.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'

let aws: LocalAws
let state: ObjectStore
beforeEach(async () => {
  aws = await startLocalAws()
  state = await aws.bucket('state')
})
afterEach(() => aws.stop())

const nowMs = 1_000_000
const deps = (atMs = nowMs) => ({ state, signal: new AbortController().signal, nowMs: atMs })

interface Wish {
  projectId?: string
  wanted?: number
  perLease?: number
  most?: number
  outstanding?: () => number
  expiresAtMs?: number
  atMs?: number
}

async function ask({ projectId = 'P1', wanted = 10, perLease = 4, most = 25, outstanding = () => 0, ...rest }: Wish) {
  return reserve(deps(rest.atMs), {
    projectId,
    wanted,
    perLease,
    most,
    expiresAtMs: rest.expiresAtMs ?? nowMs + 1_000,
    requestIdOf: (number) => `${projectId}-${number}`,
    countOutstanding: async () => outstanding(),
  })
}

const sizes = (granted: readonly { studies: number }[]) => granted.map(({ studies }) => studies)

describe('room for requests', () => {
  it('is given in leases of a size, each under a name of its own', async () => {
    expect(await ask({})).toEqual([
      { requestId: 'P1-0', studies: 4 },
      { requestId: 'P1-1', studies: 4 },
      { requestId: 'P1-2', studies: 2 },
    ])
  })

  it('is what DQR and the promises to others leave', async () => {
    await ask({ projectId: 'P1', wanted: 12 })

    expect(sizes(await ask({ projectId: 'P2', wanted: 12, outstanding: () => 3 }))).toEqual([4, 4, 2])
    expect(await ask({ projectId: 'P3', outstanding: () => 3 })).toEqual([])
  })

  it('is none when DQR holds more than it may', async () => {
    expect(await ask({ outstanding: () => 1_000 })).toEqual([])
  })

  it('comes back when it is released, once however often that is said', async () => {
    await ask({ projectId: 'P1', wanted: 25, perLease: 25 })
    await release(deps(), new Set(['P1-0']))
    await release(deps(), new Set(['P1-0']))

    expect(sizes(await ask({ projectId: 'P2', wanted: 100, perLease: 100 }))).toEqual([25])
  })

  it('comes back by itself when its time is over', async () => {
    await ask({ wanted: 25, expiresAtMs: nowMs + 1_000 })

    expect(await ask({ projectId: 'P2', atMs: nowMs + 999 })).toEqual([])
    expect(sizes(await ask({ projectId: 'P2', atMs: nowMs + 1_000, expiresAtMs: nowMs + 2_000 }))).toEqual([4, 4, 2])
  })

  it('comes back when the ledger knows nothing of it, to that project alone', async () => {
    await ask({ projectId: 'P1', wanted: 8 })
    await ask({ projectId: 'P2', wanted: 8 })
    await releaseForgotten(deps(), 'P1', new Set(['P1-1']))

    expect(sizes(await ask({ projectId: 'P3', wanted: 100, perLease: 100 }))).toEqual([25 - 4 - 8])
  })

  it('is given anew where its record cannot be read', async () => {
    await state.writeText('import-gate.json', '{"reservations": [{"pro')

    expect(sizes(await ask({}))).toEqual([4, 4, 2])
  })
})

/** As SQS hands a message in again, until the others leave it its turn. */
async function untilItsTurn<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof ImportError) || error.code !== 'IMPORT_GATE_BUSY') throw error
    }
  }
}

it('many planners at once never have more under way than they may, and all get their turn', async () => {
  const most = 40
  let outstanding = 0
  let highest = 0
  const plan = async (projectId: string) => {
    const wish = { projectId, perLease: 7, most, outstanding: () => outstanding }
    for (let left = 30; left > 0; ) {
      const wanted = left
      for (const { requestId, studies } of await untilItsTurn(() => ask({ ...wish, wanted }))) {
        left -= studies
        outstanding += studies
        highest = Math.max(highest, outstanding)
        await untilItsTurn(() => release(deps(), new Set([requestId])))
        outstanding -= studies
      }
    }
  }
  await Promise.all(['P1', 'P2', 'P3', 'P4', 'P5', 'P6'].map(plan))

  expect(highest).toBeLessThanOrEqual(most)
  expect(highest).toBeGreaterThan(7)
  expect(sizes(await ask({ wanted: most, perLease: most, most }))).toEqual([most])
})
