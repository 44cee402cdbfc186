import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import type { Queue } from '../../lib/aws/queue.ts'
import { registerImport } from '../../lib/provisioning/registration.ts'
import { sweepImports } from '../../lib/services/sweep-imports.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'
import { memoryQueue } from '../support/memory-queue.ts'

let aws: LocalAws
let state: ObjectStore
beforeEach(async () => {
  aws = await startLocalAws()
  state = await aws.bucket('state')
})
afterEach(() => aws.stop())

const projects = 1_100
const idOf = (number: number) => `P${String(number).padStart(4, '0')}`

async function registerAll(): Promise<string[]> {
  const ids = Array.from({ length: projects }, (_, number) => idOf(number))
  await Promise.all(ids.map((projectId) => registerImport(state, { projectId }, () => new Date())))
  // What else lies in the bucket is no project.
  await state.writeText('ledgers/P0001.json', '{}')
  await state.writeText('import-gate.json', '{}')
  return ids
}

const sweep = (imports: Queue, round: string) =>
  sweepImports({ state, imports, signal: new AbortController().signal }, { round })

it('puts every registered project before the planner, once, in a group of its own', async () => {
  const ids = await registerAll()
  const imports = memoryQueue()

  expect(await sweep(imports, '2026-01-05T10:00:00Z')).toEqual({ projects })
  expect(imports.sent.map(({ group }) => group).toSorted()).toEqual(ids)
  const bodies = imports.sent.map(({ body }) => JSON.parse(body))
  expect(bodies.find(({ projectId }) => projectId === 'P0007')).toEqual({
    kind: 'look',
    projectId: 'P0007',
    cause: 'sweep',
  })
})

it('that broke off half-way and is made again reaches all, and none twice', async () => {
  await registerAll()
  const { queue: imports } = await aws.queue('imports.fifo', { FifoQueue: 'true' })
  let left = 40
  const breaking: Queue = {
    ...imports,
    async send(messages) {
      left -= 1
      if (left < 0) throw new Error('the function died')
      return imports.send(messages)
    },
  }
  const ready = () => aws.sqsServer.messageCounts('imports.fifo').ready

  await expect(sweep(breaking, 'round 1')).rejects.toThrow('the function died')
  expect(ready()).toBeLessThan(projects)
  await sweep(imports, 'round 1')
  expect(ready()).toBe(projects)
  await sweep(imports, 'round 1')
  expect(ready()).toBe(projects)

  await sweep(imports, 'round 2')
  expect(ready()).toBe(2 * projects)
})

it('of no project sends nothing', async () => {
  const imports = memoryQueue()

  expect(await sweep(imports, 'round 1')).toEqual({ projects: 0 })
  expect(imports.sent).toEqual([])
})
