import * as z from 'zod'
import { type CommandTools, command } from '../command.ts'
import { type Check, checks, type Finding } from '../doctor/checks.ts'
import { exitCodes, Failure } from '../failure.ts'

export const doctor = command({
  words: 'doctor',
  summary: 'Looks at all that has to be well, from this machine to the PACS, and says what to do about the rest.',
  positionals: [],
  options: {},
  input: z.object({}),
  examples: [
    { about: 'after a deployment', line: 'conduit doctor --profile prod' },
    { about: 'for a script: ends with the exit code of the first check that failed', line: 'conduit doctor -o json' },
  ],
  async run(_, tools) {
    const found = new Map<string, Finding>()
    for (const check of checks) {
      tools.terminal.progress(`looking at ${check.name}`)
      found.set(check.name, await examine(check, found, tools))
    }
    const isWell = [...found.values()].every(({ state }) => state !== 'failed')
    const rows = [...found].map(([check, { state, says, advice }]) => ({ check, state, says, advice }))
    tools.show({ isWell, checks: rows }, () => rows.map(rowText).join('\n'))
    return [...found.values()].find(({ cause }) => cause !== undefined)?.cause?.exitCode ?? exitCodes.done
  },
})

async function examine(check: Check, found: ReadonlyMap<string, Finding>, tools: CommandTools): Promise<Finding> {
  const missing = check.needs.find((name) => !isPassed(found.get(name)))
  if (missing !== undefined) return { state: 'skipped', says: `nothing can be told without: ${missing}` }
  try {
    return await check.look(tools)
  } catch (error) {
    if (!(error instanceof Failure) || tools.signal.aborted) throw error
    return { state: 'failed', says: error.message, advice: check.advise(error), cause: error }
  }
}

const isPassed = (finding: Finding | undefined) => finding?.state === 'ok' || finding?.state === 'warning'

const stateWidth = 'warning'.length
const nameWidth = Math.max(...checks.map(({ name }) => name.length))

function rowText({ check, state, says, advice }: { check: string } & Omit<Finding, 'cause'>): string {
  const row = `${state.padEnd(stateWidth)}  ${check.padEnd(nameWidth)}  ${says}`
  return advice === undefined ? row : `${row}\n${' '.repeat(stateWidth + nameWidth + 4)}${advice}`
}
