// The process that bench delivery measures. BENCH_RUNS runs of each way, 5 by default; the median counts.
import { randomBytes } from 'node:crypto'
import { ctSlice } from './ct-slice.ts'
import { type BenchObject, type BenchRig, type BenchSession, startBenchRig } from './delivery-rig.ts'
import { median } from './median.ts'
import { limit, onePutPerFile, packedOnDisk } from './other-ways.ts'

const runs = Number(process.env['BENCH_RUNS'] ?? 5)
const mebibyte = 1024 ** 2

async function measureAll(): Promise<void> {
  const rig = await startBenchRig()
  try {
    const series = await rig.putMany('series', 500, ctSlice)
    for (const delayMs of [0, 60]) {
      await rig.delayXnat(delayMs)
      console.log(`500 x 514 KiB into one resource, ${delayMs} ms per XNAT request`)
      const [ours = 0, raw = 0, serial = 0, many = 0, packed = 0] = await measure(rig, [
        ['delivered and proved', ({ label }) => rig.deliver('series', series, label, '1')],
        ['(a) the limit: raw read | raw PUT', (session) => limit(wayOf(session))],
        ['(b) one PUT per file', (session) => onePutPerFile(wayOf(session), 1)],
        ['(b) the same, 16 at a time', (session) => onePutPerFile(wayOf(session), 16)],
        ['(c) disk, gzip -9, one PUT', (session) => packedOnDisk(wayOf(session))],
      ])
      const times = (ms: number) => (ms / ours).toFixed(1)
      console.log(
        `  ${(ours / raw).toFixed(2)} times the limit; ${times(serial)} times as fast as (b), ${times(many)} as (b) with 16, ${times(packed)} as (c)`,
      )
    }
    await rig.delayXnat(0)
    console.log('500 x 514 KiB over 25 resources, 4 at a time')
    const over = ({ label }: BenchSession) => overResources(rig, 'series', series, label, 25)
    await measure(rig, [['delivered and proved', over]], 25)
    const small = await rig.putMany('small', 10_000, () => randomBytes(1024))
    console.log('10,000 x 1 KiB into one resource')
    await measure(rig, [['delivered and proved', ({ label }) => rig.deliver('small', small, label, '1')]])
    const large = await rig.putLarge('large', 2048 * mebibyte)
    console.log('one object of 2 GiB')
    await measure(rig, [
      ['delivered and proved', ({ label }) => rig.deliver('large', large, label, '1')],
      ['(a) the limit', ({ experimentId }) => limit({ rig, name: 'large', objects: large, experimentId })],
    ])

    function wayOf({ experimentId }: BenchSession) {
      return { rig, name: 'series', objects: series, experimentId }
    }
  } finally {
    await rig.stop()
  }
}

/**
 * The medians of all ways in their order. They take turns: a machine that is slow for a while is so for each. Every
 * second round goes backwards, or one way would always follow the minute of gzip, with its connections and code gone cold.
 */
async function measure(
  rig: BenchRig,
  ways: readonly (readonly [name: string, act: (session: BenchSession) => Promise<void>])[],
  resources = 1,
): Promise<number[]> {
  const measured = ways.map(([name, act]) => ({ name, act, times: [] as number[], requests: 0 }))
  for (let each = 0; each < runs; each += 1) {
    for (const way of each % 2 === 0 ? measured : measured.toReversed()) {
      const session = await rig.newSession()
      await rig.countXnatRequests()
      const startedAt = performance.now()
      await way.act(session)
      way.times.push(performance.now() - startedAt)
      way.requests = await rig.countXnatRequests()
      await rig.forget(session)
    }
  }
  return measured.map(({ name, times, requests }) => {
    const ms = median(times)
    console.log(
      `  ${name.padEnd(36)} ${(ms / 1000).toFixed(2).padStart(7)} s   ${(requests / resources).toFixed(1)} XNAT requests per resource`,
    )
    return ms
  })
}

/** As the service does it: so many resources at a time as deliver-files has containers. */
async function overResources(
  rig: BenchRig,
  name: string,
  objects: readonly BenchObject[],
  session: string,
  resources: number,
): Promise<void> {
  const each = objects.length / resources
  const waiting = Array.from({ length: resources }, (_, index) => index)
  const work = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      await rig.deliver(name, objects.slice(index * each, (index + 1) * each), session, String(index + 1))
    }
  }
  await Promise.all([work(), work(), work(), work()])
}

await measureAll()
