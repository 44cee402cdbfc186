import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImportMessage, StudiesOrder } from '../../lib/imports/messages.ts'
import { endState } from '../support/end-of-import.ts'
import { eventOf } from '../support/events.ts'
import type { Judge } from '../support/fault-proxy.ts'
import { type KillableImports, startKillableImports } from '../support/killable-imports.ts'

let rig: KillableImports
beforeAll(async () => {
  rig = await startKillableImports({ PACS_FINDS_PER_SECOND: '1000' })
}, 30_000)
afterAll(() => rig.stop())

const importPath = '/xapi/dqr/import'
const names = ['one', 'two', 'three', 'missing']

/** A project whose first look is still to come, and the message that asks for it. */
async function newProject(projectId: string, more: readonly string[] = []): Promise<ImportMessage> {
  await rig.addProject(projectId)
  const known = names.filter((name) => name !== 'missing')
  rig.standIn.pacs.add(...known.map((name) => ({ accessionNumber: `${projectId}-${name}` })))
  return { kind: 'name', projectId, accessionNumbers: [...names, ...more].map((name) => `${projectId}-${name}`) }
}

/** A project whose studies have been ordered, and are still to be asked for. */
async function ordered(projectId: string): Promise<StudiesOrder> {
  await rig.plan(await newProject(projectId))
  const [order] = await rig.takeOrders()
  if (order === undefined) throw new Error('nothing was ordered')
  return order
}

/** Has everything that waits done, and looks at what it has come to. */
async function ended(projectId: string) {
  await rig.settle()
  await rig.advance(10 * 60_000)
  await rig.plan({ kind: 'look', projectId, cause: 'asked' })
  await rig.settle()
  return endState(rig, projectId)
}

const expectedEnd = async (projectId: string) => {
  await rig.ask([await ordered(projectId)])
  return ended(projectId)
}

/** Retrieves by study. */
function retrieves({ history }: Awaited<ReturnType<typeof endState>>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const row of history) counts.set(row, (counts.get(row) ?? 0) + 1)
  return counts
}

async function withJudge<T>(judge: Judge, act: () => Promise<T>): Promise<T> {
  const proxies = Object.values(rig.proxies)
  for (const proxy of proxies) proxy.judge = judge
  try {
    return await act()
  } finally {
    for (const proxy of proxies) proxy.judge = () => undefined
  }
}

describe('an order that is delivered twice', () => {
  it('in one batch, is carried out once', async () => {
    const clean = await expectedEnd('clean-batch')
    const order = await ordered('batch')
    await rig.ask([order, order])
    expect(await ended('batch')).toEqual(clean)
  })

  it('one after the other, requests nothing again', async () => {
    const clean = await expectedEnd('clean-again')
    const order = await ordered('again')
    await rig.ask([order])
    await rig.ask([order])
    await rig.settle()
    await rig.advance(10 * 60_000)
    await rig.ask([order])
    expect(await ended('again')).toEqual(clean)
  })

  it('at once, requests a study twice at most, and ends as without that', async () => {
    const clean = await expectedEnd('clean-at-once')
    const order = await ordered('at-once')
    const others = [await rig.start('import-studies'), await rig.start('import-studies')]
    const event = eventOf([order])
    await withJudge(
      () => undefined,
      () => Promise.all(others.map((each) => each.invoke(event))),
    )
    await Promise.all(others.map((each) => each.stop()))
    const end = await ended('at-once')
    expect({ ...end, history: [...retrieves(end).keys()] }).toEqual(clean)
    expect(Math.max(...retrieves(end).values())).toBeLessThanOrEqual(2)
  })

  it('while XNAT is still at work on the first, requests a study twice at most, and ends as without that', async () => {
    const clean = await expectedEnd('clean-at-work')
    const order = await ordered('at-work')
    rig.standIn.state.arrange({ pacsAnswersAfterMs: 100 })
    const victim = await rig.start('import-studies')
    await withJudge(
      ({ path }) => {
        // XNAT has queued the first study by then, and not the last.
        if (path === importPath) setTimeout(() => victim.kill(), 300)
        return undefined
      },
      async () => expect(await victim.invoke(eventOf([order]))).toBeUndefined(),
    )
    expect(rig.standIn.requests.list().findLast(({ path }) => path === importPath)?.status).toBeUndefined()
    await rig.ask([order])
    rig.standIn.state.arrange({ pacsAnswersAfterMs: 0 })
    const end = await ended('at-work')
    expect({ ...end, history: [...retrieves(end).keys()] }).toEqual(clean)
    expect(Math.max(...retrieves(end).values())).toBeLessThanOrEqual(2)
  })

  it('after its time, requests nothing again, and takes back what was never requested', async () => {
    const clean = await expectedEnd('clean-late')
    const order = await ordered('late')
    const victim = await rig.start('import-studies')
    await withJudge(
      ({ path }) => (path === importPath ? { kind: 'cut-answer', afterwards: victim.kill } : undefined),
      async () => expect(await victim.invoke(eventOf([order]))).toBeUndefined(),
    )
    await rig.ask([{ ...order, expiresAtMs: Date.now() - 1 }])
    for (const message of await rig.takeMessages()) await rig.plan(message)
    const { entries } = await endState(rig, 'late')
    expect(entries['P-one']?.attempts).toEqual([[0, 'REQUESTED']])
    expect(entries['P-missing']).toMatchObject({ attempts: [], held: 'LEASE_EXPIRED' })
    expect((await ended('late')).history).toEqual(clean.history)
  })
})

describe('word of what became of orders', () => {
  it('means the same when it comes twice, in another order, and after the studies have arrived', async () => {
    const more = Array.from({ length: 120 }, (_, index) => `missing-${index}`)
    const heard = async (projectId: string, order: (messages: ImportMessage[]) => ImportMessage[]) => {
      await rig.plan(await newProject(projectId, more))
      await rig.ask(await rig.takeOrders())
      const messages = (await rig.takeMessages()).toSorted((one, other) => sizeOf(one) - sizeOf(other))
      expect(messages).toHaveLength(2)
      for (const message of order(messages)) await rig.plan(message)
      const end = await ended(projectId)
      for (const message of messages) await rig.plan(message)
      expect(await endState(rig, projectId)).toEqual(end)
      return end
    }
    const clean = await heard('clean-word', (messages) => messages)
    expect(await heard('word', ([one, other]) => [other!, one!, one!, other!])).toEqual(clean)
  })
})

const sizeOf = (message: ImportMessage) => (message.kind === 'outcomes' ? message.outcomes.length : 0)

describe('a message that two runs of the planner have at once', () => {
  it.each(['name', 'look'] as const)(
    'is kept by the first to write, and handed back by the other (%s)',
    async (kind) => {
      const projectId = `both-${kind}`
      const clean = await expectedEnd(`clean-${projectId}`)
      const first = await newProject(projectId)
      const message: ImportMessage = kind === 'name' ? first : { kind: 'look', projectId, cause: 'asked' }
      if (kind === 'look') {
        rig.standIn.state.arrange({ pacsDown: true })
        await rig.plan(first)
        rig.standIn.state.arrange({ pacsDown: false })
      }
      const [slow, fast] = [await rig.start('import-cohort'), await rig.start('import-cohort')]
      const overtaken = Promise.withResolvers<void>()
      const answers = await withJudge(
        ({ method, path }) => {
          if (method !== 'PUT' || !path.includes('/ledgers/')) return undefined
          for (const proxy of Object.values(rig.proxies)) proxy.judge = () => undefined
          overtaken.resolve()
          return { kind: 'delay', ms: 3_000 }
        },
        async () => {
          const late = slow.invoke(eventOf([message]))
          await overtaken.promise
          return [await fast.invoke(eventOf([message])), await late]
        },
      )
      await Promise.all([slow.stop(), fast.stop()])
      expect(answers).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [{ itemIdentifier: 'message-0' }] }])
      await rig.plan(message)
      const orders = await rig.takeOrders()
      expect(new Set(orders.map(({ requestId }) => requestId)).size).toBe(1)
      await rig.ask(orders)
      expect(await ended(projectId)).toEqual(clean)
    },
  )
})
