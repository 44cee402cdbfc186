import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { createHandler } from '../../functions/workers/deliver-files.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { md5, type PutObject, scanPrefix } from '../support/delivery-rig.ts'
import { lambdaContext, sqsEvent } from '../support/events.ts'
import type { Judge } from '../support/fault-proxy.ts'
import { type FaultyRig, startFaultyRig } from '../support/faulty-rig.ts'
import { type MemoryQueue, memoryQueue } from '../support/memory-queue.ts'
import { testWired } from '../support/wired.ts'

let rig: FaultyRig
beforeEach(async () => {
  rig = await startFaultyRig()
})
afterEach(() => rig.stop())

const keyOf = (scan: number) => `${scanPrefix.replace('scans/1', `scans/${scan}`)}1.dcm`

describe('sign-ins that die every 50 requests', () => {
  it.each(['unauthorized', 'redirect-to-login', 'login-page'] as const)(
    'told by %s: nothing is lost and no page is stored for a file',
    async (kind) => {
      const contents = Array.from({ length: 40 }, () => randomBytes(100_000))
      const objects: PutObject[] = []
      for (const [index, content] of contents.entries()) objects.push(await rig.put(keyOf(index), content))
      rig.xnatProxy.judge = dyingEvery(50, kind)

      for (const object of objects) expect((await rig.settle(rig.orderFor([object]))).ending.kind).toBe('delivered')

      for (const [index, content] of contents.entries()) expect(await stored(index)).toEqual([['1.dcm', md5(content)]])
    },
  )

  it.each(['unauthorized', 'redirect-to-login', 'login-page'] as const)(
    'in the middle of a body, told by %s: the body is sent again from its first byte',
    async (kind) => {
      const content = randomBytes(8_000_000)
      const order = rig.orderFor([await rig.put(keyOf(1), content)])
      let uploads = 0
      rig.xnatProxy.judge = ({ method, path }) => {
        if (method === 'PUT' && path.includes('/files/')) {
          uploads += 1
          // Answered while the body is still on its way.
          if (uploads === 1) dieAs(kind)
        }
        return undefined
      }

      expect((await rig.settle(order)).ending.kind).toBe('delivered')
      expect(await stored(1)).toEqual([['1.dcm', md5(content)]])
    },
  )
})

describe('a limit of 5 sessions', () => {
  const limit = 5
  let contents: Buffer[]
  let orders: string[]
  let deadLetters: MemoryQueue
  beforeEach(async () => {
    await rig.xnat.logout()
    rig.standIn.state.configure({ concurrentMaxSessions: limit })
    contents = Array.from({ length: 40 }, () => randomBytes(1_000))
    orders = []
    for (const [index, content] of contents.entries()) {
      orders.push(JSON.stringify(rig.orderFor([await rig.put(keyOf(index), content)])))
    }
    deadLetters = memoryQueue()
  })
  const open = () => rig.standIn.state.sessions.registered(rig.standIn.user).length

  it('is kept by as many containers as the service runs, and none is left behind when they end', async () => {
    const { functions } = inject('service')
    const containers = functions.find(({ name }) => name === 'deliverFiles')?.events.find(({ kind }) => kind === 'sqs')
    expect(containers?.kind === 'sqs' && containers.maximumConcurrency).toBe(4)
    let most = 0
    rig.xnatProxy.judge = () => {
      most = Math.max(most, open())
      return undefined
    }

    const waiting = [...orders]
    await Promise.all([1, 2, 3, 4].map(() => container(waiting)))

    expect(deadLetters.sent).toEqual([])
    expect([most <= limit, open()]).toEqual([true, 0])
    await expectAllStored()
  })

  it('is met by 40 containers at once without an order lost: those that are refused hand theirs back until sessions end', async () => {
    let refused = 0
    const waiting = [...orders]
    while (waiting.length > 0) {
      const share = waiting.splice(0)
      const containers = share.map(async (order) => {
        const mine = [order]
        await container(mine, 1)
        return mine
      })
      const left = (await Promise.all(containers)).flat()
      refused += left.length
      waiting.push(...left)
      // XNAT: a refused sign-in leaves its session behind; idle ones end by themselves.
      await rig.standIn.clock.advance(16 * 60_000)
    }

    expect(refused).toBeGreaterThan(0)
    expect(deadLetters.sent).toEqual([])
    await expectAllStored()
  })

  /** One container: its own client and login, one order after the other, and an end. */
  async function container(waiting: string[], tries = Number.POSITIVE_INFINITY): Promise<void> {
    const { user, password } = rig.standIn
    const credentials = { kind: 'password', user, password } as const
    const xnat = new XnatClient({ url: rig.xnatProxy.url, credentials, retry: { baseMs: 1, capMs: 5 } })
    const { incoming, state } = rig
    const wired = testWired({ xnat, incoming, state, deliveries: { queue: memoryQueue(), deadLetters } })
    const handler = createHandler(() => wired)
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      const order = waiting.shift()
      if (order === undefined) break
      const { batchItemFailures } = await handler(sqsEvent([order], { group: 'g' }), lambdaContext())
      if (batchItemFailures.length > 0) waiting.push(order)
    }
    await xnat.close()
  }

  async function expectAllStored(): Promise<void> {
    rig.standIn.state.configure({ concurrentMaxSessions: 1_000 })
    for (const [index, content] of contents.entries()) expect(await stored(index)).toEqual([['1.dcm', md5(content)]])
  }
})

async function stored(scan: number) {
  const parent = { level: 'scan', experimentId: rig.experimentId, scanId: String(scan) } as const
  return [...(await rig.digests({ parent, resourceLabel: 'DICOM' }))]
}

function dieAs(kind: 'unauthorized' | 'redirect-to-login' | 'login-page'): void {
  rig.standIn.state.sessions.endAll(rig.standIn.user)
  rig.standIn.faults.next({ kind })
}

function dyingEvery(requests: number, kind: Parameters<typeof dieAs>[0]): Judge {
  let seen = 0
  return () => {
    seen += 1
    if (seen % requests === 0) dieAs(kind)
    return undefined
  }
}
