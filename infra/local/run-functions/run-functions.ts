import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { ScheduleEvent } from './function-events.ts'
import { type FunctionPeaks, FunctionPool } from './function-pool.ts'
import { type HttpApi, startHttpApi } from './http-api.ts'
import { InvocationError } from './invocation-error.ts'
import { type QueuePoller, queueConcurrency, startQueuePoller } from './queue-poller.ts'
import { type LocalEvent, type LocalFunction, resolve } from './resolve-service.ts'
import { every, scheduledEvent } from './schedules.ts'
import type { ServiceModel } from './service-model.ts'

const DEFAULT_HTTP_CONCURRENCY = 4
const SCHEDULE_CONCURRENCY = 2
const DEFAULT_IDLE_MS = 10 * 60_000
const DEFAULT_GRACE_MS = 5_000
// After SIGTERM, for a handler's own clean-up. Lambda gives extensions 2 s.
const SHUTDOWN_MS = 2_000

export interface RunFunctionsOptions {
  service: ServiceModel
  /** Where `functions/` is, or `dist/` for bundles. */
  projectDir: string
  sqs: { url: string; region: string }
  /** Given to every function, over what the service says. */
  environment?: Record<string, string>
  /** Left out: 3000, or the next that is free. */
  apiPort?: number
  /** Lines that a function wrote, and what the runner has to say about it. The gateway's go by `api-gateway`. */
  log?: (functionName: string, line: string) => void
  /** Runs `dist/<module>/index.mjs`, as deployed, in place of `functions/<module>.ts`. */
  bundles?: boolean
  /** How many requests one HTTP function handles at a time. Default 4. */
  httpConcurrency?: number
  /** How long a process without work is kept. Default 10 minutes. */
  idleMs?: number
}

export interface RunningFunctions {
  apiUrl: string
  /**
   * The function's result for one event, as from `aws lambda invoke`.
   *
   * @throws {InvocationError} when the function fails.
   */
  invoke(functionName: string, event: unknown): Promise<unknown>
  /** Runs a scheduled function now, with the event its schedule would send. */
  invokeNow(functionName: string): Promise<unknown>
  /** What each function has used so far, by its name in serverless.yml. */
  peaks(): Record<string, FunctionPeaks>
  /** The rights that each function's role gives it and that it has not used so far, as `action resource`. */
  unusedRights(): Record<string, string[]>
  /** Takes no more work, gives what is under way `graceMs` (default 5 s), and leaves no process behind. */
  stop(graceMs?: number): Promise<void>
}

/**
 * Runs every function of the service on its triggers: routes, queues and schedules. The queues must exist.
 *
 * @throws before anything runs, when a handler's file is missing, a reference cannot be resolved or the port is taken.
 */
export async function runFunctions(options: RunFunctionsOptions): Promise<RunningFunctions> {
  const { region, url: sqsUrl } = options.sqs
  const environment = { AWS_ENDPOINT_URL_SQS: sqsUrl, ...options.environment }
  const { functions } = resolve(options.service, { region, sqsUrl, environment })
  const running = functions.map((fn) => ({ fn, pool: createPool(fn, options) }))
  const log = options.log ?? (() => undefined)

  const api = await startApi(running, options)
  const client = new SQSClient({
    region,
    endpoint: sqsUrl,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
  const pollers = startPollers(running, client, region, log)
  const clearSchedules = startSchedules(running, region, log)

  function find(functionName: string): RunningFunction {
    const found = running.find(({ fn }) => fn.name === functionName)
    if (found !== undefined) return found
    throw new Error(`There is no function ${functionName}: there are ${functions.map((fn) => fn.name).join(', ')}`)
  }

  return {
    apiUrl: api.url,
    async invoke(functionName, event) {
      return await find(functionName).pool.invoke(event)
    },
    async invokeNow(functionName) {
      const { fn, pool } = find(functionName)
      const schedule = fn.events.find((event) => event.kind === 'schedule')
      if (schedule === undefined) throw new Error(`Function ${functionName} has no schedule`)
      return await pool.invoke(scheduledEvent(fn, schedule, region))
    },
    peaks: () => Object.fromEntries(running.map(({ fn, pool }) => [fn.name, { ...pool.peaks }])),
    unusedRights: () =>
      Object.fromEntries(
        running.map(({ fn, pool }) => {
          const given = (fn.grants ?? []).flatMap(({ actions, resources }) =>
            actions.flatMap((action) => resources.map((resource) => `${action} ${resource}`)),
          )
          return [fn.name, given.filter((right) => !pool.usedRights.has(right))]
        }),
      ),
    async stop(graceMs = DEFAULT_GRACE_MS) {
      for (const clear of clearSchedules) clear()
      const drained = Promise.all([api.stop(graceMs), ...pollers.map((poller) => poller.stop())])
      await Promise.all(running.map(({ pool }) => pool.drain(graceMs)))
      await Promise.all(running.map(({ pool }) => pool.stop(SHUTDOWN_MS)))
      await drained
      client.destroy()
    },
  }
}

interface RunningFunction {
  fn: LocalFunction
  pool: FunctionPool
}

function createPool(fn: LocalFunction, options: RunFunctionsOptions): FunctionPool {
  const { httpConcurrency = DEFAULT_HTTP_CONCURRENCY, idleMs = DEFAULT_IDLE_MS, log } = options
  return new FunctionPool({
    fn,
    region: options.sqs.region,
    moduleUrl: handlerUrl(fn, options),
    limit: fn.reservedConcurrency ?? concurrency(fn.events, httpConcurrency),
    idleMs,
    log: (line) => log?.(fn.name, line),
  })
}

function handlerUrl(fn: LocalFunction, { projectDir, bundles = false }: RunFunctionsOptions): string {
  const file = bundles ? join('dist', fn.module, 'index.mjs') : join('functions', `${fn.module}.ts`)
  const path = join(projectDir, file)
  if (!existsSync(path)) throw new Error(`Function ${fn.name}: there is no ${file} in ${projectDir}`)
  return pathToFileURL(path).href
}

function concurrency(events: readonly LocalEvent[], httpConcurrency: number): number {
  const http = events.some((event) => event.kind === 'httpApi') ? httpConcurrency : 0
  const queues = events.filter((event) => event.kind === 'sqs').map(queueConcurrency)
  return queues.reduce((sum, count) => sum + count, http) || SCHEDULE_CONCURRENCY
}

function startApi(running: readonly RunningFunction[], options: RunFunctionsOptions): Promise<HttpApi> {
  const routes = running.flatMap(({ fn, pool }) =>
    fn.events
      .filter((event) => event.kind === 'httpApi')
      .map(({ method, path }) => ({ method, path, target: (event: unknown) => pool.invoke(event) })),
  )
  return startHttpApi({ routes, port: options.apiPort, log: (line) => options.log?.('api-gateway', line) })
}

function startPollers(
  running: readonly RunningFunction[],
  client: SQSClient,
  region: string,
  log: (functionName: string, line: string) => void,
): QueuePoller[] {
  return running.flatMap(({ fn, pool }) =>
    fn.events
      .filter((event) => event.kind === 'sqs')
      .filter((event) => event.enabled)
      .map((event) => {
        const invoke = (batch: unknown) => pool.invoke(batch)
        return startQueuePoller({ event, region, client, invoke, log: (line) => log(fn.name, line) })
      }),
  )
}

function startSchedules(
  running: readonly RunningFunction[],
  region: string,
  log: (functionName: string, line: string) => void,
): (() => void)[] {
  async function run({ fn, pool }: RunningFunction, schedule: ScheduleEvent): Promise<void> {
    try {
      await pool.invoke(scheduledEvent(fn, schedule, region))
    } catch (error) {
      // A function's own failure is logged where it runs.
      if (!(error instanceof InvocationError)) log(fn.name, `A scheduled run was given up: ${error}`)
    }
  }

  return running.flatMap((scheduled) =>
    scheduled.fn.events
      .filter((event) => event.kind === 'schedule')
      .filter((schedule) => schedule.enabled)
      .map((schedule) => every(schedule.everyMs, () => void run(scheduled, schedule))),
  )
}
