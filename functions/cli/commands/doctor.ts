import * as z from 'zod'
import { checkupText, runChecks } from '../checkup.ts'
import { command } from '../command.ts'
import { conduitApi } from '../conduit-api.ts'
import { checks } from '../doctor/checks.ts'
import { exitCodes } from '../failure.ts'

/** The longest, that of the sweep, asks for the state of three cohorts. */
const limitMs = 120_000

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
    const { profile, signal, terminal, show } = tools
    const checkup = await runChecks(checks, {
      tools: (limited) => ({ ...tools, api: conduitApi(profile, limited), signal: limited }),
      limitMs,
      signal,
      onBegin: (check) => terminal.progress(`looking at ${check}`),
    })
    const { firstFailure, ...report } = checkup
    show(report, () => checkupText(checkup))
    return firstFailure?.exitCode ?? exitCodes.done
  },
})
