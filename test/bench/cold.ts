// How large each function is as it is deployed, and how long a fresh process takes to import it: most of a cold start.
// BENCH_RUNS imports of each, 9 by default; the median counts. On a busy machine the processor's time says more than the
// clock's.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import * as z from 'zod'
import { bundledFunctions, packagedService } from '../support/packaged-service.ts'
import { median } from './median.ts'

const runs = Number(process.env['BENCH_RUNS'] ?? 9)
const Times = z.tuple([z.number(), z.number()])
const timed = `
  const [from, cpu] = [performance.now(), process.cpuUsage()]
  await import(process.argv[1])
  const { user, system } = process.cpuUsage(cpu)
  console.log(JSON.stringify([performance.now() - from, (user + system) / 1000]))
  process.exit()`

export async function run(): Promise<void> {
  const service = await packagedService()
  try {
    console.log('  zipped    import   processor   function')
    for (const { name, zippedBytes, module } of await bundledFunctions(service)) {
      const url = pathToFileURL(join(service.dir, module)).href
      const times: number[] = []
      const processor: number[] = []
      for (let each = 0; each < runs; each += 1) {
        const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', timed, url])
        const [ms, processorMs] = Times.parse(JSON.parse(stdout))
        times.push(ms)
        processor.push(processorMs)
      }
      const kB = String(Math.round(zippedBytes / 1000)).padStart(5)
      console.log(`${kB} kB  ${milliseconds(times)}    ${milliseconds(processor)}   ${name}`)
    }
  } finally {
    await service.remove()
  }
}

const milliseconds = (times: readonly number[]) => `${String(Math.round(median(times))).padStart(5)} ms`
