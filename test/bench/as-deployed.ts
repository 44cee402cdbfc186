// A measured process with the options that serverless.yml gives the function whose work it does.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { readService } from '../../infra/local/run-functions/service-model.ts'

/** What Node.js and the C library read when a process starts. */
const processOptions = /^(?:NODE_OPTIONS|MALLOC_\w+)$/

/** Starts a file of this folder with the function's options. `env` is all that it sees of the environment beside them. */
export async function forkAsDeployed(
  functionName: string,
  file: string,
  { args = [], env }: { args?: readonly string[]; env: NodeJS.ProcessEnv },
): Promise<ChildProcess> {
  const { functions } = await readService(join(import.meta.dirname, '../..'))
  const { environment } = functions.find(({ name }) => name === functionName) ?? { environment: {} }
  const options = Object.entries(environment).flatMap(([name, value]) =>
    processOptions.test(name) && typeof value === 'string' ? [[name, value]] : [],
  )
  return fork(join(import.meta.dirname, file), args, { env: { ...env, ...Object.fromEntries(options) } })
}

/** Waits for the process to end well. */
export async function untilEnded(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the measured process ended with ${code}`)
}
