import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { EnvironmentReport, type FunctionFailure, type Invocation } from './environment-protocol.ts'
import type { Grant } from './grants.ts'
import { InvocationError } from './invocation-error.ts'

const MAIN = fileURLToPath(new URL('./environment-main.ts', import.meta.url))

export interface ExecutionEnvironmentOptions {
  /** The handler's file, as a URL. */
  moduleUrl: string
  exportName: string
  /** All that the process sees: nothing of the runner's own environment is added. */
  env: Record<string, string>
  onLine: (line: string) => void
  /** What it may ask of AWS. Left out: everything. */
  role?: { grants: readonly Grant[]; place: { region: string; account: string }; onUsed: (right: string) => void }
}

export type InvocationOutcome =
  | { kind: 'succeeded'; result: string; peakRssBytes: number }
  | { kind: 'failed'; failure: FunctionFailure; peakRssBytes?: number }

type Answer = EnvironmentReport | { kind: 'ended'; reason: string } | { kind: 'timed-out' }

/**
 * One warm process with one function in it, which handles one event at a time, as in Lambda.
 * After a timeout or a crash it is dead (`isAlive`) and another must be started.
 */
export class ExecutionEnvironment {
  readonly #child: ChildProcess
  readonly #exit: Promise<void>
  #isAlive = true
  #onAnswer: ((answer: Answer) => void) | undefined

  constructor({ moduleUrl, exportName, env, onLine, role }: ExecutionEnvironmentOptions) {
    const held = role && JSON.stringify({ grants: role.grants, place: role.place })
    this.#child = fork(MAIN, [moduleUrl, exportName, ...(held === undefined ? [] : [held])], {
      env,
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#exit = this.#whenEnded()
    this.#child.on('message', (message) => {
      const report = EnvironmentReport.parse(message)
      if (report.kind === 'right-used') role?.onUsed(report.right)
      else this.#onAnswer?.(report)
    })
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      if (output !== null) createInterface({ input: output }).on('line', onLine)
    }
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  /** @throws {InvocationError} when the handler's module cannot be imported in time; the process is gone then. */
  async start(timeoutMs: number): Promise<void> {
    const answer = await this.#answerWithin(timeoutMs)
    if (answer.kind === 'ready') return
    await this.stop(0)
    throw new InvocationError(initFailure(answer, timeoutMs))
  }

  /** Runs the handler on one event. Kills the process when the handler takes longer than `timeoutMs`. */
  async invoke(invocation: Invocation, timeoutMs: number): Promise<InvocationOutcome> {
    const answer = this.#answerWithin(timeoutMs)
    // A process that is gone cannot be sent to, and its exit says so better than the error given to this callback.
    this.#child.send(invocation, () => undefined)
    return invocationOutcome(await answer, invocation.requestId, timeoutMs)
  }

  /** SIGTERM, and SIGKILL when the process is still there after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (!this.#isAlive) return
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs)
    await this.#exit
    clearTimeout(timer)
  }

  async #whenEnded(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<string>()
    this.#child.on('exit', (code, signal) => resolve(exitReason(code, signal)))
    // A process that never began has no exit. Other errors, as when a dying process cannot be written to, end in one.
    this.#child.on('error', (error) => {
      if (this.#child.pid === undefined) resolve(`Runtime could not be started: ${error.message}`)
    })
    const reason = await promise
    this.#isAlive = false
    this.#onAnswer?.({ kind: 'ended', reason })
  }

  async #answerWithin(timeoutMs: number): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    this.#onAnswer = resolve
    const timer = setTimeout(() => resolve({ kind: 'timed-out' }), timeoutMs)
    const answer = await promise
    clearTimeout(timer)
    this.#onAnswer = undefined
    if (answer.kind === 'timed-out') {
      this.#child.kill('SIGKILL')
      await this.#exit
    }
    return answer
  }
}

function initFailure(answer: Answer, initTimeoutMs: number): FunctionFailure {
  switch (answer.kind) {
    case 'init-failed':
      return answer.failure
    case 'ended':
      return { errorType: 'Runtime.ExitError', errorMessage: answer.reason, trace: [] }
    case 'timed-out':
      return timedOut(`Init timed out after ${seconds(initTimeoutMs)} seconds`)
    default:
      throw new Error(`An execution environment began with ${answer.kind}`)
  }
}

// The wording is Lambda's, since people search their logs for it.
function invocationOutcome(answer: Answer, requestId: string, timeoutMs: number): InvocationOutcome {
  switch (answer.kind) {
    case 'succeeded':
    case 'failed':
      return answer
    case 'ended': {
      const errorMessage = `RequestId: ${requestId} Error: ${answer.reason}`
      return { kind: 'failed', failure: { errorType: 'Runtime.ExitError', errorMessage, trace: [] } }
    }
    case 'timed-out':
      return { kind: 'failed', failure: timedOut(`${requestId} Task timed out after ${seconds(timeoutMs)} seconds`) }
    default:
      throw new Error(`An execution environment answered an event with ${answer.kind}`)
  }
}

function timedOut(errorMessage: string): FunctionFailure {
  return { errorType: 'Sandbox.Timedout', errorMessage, trace: [] }
}

function exitReason(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `Runtime exited with error: signal: ${signal}`
  return code === 0 ? 'Runtime exited without providing a reason' : `Runtime exited with error: exit status ${code}`
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}
