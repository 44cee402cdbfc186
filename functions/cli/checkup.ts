// Looks at things one after the other, and says of each whether it is well and what to do when it is not.
import { exitCodes, Failure } from './failure.ts'

export interface Finding {
  state: 'ok' | 'warning' | 'failed' | 'skipped'
  says: string
  /** What to do about it. */
  advice?: string | undefined
}

export interface Check<Tools> {
  name: string
  /** Checks without which this one can tell nothing. */
  needs: readonly string[]
  /** What it may take, where that is not what all may. */
  limitMs?: number
  /** @throws {Failure} when it is not well. */
  look(tools: Tools): Promise<Finding>
  /** What to do when it is not well. */
  advise(failure: Failure): string
}

export interface CheckedRow extends Finding {
  check: string
  ms: number
}

export interface Checkup {
  isWell: boolean
  checks: CheckedRow[]
  /** What the first check that failed by throwing failed with. */
  firstFailure: Failure | undefined
}

interface CheckupOptions<Tools> {
  /** What checks work with; the signal ends the work of one. */
  tools: (signal: AbortSignal) => Tools
  /** What one check may take, unless it says otherwise. */
  limitMs: number
  signal: AbortSignal
  onBegin: (check: string) => void
  /** What an error means to who asked; nothing for a fault of our own. Left out, only a `Failure` means something. */
  explain?: (error: unknown) => Failure | undefined
}

/** Looks at all of them in their order; `ok` and `warning` are good enough for those that need a check. */
export async function runChecks<Tools>(
  checks: readonly Check<Tools>[],
  options: CheckupOptions<Tools>,
): Promise<Checkup> {
  const rows = new Map<string, CheckedRow>()
  let firstFailure: Failure | undefined
  for (const check of checks) {
    options.onBegin(check.name)
    const startedMs = performance.now()
    const missing = check.needs.find((name) => !isPassed(rows.get(name)))
    const { failure, ...finding }: Finding & { failure?: Failure } =
      missing === undefined ? await examine(check, options) : { state: 'skipped', says: nothingToTell(missing) }
    firstFailure ??= failure
    rows.set(check.name, { check: check.name, ...finding, ms: Math.round(performance.now() - startedMs) })
  }
  const all = [...rows.values()]
  return { isWell: all.every(({ state }) => state !== 'failed'), checks: all, firstFailure }
}

const nothingToTell = (missing: string) => `nothing can be told without: ${missing}`

const isPassed = (finding: Finding | undefined) => finding?.state === 'ok' || finding?.state === 'warning'

async function examine<Tools>(
  check: Check<Tools>,
  { tools, signal, explain = onlyFailures, ...options }: CheckupOptions<Tools>,
): Promise<Finding & { failure?: Failure }> {
  const limitMs = check.limitMs ?? options.limitMs
  const limit = AbortSignal.timeout(limitMs)
  try {
    return await check.look(tools(AbortSignal.any([signal, limit])))
  } catch (error) {
    signal.throwIfAborted()
    const failure = limit.aborted
      ? new Failure(`not done within ${limitMs / 1000} s`, exitCodes.unavailable, { cause: error })
      : explain(error)
    if (failure === undefined) throw error
    return { state: 'failed', says: failure.message, advice: check.advise(failure), failure }
  }
}

const onlyFailures = (error: unknown) => (error instanceof Failure ? error : undefined)

const stateWidth = 'warning'.length

/** One line a check, with what to do below what is not well. */
export function checkupText({ checks }: Checkup, { withTimes = false } = {}): string {
  const nameWidth = Math.max(...checks.map(({ check }) => check.length))
  return checks
    .map(({ check, state, says, advice, ms }) => {
      const time = withTimes && state !== 'skipped' ? ` (${(ms / 1000).toFixed(1)} s)` : ''
      const row = `${state.padEnd(stateWidth)}  ${check.padEnd(nameWidth)}  ${says}${time}`
      return advice === undefined ? row : `${row}\n${' '.repeat(stateWidth + nameWidth + 4)}${advice}`
    })
    .join('\n')
}
