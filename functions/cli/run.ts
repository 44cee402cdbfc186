// From the words of a command line to an exit code.
import { version } from '../../lib/version.ts'
import type { Command } from './command.ts'
import { backfill } from './commands/backfill.ts'
import { listDeadLetters, redriveDeadLetters } from './commands/dead-letters.ts'
import { deliver } from './commands/deliver.ts'
import { doctor } from './commands/doctor.ts'
import { importStatus, retryImports } from './commands/imports.ts'
import { provision } from './commands/provision.ts'
import { smoke } from './commands/smoke.ts'
import { conduitApi } from './conduit-api.ts'
import { type ExitCode, exitCodes, Failure, usageFailure } from './failure.ts'
import { findProfile, type ProfileSources, profilesFile, stateFolder } from './profile.ts'
import type { Terminal } from './terminal.ts'

/** Every command; `--help` shows them in this order. */
const commands: readonly Command[] = [
  importStatus,
  retryImports,
  provision,
  deliver,
  listDeadLetters,
  redriveDeadLetters,
  backfill,
  doctor,
  smoke,
]

export interface Surroundings extends Omit<ProfileSources, 'name' | 'address'> {
  terminal: Terminal
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
}

/** Runs one command line, without the program's name, and says what it ends with. It throws nothing. */
export async function runConduit(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { terminal, signal } = surroundings
  try {
    return await dispatch(args, surroundings)
  } catch (error) {
    if (signal.aborted) return exitCodes.interrupted
    if (error instanceof Failure) {
      terminal.tell(`conduit: ${error.message}`)
      return error.exitCode
    }
    terminal.tell(`conduit: ${error instanceof Error ? (error.stack ?? error.message) : error}`)
    return exitCodes.failed
  }
}

async function dispatch(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { terminal, signal } = surroundings
  const [first] = args
  if (first === '--version') return said(terminal, version)
  if (first === '--help' || first === '-h') return said(terminal, overview(surroundings))
  if (first === undefined) throw usageFailure(`which command?\n\n${overview(surroundings)}`)

  const { command, rest } = commandOf(args)
  const { wantsHelp, output, profile: name, address, run } = command.parse(rest)
  if (wantsHelp) return said(terminal, command.help)
  const profile = await findProfile({ ...surroundings, name, address })
  const show = (result: unknown, asText: () => string) =>
    terminal.print(output === 'json' ? JSON.stringify(result) : asText())
  const api = conduitApi(profile, signal)
  return run({ api, profile, terminal, show, stateFolder: stateFolder(surroundings.env), signal })
}

function commandOf(args: readonly string[]): { command: Command; rest: readonly string[] } {
  const calls = commands.flatMap((command) => [
    { command, words: command.words.split(' ') },
    ...(command.shortForm === undefined ? [] : [{ command, words: command.shortForm.split(' ') }]),
  ])
  const call = calls
    .toSorted((a, b) => b.words.length - a.words.length)
    .find(({ words }) => words.every((word, index) => args[index] === word))
  if (call === undefined) throw usageFailure(`there is no command ${args[0]}: see conduit --help`)
  return { command: call.command, rest: args.slice(call.words.length) }
}

function said(terminal: Terminal, text: string): ExitCode {
  terminal.print(text)
  return exitCodes.done
}

function overview({ env }: Surroundings): string {
  const width = Math.max(...commands.map(({ words }) => words.length))
  return [
    'conduit COMMAND [options]',
    '',
    ...commands.map(({ words, summary }) => `  ${words.padEnd(width)}  ${summary}`),
    '',
    '  `conduit COMMAND --help` shows options and examples.',
    '',
    'Which API: --profile NAME or CONDUIT_PROFILE, from',
    `  ${profilesFile(env)}`,
    '  {"prod": {"url": "https://conduit.example.org", "serviceKey": "...",',
    '            "incoming": {"bucket": "...", "region": "..."}}}',
    'else CONDUIT_URL, CONDUIT_SERVICE_KEY and CONDUIT_INCOMING_BUCKET, else the local stack while `npm start` runs.',
    'Only `deliver`, `doctor` and `smoke --deliver` speak to the bucket, with the credentials that AWS finds in its own places.',
    '',
    'Exit codes: 0 done, 1 failed, 2 wrong usage or no profile, 3 done in part (the same command goes on),',
    '4 the API is busy or not to be reached, 5 the service key was refused, 130 interrupted.',
  ].join('\n')
}
