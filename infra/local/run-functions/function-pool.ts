import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ExecutionEnvironment, type InvocationOutcome } from './execution-environment.ts'
import { InvocationError } from './invocation-error.ts'
import { functionArn, lambdaVariables, logGroupName, logStreamName } from './lambda-variables.ts'
import { LOCAL_ACCOUNT_ID } from './resolve-resources.ts'
import type { LocalFunction } from './resolve-service.ts'
import { Slots } from './slots.ts'

// Lambda: 6 MB each way for a synchronous call; the figure is the one its error names.
const MAX_PAYLOAD_BYTES = 6_291_556
// Lambda: a first init is cut off after 10 s and tried again within the function's own timeout.
const INIT_TIMEOUT_MS = 10_000

export interface FunctionPoolOptions {
  fn: LocalFunction
  region: string
  /** The handler's file, as a URL. */
  moduleUrl: string
  /** How many events may be handled at the same time; more wait their turn. */
  limit: number
  /** How long an environment without work is kept warm. */
  idleMs: number
  log: (line: string) => void
}

/** What Lambda's REPORT lines tell about a function, over all its invocations. */
export interface FunctionPeaks {
  invocations: number
  failures: number
  coldStarts: number
  peakRssBytes: number
  memorySizeMb: number
}

/** The execution environments of one function: started when an event needs one, kept warm, ended when idle. */
export class FunctionPool {
  readonly #options: FunctionPoolOptions
  readonly #slots: Slots
  readonly #environments = new Set<ExecutionEnvironment>()
  /** The warmest last, with the timers that will end them. */
  readonly #idle: { environment: ExecutionEnvironment; timer: NodeJS.Timeout }[] = []
  readonly #peaks: FunctionPeaks
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #usedRights = new Set<string>()
  #isStopped = false

  constructor(options: FunctionPoolOptions) {
    this.#options = options
    this.#slots = new Slots(options.limit)
    const { memorySizeMb } = options.fn
    this.#peaks = { invocations: 0, failures: 0, coldStarts: 0, peakRssBytes: 0, memorySizeMb }
  }

  get peaks(): Readonly<FunctionPeaks> {
    return this.#peaks
  }

  /** The rights of its role that it has used so far, as `action resource`. */
  get usedRights(): ReadonlySet<string> {
    return this.#usedRights
  }

  /**
   * The handler's result for one event, as it looks after a trip through JSON.
   *
   * @throws {InvocationError} when the handler throws, takes too long, or its process ends.
   */
  async invoke(event: unknown): Promise<unknown> {
    const payload = JSON.stringify(event) ?? 'null'
    if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) {
      throw tooLarge('RequestEntityTooLarge', `Request must be smaller than ${MAX_PAYLOAD_BYTES} bytes`)
    }
    const invocation = this.#invokeInTurn(payload)
    this.#underWay.add(invocation)
    try {
      return JSON.parse(await invocation)
    } finally {
      this.#underWay.delete(invocation)
    }
  }

  /** Waits until nothing is under way, but no longer than `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    await Promise.race([Promise.allSettled(this.#underWay), sleep(graceMs, undefined, { ref: false })])
  }

  /** Ends all environments, whatever they are doing. Events that still wait for one fail. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopped = true
    for (const { timer } of this.#idle.splice(0)) clearTimeout(timer)
    await Promise.all([...this.#environments].map((environment) => environment.stop(graceMs)))
  }

  async #invokeInTurn(payload: string): Promise<string> {
    await this.#slots.take()
    try {
      if (this.#isStopped) throw new Error(`${this.#options.fn.name} was stopped before this event had its turn`)
      return await this.#run(payload)
    } catch (error) {
      this.#peaks.failures += 1
      if (error instanceof InvocationError) this.#options.log(describeFailure(error))
      throw error
    } finally {
      this.#peaks.invocations += 1
      this.#slots.release()
    }
  }

  async #run(payload: string): Promise<string> {
    const environment = this.#takeIdle() ?? (await this.#startEnvironment())
    const outcome = await this.#invokeOn(environment, payload)
    if (environment.isAlive) this.#keepWarm(environment)
    else this.#environments.delete(environment)
    this.#peaks.peakRssBytes = Math.max(this.#peaks.peakRssBytes, outcome.peakRssBytes ?? 0)
    if (outcome.kind === 'failed') throw new InvocationError(outcome.failure)
    if (Buffer.byteLength(outcome.result) > MAX_PAYLOAD_BYTES) {
      const message = `Response payload size exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`
      throw tooLarge('Function.ResponseSizeTooLarge', message)
    }
    return outcome.result
  }

  #invokeOn(environment: ExecutionEnvironment, payload: string): Promise<InvocationOutcome> {
    const { fn, region } = this.#options
    const timeoutMs = fn.timeoutSeconds * 1000
    const context = {
      functionName: fn.deployedName,
      functionVersion: '$LATEST',
      invokedFunctionArn: functionArn(fn, region),
      memoryLimitInMB: String(fn.memorySizeMb),
      logGroupName: logGroupName(fn),
      logStreamName: logStreamName(),
    }
    const deadline = Date.now() + timeoutMs
    return environment.invoke({ requestId: randomUUID(), event: payload, deadline, context }, timeoutMs)
  }

  async #startEnvironment(): Promise<ExecutionEnvironment> {
    const { fn, region, moduleUrl, log } = this.#options
    this.#peaks.coldStarts += 1
    const env = { ...lambdaVariables(fn, region), ...fn.environment }
    const role = fn.grants && {
      grants: fn.grants,
      place: { region, account: LOCAL_ACCOUNT_ID },
      onUsed: (right: string) => this.#usedRights.add(right),
    }
    const environment = new ExecutionEnvironment({
      moduleUrl,
      exportName: fn.exportName,
      env,
      onLine: log,
      ...(role && { role }),
    })
    this.#environments.add(environment)
    try {
      await environment.start(INIT_TIMEOUT_MS + fn.timeoutSeconds * 1000)
      return environment
    } catch (error) {
      this.#environments.delete(environment)
      throw error
    }
  }

  #takeIdle(): ExecutionEnvironment | undefined {
    for (let warm = this.#idle.pop(); warm !== undefined; warm = this.#idle.pop()) {
      clearTimeout(warm.timer)
      if (warm.environment.isAlive) return warm.environment
      this.#environments.delete(warm.environment)
    }
    return undefined
  }

  #keepWarm(environment: ExecutionEnvironment): void {
    const timer = setTimeout(() => void this.#endIdle(environment), this.#options.idleMs)
    timer.unref()
    this.#idle.push({ environment, timer })
  }

  async #endIdle(environment: ExecutionEnvironment): Promise<void> {
    const at = this.#idle.findIndex((warm) => warm.environment === environment)
    this.#idle.splice(at, 1)
    await environment.stop(2_000)
    this.#environments.delete(environment)
  }
}

function tooLarge(errorType: string, errorMessage: string): InvocationError {
  return new InvocationError({ errorType, errorMessage, trace: [] })
}

function describeFailure({ errorType, message, trace }: InvocationError): string {
  return trace.length > 0 ? `Invoke Error ${trace.join('\n')}` : `Invoke Error ${errorType}: ${message}`
}
