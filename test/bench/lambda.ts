// One function of the product in a process of its own, as Lambda runs it, and what its invocations take.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { ExecutionEnvironment } from '../../infra/local/run-functions/execution-environment.ts'
import { lambdaContext } from '../support/events.ts'

export interface Invoked {
  /** What the handler returned. */
  result: unknown
  ms: number
  /** Of the process, so far. */
  peakRssBytes: number
}

export interface BenchLambda {
  invoke(event: object): Promise<Invoked>
  stop(): Promise<void>
}

/** `file` below `functions/`, without its extension. Returns when the handler's module is loaded. */
export async function startLambda(file: string, env: Record<string, string>): Promise<BenchLambda> {
  const moduleUrl = pathToFileURL(join(import.meta.dirname, '../../functions', `${file}.ts`)).href
  const environment = new ExecutionEnvironment({ moduleUrl, exportName: 'handler', env, onLine: complain })
  await environment.start(60_000)
  return {
    async invoke(event) {
      const timeoutMs = 900_000
      const { functionName, functionVersion, invokedFunctionArn, ...names } = lambdaContext(timeoutMs)
      const { memoryLimitInMB, logGroupName, logStreamName } = names
      const context = {
        functionName,
        functionVersion,
        invokedFunctionArn,
        memoryLimitInMB,
        logGroupName,
        logStreamName,
      }
      const requestId = '00000000-0000-4000-8000-000000000001'
      const startedAt = performance.now()
      const deadline = Date.now() + timeoutMs
      const outcome = await environment.invoke(
        { requestId, event: JSON.stringify(event), deadline, context },
        timeoutMs,
      )
      const ms = performance.now() - startedAt
      if (outcome.kind === 'failed') throw new Error(`${file}: ${outcome.failure.errorMessage}`)
      return { result: JSON.parse(outcome.result), ms, peakRssBytes: outcome.peakRssBytes }
    },
    stop: () => environment.stop(1_000),
  }
}

/** As `invoke`, for a function behind a queue. What it hands back has failed the bench. */
export async function invokeWorker(worker: BenchLambda, event: SQSEvent): Promise<Invoked> {
  const invoked = await worker.invoke(event)
  const { batchItemFailures } = invoked.result as SQSBatchResponse
  if (batchItemFailures.length > 0) throw new Error(`a worker handed back ${batchItemFailures.length} messages`)
  return invoked
}

function complain(line: string): void {
  if (/"level":"error"/.test(line) || !line.startsWith('{')) console.error(line)
}
