// The simulation beside what it simulates, at one point: the same uploads into the local stack, and what became of them.
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { consumption } from '../../infra/simulate/consumption.ts'
import { type Delivery, deliver } from '../../infra/simulate/deliver.ts'
import { productSettings } from '../../infra/simulate/product.ts'
import { seededRandom } from '../../infra/simulate/random.ts'
import { route } from '../../infra/simulate/route.ts'
import { summarize } from '../../infra/simulate/summary.ts'
import { uploads } from '../../infra/simulate/uploads.ts'
import { startWatchedStack, type Watched, type WatchedStack } from '../support/watched-deliveries.ts'

let watched: WatchedStack
beforeAll(async () => {
  // So slow that what the machine does beside it matters little.
  watched = await startWatchedStack(inject('service'), { xnatDelayMs: 150 })
}, 120_000)
afterAll(() => watched.stop())

const plan = { files: 8, filesPerSecond: undefined, pace: 'steady', filesPerResource: 1, bytesPerFile: 1000 } as const
const settings = productSettings(inject('service'))
const concurrency = {
  routeObjects: settings.routeObjects.concurrency,
  deliverFiles: settings.deliverFiles.concurrency,
}

/** What the receipts say of it, as the simulation says it. */
function measuredDeliveries({ uploads: uploaded, startedAt, receipts }: Watched): Delivery[] {
  const since = (time: string) => (new Date(time).getTime() - startedAt.getTime()) / 1000
  const waiting = Map.groupBy(
    uploaded.toSorted((a, b) => a.at - b.at),
    ({ resource }) => resource,
  )
  return receipts
    .toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1))
    .map(({ target, files, ...receipt }) => {
      const resource = Number(target.scanId) - 1
      // One group is delivered in the order of its orders, and these hold what had come until then.
      const cameAt = (waiting.get(resource) ?? []).splice(0, files.length).map(({ at }) => at)
      const times = { startedAt: since(receipt.startedAt), endedAt: since(receipt.finishedAt) }
      return { resource, files: files.length, bytes: files.length * 1000, sentAt: Number.NaN, cameAt, ...times }
    })
}

it('agrees with the local stack on orders, delays, backlog and requests', async () => {
  // The first of all pays for new processes and sign-ins.
  await watched.deliver(uploads({ ...plan, resourcesAtATime: 8 }, seededRandom(1)))
  const busy = { ...plan, files: 320, filesPerSecond: 60, filesPerResource: 20, resourcesAtATime: 16 }
  const seen = await watched.deliver(uploads(busy, seededRandom(1)))
  const real = measuredDeliveries(seen)
  // How long one order takes is the machine's business; what the line before it makes of that is the simulation's.
  const runSeconds = real.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0) / real.length
  const routed = route(
    seen.uploads.toSorted((a, b) => a.at - b.at),
    {
      noticeSeconds: 0,
      pollers: 1,
      ...settings.routeObjects,
      receiveSeconds: 0.005,
      runSeconds: () => 0.05,
      maxOrderBytes: settings.maxOrderBytes,
    },
  )
  const simulated = deliver(routed.orders, { concurrency: concurrency.deliverFiles, runSeconds: () => runSeconds })
  const expected = summarize(routed, simulated, concurrency)
  const measured = summarize({ batches: [] }, real, concurrency)

  expect(measured.files).toBe(expected.files)
  // Wide, since this machine may have other work and be late; but without the wait for a free run a file would be there in
  // less than half the time.
  expectWithin(1.5, measured.orders, expected.orders)
  for (const figure of ['mean', 'p50', 'p95', 'max'] as const) {
    expect(measured.delaySeconds[figure]).toBeGreaterThanOrEqual(expected.delaySeconds[figure] / 1.7)
    expect(measured.delaySeconds[figure]).toBeLessThanOrEqual(expected.delaySeconds[figure] * 3)
  }
  const most = Math.max(...expected.backlog.map(({ files }) => files))
  const apart = expected.backlog.map(({ files }, look) => Math.abs(files - (measured.backlog[look]?.files ?? 0)) / most)
  expect(apart.reduce((sum, each) => sum + each, 0) / apart.length).toBeLessThan(0.5)

  // Requests are a matter of counting: what the rules say of these orders, and what the servers were asked.
  const taken = consumption(routed, real, { routeObjects: 0, deliverFiles: 0 })
  const asked = (name: string) => seen.requests.get(name) ?? 0
  expect(asked('S3 GET')).toBe(taken.s3Gets)
  expect(asked('S3 LIST')).toBe(taken.s3Lists)
  expect(asked('S3 PUT') - seen.uploads.length).toBe(taken.s3Puts)
  expectWithin(1.1, asked('S3 HEAD'), taken.s3Heads)
  expectWithin(1.1, asked('XNAT'), taken.xnatRequests)
  const sqs = [...seen.requests].filter(([name]) => name.startsWith('SQS ') && name !== 'SQS GetQueueAttributes')
  // The slower the machine, the more messages one receive finds.
  expectWithin(
    1.6,
    sqs.reduce((sum, [, count]) => sum + count, 0),
    taken.sqsRequests,
  )
}, 180_000)

it('counts listings in the place of single questions when an order is large', async () => {
  const many = await watched.deliver(
    uploads({ ...plan, files: 60, filesPerResource: 60, resourcesAtATime: 1 }, Math.random),
  )
  const real = measuredDeliveries(many)
  const taken = consumption({ batches: [], receives: 0 }, real, { routeObjects: 0, deliverFiles: 0 })
  expect(Math.max(...real.map(({ files }) => files))).toBeGreaterThan(16)
  expect(many.requests.get('S3 LIST')).toBe(taken.s3Lists)
  expect(many.requests.get('S3 PUT')).toBe(taken.s3Puts + 60)
}, 180_000)

function expectWithin(factor: number, value: number, expected: number): void {
  expect(value).toBeLessThanOrEqual(expected * factor)
  expect(value).toBeGreaterThanOrEqual(expected / factor)
}
