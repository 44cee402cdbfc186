// One function in a process of its own, as Lambda runs it, that can be killed at any moment.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { SQSEvent } from 'aws-lambda'
import { build } from 'esbuild'
import { EnvironmentReport, type Invocation } from '../../infra/local/run-functions/environment-protocol.ts'
import { lambdaContext } from './events.ts'

const main = join(import.meta.dirname, '../../infra/local/run-functions/environment-main.ts')
const workers = join(import.meta.dirname, '../../functions/workers')

export type WorkerName = 'route-objects' | 'deliver-files' | 'export-images' | 'import-cohort' | 'import-studies'

/** Bundles workers, and what runs them, into this folder: a process then starts several times as fast, and dozens do. */
export async function bundleWorkers(folder: string, names: readonly WorkerName[]): Promise<void> {
  await build({
    entryPoints: [main, ...names.map((name) => join(workers, `${name}.ts`))],
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    outdir: folder,
    entryNames: '[name]',
    outExtension: { '.js': '.mjs' },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'silent',
  })
}

export interface KillableFunction {
  /** What the handler answered; `undefined` when the process was killed first. */
  invoke(event: SQSEvent): Promise<unknown>
  /** SIGKILL: nothing in the process hears of it. */
  kill(): void
  stop(): Promise<void>
}

export async function startFunction(
  { folder, name }: { folder: string; name: WorkerName },
  env: Record<string, string>,
): Promise<KillableFunction> {
  const child: ChildProcess = fork(
    join(folder, 'environment-main.mjs'),
    [pathToFileURL(join(folder, `${name}.mjs`)).href, 'handler'],
    {
      env,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  )
  const exited = once(child, 'exit')
  const report = async () => {
    const [message] = await Promise.race([once(child, 'message'), exited.then(() => [undefined])])
    return message === undefined ? undefined : EnvironmentReport.parse(message)
  }
  const started = await report()
  if (started?.kind !== 'ready') throw new Error(`the function did not start: ${JSON.stringify(started)}`)
  return {
    async invoke(event) {
      const invocation: Invocation = {
        requestId: '00000000-0000-4000-8000-000000000001',
        event: JSON.stringify(event),
        deadline: Date.now() + 30_000,
        context: lambdaContext(),
      }
      const answer = report()
      child.send(invocation)
      const outcome = await answer
      if (outcome === undefined) return undefined
      if (outcome.kind !== 'succeeded') throw new Error(`the function failed: ${JSON.stringify(outcome)}`)
      return JSON.parse(outcome.result)
    },
    kill: () => {
      child.kill('SIGKILL')
    },
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
