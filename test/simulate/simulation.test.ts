import fc from 'fast-check'
import { describe, expect, inject, it } from 'vitest'
import { deliver } from '../../infra/simulate/deliver.ts'
import { readOptions, UsageError } from '../../infra/simulate/options.ts'
import { productSettings } from '../../infra/simulate/product.ts'
import { seededRandom } from '../../infra/simulate/random.ts'
import { report } from '../../infra/simulate/report.ts'
import { type Routing, route } from '../../infra/simulate/route.ts'
import { simulate } from '../../infra/simulate/simulate.ts'
import { uploads } from '../../infra/simulate/uploads.ts'

const simulated = (...args: string[]) => {
  const options = readOptions(args)
  if (options === undefined) throw new Error('help was asked for')
  return { options, ...simulate(options, inject('service')) }
}

const plans = fc.record({
  files: fc.integer({ min: 1, max: 400 }),
  filesPerSecond: fc.option(fc.double({ min: 0.5, max: 500, noNaN: true }), { nil: undefined }),
  pace: fc.constantFrom('steady' as const, 'random' as const),
  filesPerResource: fc.integer({ min: 1, max: 50 }),
  resourcesAtATime: fc.integer({ min: 1, max: 10 }),
  bytesPerFile: fc.constant(100),
})
const routings: fc.Arbitrary<Routing> = fc.record({
  noticeSeconds: fc.constantFrom(0, 1),
  pollers: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  batchSize: fc.integer({ min: 1, max: 100 }),
  windowSeconds: fc.constantFrom(0, 0.5, 2),
  receiveSeconds: fc.constantFrom(0, 0.01),
  runSeconds: fc.constantFrom(
    () => 0,
    () => 0.3,
  ),
  maxOrderBytes: fc.integer({ min: 100, max: 5000 }),
})

/** The most of these that are under way at the same time. */
function mostAtATime(spans: readonly { startedAt: number; endedAt: number }[]): number {
  const changes = spans
    .flatMap(({ startedAt, endedAt }) => [
      { at: startedAt, by: 1 },
      { at: endedAt, by: -1 },
    ])
    // What ends makes room for what begins at that time.
    .toSorted((a, b) => a.at - b.at || a.by - b.by)
  let [now, most] = [0, 0]
  for (const { by } of changes) {
    now += by
    most = Math.max(most, now)
  }
  return most
}

describe('whatever comes, and however it is routed', () => {
  it('each file is delivered once, in no larger batches and orders and no more at a time than is allowed', () => {
    fc.assert(
      fc.property(plans, routings, fc.integer({ min: 1, max: 6 }), (plan, routing, concurrency) => {
        const { orders, batches } = route(uploads(plan, seededRandom(1)), routing)
        const deliveries = deliver(orders, { concurrency, runSeconds: ({ files }) => 0.1 + files / 100 })

        expect(deliveries.reduce((sum, { files }) => sum + files, 0)).toBe(plan.files)
        expect(batches.reduce((sum, { messages }) => sum + messages, 0)).toBe(plan.files)
        expect(Math.max(...batches.map(({ messages }) => messages))).toBeLessThanOrEqual(routing.batchSize)
        for (const { bytes, startedAt, endedAt, sentAt, cameAt } of deliveries) {
          expect(bytes).toBeLessThanOrEqual(routing.maxOrderBytes)
          expect(startedAt).toBeGreaterThanOrEqual(sentAt)
          expect(sentAt).toBeGreaterThanOrEqual(Math.max(...cameAt) + routing.noticeSeconds)
          expect(endedAt).toBeGreaterThan(startedAt)
        }
        expect(mostAtATime(deliveries)).toBeLessThanOrEqual(concurrency)
      }),
      { numRuns: 200 },
    )
  })

  it('a resource has one writer, and its orders their turn as they were sent', () => {
    fc.assert(
      fc.property(plans, routings, (plan, routing) => {
        const { orders } = route(uploads(plan, seededRandom(1)), routing)
        const deliveries = deliver(orders, { concurrency: 4, runSeconds: () => 1 })
        for (const [, own] of Map.groupBy(deliveries, ({ resource }) => resource)) {
          expect(mostAtATime(own)).toBe(1)
          expect(own.map(({ sentAt }) => sentAt)).toEqual(own.map(({ sentAt }) => sentAt).toSorted((a, b) => a - b))
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('the simulation', () => {
  it('takes from serverless.yml what is allowed at a time', () => {
    expect(productSettings(inject('service'))).toMatchObject({
      routeObjects: { concurrency: 2, batchSize: 1000, windowSeconds: 2, memoryGb: 0.5 },
      deliverFiles: { concurrency: 4, batchSize: 1, windowSeconds: 0, memoryGb: 0.5 },
      maxOrderBytes: 16_800_000_000,
    })
  })

  it('gives the same figures for the same seed, and others for another', () => {
    const args = ['--files', '3000', '--rate', '20', '--service', 'exponential']
    const { summary } = simulated(...args, '--seed', '7')
    expect(simulated(...args, '--seed', '7').summary).toEqual(summary)
    expect(simulated(...args, '--seed', '8').summary.delaySeconds).not.toEqual(summary.delaySeconds)
  })

  it('lets files wait longer the slower XNAT answers, and less with more deliveries at a time', () => {
    const p95 = (...args: string[]) =>
      simulated('--files', '20000', '--rate', '60', '--resources-at-a-time', '40', ...args).summary.delaySeconds.p95
    const plain = p95()
    expect(p95('--request-ms', '600')).toBeGreaterThan(2 * plain)
    expect(p95('--request-ms', '600', '--deliver-concurrency', '20')).toBeLessThan(p95('--request-ms', '600') / 2)
  })

  it('shows a backlog that grows as long as more comes than is delivered, and then ends', () => {
    const { options, ...overload } = simulated('--files', '40000', '--rate', '200', '--mb-per-second', '10')
    const files = overload.summary.backlog.map((look) => look.files)
    const top = files.indexOf(Math.max(...files))
    expect(files.slice(0, top + 1)).toEqual(files.slice(0, top + 1).toSorted((a, b) => a - b))
    expect(files.slice(top)).toEqual(files.slice(top).toSorted((a, b) => b - a))
    expect(files.at(-1)).toBe(0)
    expect(report(options, overload)).toContain('deliver-files: what binds here.')
    const { options: calm, ...others } = simulated('--files', '2000', '--rate', '5')
    expect(report(calm, others)).not.toContain('binds')
  })

  it('is refused what it does not understand, by the name of the option', () => {
    expect(() => readOptions(['--rate', 'fast'])).toThrow(/--rate/)
    expect(() => readOptions(['--files=0'])).toThrow(/--files/)
    expect(() => readOptions(['--burst', '--rate', '3'])).toThrow(UsageError)
    expect(() => readOptions(['--speed', '3'])).toThrow(/--speed/)
    expect(readOptions(['--help'])).toBeUndefined()
  })
})
