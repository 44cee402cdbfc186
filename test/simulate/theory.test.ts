// What queueing theory says of simple cases: the product's way, cut down to them, has to agree.
import { describe, expect, it } from 'vitest'
import { deliver } from '../../infra/simulate/deliver.ts'
import { exponential, seededRandom } from '../../infra/simulate/random.ts'
import { type Routing, route } from '../../infra/simulate/route.ts'
import { summarize } from '../../infra/simulate/summary.ts'
import { uploads } from '../../infra/simulate/uploads.ts'

/** Every file is an order of its own, at once. */
const direct: Routing = {
  noticeSeconds: 0,
  pollers: 1,
  concurrency: 1,
  batchSize: 1,
  windowSeconds: 0,
  receiveSeconds: 0,
  runSeconds: () => 0,
  maxOrderBytes: Number.POSITIVE_INFINITY,
}
const files = 300_000

function meanDelay({ load, servers, kind }: { load: number; servers: number; kind: 'fixed' | 'exponential' }): number {
  const random = seededRandom(1)
  const plan = {
    files,
    filesPerSecond: load * servers,
    pace: 'random',
    filesPerResource: 1,
    resourcesAtATime: 1,
    bytesPerFile: 1,
  } as const
  const { orders, batches } = route(uploads(plan, random), direct)
  const runSeconds = () => (kind === 'fixed' ? 1 : exponential(random, 1))
  const concurrency = { routeObjects: 1, deliverFiles: servers }
  return summarize({ batches }, deliver(orders, { concurrency: servers, runSeconds }), concurrency).delaySeconds.mean
}

/** The mean of waiting and service of M/D/1, in service times (Pollaczek and Khinchine). */
const oneServer = (load: number) => 1 + load / (2 * (1 - load))

/** The same of M/M/c, by Erlang's formula for those who have to wait. */
function manyServers(load: number, servers: number): number {
  const offered = load * servers
  let term = 1
  let sum = 0
  for (let each = 0; each < servers; each += 1) {
    sum += term
    term *= offered / (each + 1)
  }
  const late = term / (1 - load)
  return 1 + late / (sum + late) / (servers * (1 - load))
}

describe('the mean delay', { timeout: 60_000 }, () => {
  it.each([0.3, 0.6, 0.8, 0.9])('is that of M/D/1 at a load of %f', (load) => {
    const expected = oneServer(load)
    expect(Math.abs(meanDelay({ load, servers: 1, kind: 'fixed' }) / expected - 1)).toBeLessThan(0.04)
  })

  it.each([
    [0.5, 1],
    [0.7, 4],
    [0.9, 4],
    [0.8, 20],
  ])('is that of M/M/c at a load of %f on %i runs at a time', (load, servers) => {
    const expected = manyServers(load, servers)
    expect(Math.abs(meanDelay({ load, servers, kind: 'exponential' }) / expected - 1)).toBeLessThan(0.04)
  })
})

describe('files that come at even distances and leave within one', () => {
  it('never wait', () => {
    const plan = {
      files: 1000,
      filesPerSecond: 2,
      pace: 'steady',
      filesPerResource: 1,
      resourcesAtATime: 1,
      bytesPerFile: 1,
    } as const
    const { orders, batches } = route(uploads(plan, seededRandom(1)), direct)
    const deliveries = deliver(orders, { concurrency: 1, runSeconds: () => 0.5 })
    const { delaySeconds, utilisation } = summarize({ batches }, deliveries, { routeObjects: 1, deliverFiles: 1 })
    expect(delaySeconds.p50).toBe(0.5)
    expect(delaySeconds.max).toBe(0.5)
    expect(utilisation.deliverFiles).toBe(1)
  })
})
