// From how many files on one tar is better than a PUT of each: what `filesWorthATar` of lib/delivery/send-files.ts
// stands on. BENCH_RUNS (5) runs of each way, in turns.
import { randomBytes } from 'node:crypto'
import { startBenchRig } from './delivery-rig.ts'
import { median } from './median.ts'
import { onePutPerFile, oneTar } from './other-ways.ts'

const runs = Number(process.env['BENCH_RUNS'] ?? 5)
const kibibyte = 1024
const sizes = [kibibyte, 1024 * kibibyte, 64 * 1024 * kibibyte, 256 * 1024 * kibibyte]
const counts = [2, 4]

export async function run(): Promise<void> {
  const rig = await startBenchRig()
  try {
    for (const sizeBytes of sizes) {
      for (const count of counts) {
        const name = `${count} x ${sizeBytes / kibibyte} KiB`
        const objects = await rig.putMany(name, count, () => randomBytes(sizeBytes))
        for (const delayMs of [0, 60]) {
          await rig.delayXnat(delayMs)
          const [puts, tars]: [number[], number[]] = [[], []]
          for (let each = 0; each < runs; each += 1) {
            const session = await rig.newSession()
            const way = { rig, name, objects, experimentId: session.experimentId }
            puts.push(await timeOf(() => onePutPerFile(way, 1)))
            tars.push(await timeOf(() => oneTar(way)))
            await rig.forget(session)
          }
          const [put, tar] = [median(puts), median(tars)]
          console.log(
            `${name.padEnd(18)} ${String(delayMs).padStart(2)} ms per request   PUT each ${ms(put)}   one tar ${ms(tar)}   ${(put / tar).toFixed(2)} times as fast`,
          )
        }
      }
    }
  } finally {
    await rig.stop()
  }
}

async function timeOf(act: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await act()
  return performance.now() - startedAt
}

const ms = (value: number) => `${value.toFixed(0).padStart(6)} ms`
