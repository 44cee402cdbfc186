// `npm run simulate`: the queues of a delivery, without the cloud and faster than time.
import { join } from 'node:path'
import { readService } from '../local/run-functions/service-model.ts'
import { readOptions, UsageError, usage } from './options.ts'
import { report } from './report.ts'
import { simulate } from './simulate.ts'

try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) console.log(usage)
  else {
    const simulated = simulate(options, await readService(join(import.meta.dirname, '../..')))
    console.log(options.json ? JSON.stringify(simulated) : report(options, simulated))
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${usage}`)
  process.exitCode = 2
}
