// `npm run doctor`: looks at an XNAT itself, before the product is deployed beside it. `conduit doctor` asks the API that was deployed.
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { loadSiteExpectations, type SiteExpectations } from '../../../lib/config.ts'
import { AppError, ConfigError, InvalidInputError, XnatError } from '../../../lib/errors.ts'
import { XnatClient } from '../../../lib/xnat/client.ts'
import { checkupText, runChecks } from '../checkup.ts'
import { type ExitCode, exitCodes, Failure, usageFailure } from '../failure.ts'
import type { Terminal } from '../terminal.ts'
import { administrator, password, sessions, signIn } from './account.ts'
import { address, encryption, version } from './address.ts'
import { autoArchive, checksums, dataTypes, newPasswords, seriesFilter, siteUrl } from './archive.ts'
import { command, containerHost, containerService, eventService, wrapper } from './conversion.ts'
import { dqrPlugin, dqrProjects, dqrRetries, pacs, pacsAnswers, pacsHours } from './dqr.ts'
import { receiver, relabelling } from './receiver.ts'
import type { SiteCheck } from './site.ts'

const forAll: readonly SiteCheck[] = [
  ...[address, encryption, signIn, version],
  ...[administrator, password, sessions],
  ...[siteUrl, autoArchive, checksums, seriesFilter, newPasswords, dataTypes],
  ...[eventService, containerService, command, wrapper, containerHost],
]

const forImports: readonly SiteCheck[] = [
  ...[dqrPlugin, dqrProjects, dqrRetries, pacs, pacsAnswers, pacsHours],
  ...[receiver, relabelling],
]

const usage = `npm run --silent doctor -- [options]

Signs in to the XNAT that is named by XNAT_URL, XNAT_SERVICE_USER and XNAT_SERVICE_PASSWORD, looks at all that the
functions will need of it, and says what is missing and what to do about it. It changes nothing there, except that DQR
keeps a record of having pinged the PACS. XNAT_AETITLE, XNAT_PORT, XNAT_TIME_ZONE, STALL_AFTER and DCM2NIIX_IMAGE count
as they do for the functions.

  -o, --output FORMAT  text (the default) or json
  --without-imports    leave out DQR, the PACS and the receiver: files are only delivered
  -h, --help           show this

Exit codes: 0 nothing is missing (warnings are told), 1 something is, 2 wrong usage or settings, 130 interrupted.
Of an API that is deployed already, \`npx conduit doctor\` says how it is.`

export interface DoctorSurroundings {
  env: Readonly<Record<string, string | undefined>>
  terminal: Terminal
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
}

/** Runs one command line, without the program's name, and says what it ends with. It throws nothing. */
export async function runXnatDoctor(
  args: readonly string[],
  { env, terminal, signal }: DoctorSurroundings,
): Promise<ExitCode> {
  try {
    const options = readOptions(args)
    if (options.help) {
      terminal.print(usage)
      return exitCodes.done
    }
    const checkup = await examine(expectations(env), options, { terminal, signal })
    const { firstFailure: _, ...report } = checkup
    terminal.print(options.output === 'json' ? JSON.stringify(report) : checkupText(checkup))
    return checkup.isWell ? exitCodes.done : exitCodes.failed
  } catch (error) {
    if (signal.aborted) return exitCodes.interrupted
    if (!(error instanceof Failure)) {
      terminal.tell(`doctor: ${error instanceof Error ? (error.stack ?? error.message) : error}`)
      return exitCodes.failed
    }
    terminal.tell(`doctor: ${error.message}`)
    return error.exitCode
  }
}

const Options = z.object({
  output: z.enum(['text', 'json']).default('text'),
  'without-imports': z.boolean().default(false),
  help: z.boolean().default(false),
})
type Options = z.output<typeof Options>

function readOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        output: { type: 'string', short: 'o' },
        'without-imports': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    return Options.parse(values)
  } catch (error) {
    // Node's own words for an option that is not known or not whole; zod's for a format that is none.
    if (error instanceof z.ZodError) throw usageFailure(`--output is text or json\n\n${usage}`)
    if (error instanceof TypeError) throw usageFailure(`${error.message}\n\n${usage}`)
    throw error
  }
}

function expectations(env: DoctorSurroundings['env']): SiteExpectations {
  try {
    return loadSiteExpectations(env)
  } catch (error) {
    throw error instanceof ConfigError ? usageFailure(`${error.message}. See --help.`) : error
  }
}

/** XNAT gives a PACS a minute to answer (DQR's dimseConnectTimeoutSeconds and the like). */
const limitMs = 90_000

async function examine(
  expected: SiteExpectations,
  options: Options,
  { terminal, signal }: Pick<DoctorSurroundings, 'terminal' | 'signal'>,
) {
  const xnat = clientFor(expected)
  try {
    return await runChecks(options['without-imports'] ? forAll : [...forAll, ...forImports], {
      tools: (limited) => ({ expected, xnat, signal: limited }),
      limitMs,
      signal,
      onBegin: (check) => terminal.progress(`looking at ${check}`),
      explain,
    })
  } finally {
    await signOut(xnat, terminal)
  }
}

/** @throws {Failure} for an address that holds more than an address, such as a password. */
function clientFor({ url, user, password: secret }: SiteExpectations): XnatClient {
  try {
    return new XnatClient({ url, credentials: { kind: 'password', user, password: secret }, retry: { attempts: 1 } })
  } catch (error) {
    throw error instanceof InvalidInputError ? usageFailure(error.message) : error
  }
}

/** What XNAT says of itself is for who asked; it is not logged. */
function explain(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error
  if (!(error instanceof AppError)) return undefined
  const detail = error instanceof XnatError && error.detail !== undefined ? ` (${error.detail})` : ''
  return new Failure(`${error.message}${detail}`, exitCodes.failed, { cause: error })
}

async function signOut(xnat: XnatClient, terminal: Terminal): Promise<void> {
  try {
    await xnat.close()
  } catch (error) {
    if (!(error instanceof XnatError)) throw error
    terminal.tell(`The session could not be ended, and ends by itself: ${error.message}`)
  }
}
