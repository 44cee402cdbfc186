// What a command is: its words, its options as `--help` shows them, and what it does.
import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util'
import * as z from 'zod'
import type { ConduitApi } from './conduit-api.ts'
import { type ExitCode, usageFailure } from './failure.ts'
import type { Profile } from './profile.ts'
import type { Terminal } from './terminal.ts'

export interface CommandTools {
  api: ConduitApi
  profile: Profile
  terminal: Terminal
  /** Prints the result: as JSON with `-o json`, else as text. */
  show(result: unknown, asText: () => string): void
  /** Where to keep what is needed to go on after the command was broken off. */
  stateFolder: string
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
}

interface Option extends ParseArgsOptionDescriptor {
  about: string
  /** What `--help` calls its value. */
  value?: string
}

export interface Command {
  /** What calls it; of two commands that begin alike, the longer is meant. */
  words: string
  shortForm: string | undefined
  summary: string
  help: string
  /** Reads what follows the words. @throws {Failure} when it is not right. */
  parse(args: readonly string[]): ParsedCommand
}

export interface ParsedCommand {
  wantsHelp: boolean
  output: 'text' | 'json'
  profile: string | undefined
  /** Of the API, where the command names it itself. */
  address: string | undefined
  run: (tools: CommandTools) => Promise<ExitCode>
}

interface CommandSpec<Input extends z.ZodType> {
  words: string
  /** Calls it too. */
  shortForm?: string
  summary: string
  /** What follows the words, all of it required. */
  positionals: readonly string[]
  /** What may follow them, as often as wanted. */
  more?: string
  options: Readonly<Record<string, Option>>
  /** The positionals and options by their names. */
  input: Input
  /** The API's address, where it is among them. */
  address?: (input: z.output<Input>) => string | undefined
  /** Whole command lines, each with what it is for. */
  examples: readonly { about: string; line: string }[]
  run: (input: z.output<Input>, tools: CommandTools) => Promise<ExitCode>
}

const commonOptions: CommandSpec<z.ZodType>['options'] = {
  output: { type: 'string', short: 'o', value: 'FORMAT', about: 'text (the default) or json' },
  profile: { type: 'string', value: 'NAME', about: 'which API to ask: see `conduit --help`' },
  help: { type: 'boolean', short: 'h', about: 'show this' },
}

const Common = z.object({
  output: z.enum(['text', 'json']).default('text'),
  profile: z.string().optional(),
  help: z.boolean().default(false),
})

/** Makes a command of its description. */
export function command<Input extends z.ZodType>(spec: CommandSpec<Input>): Command {
  const { words, shortForm, summary, positionals: names, more, input, address, run } = spec
  const options = { ...spec.options, ...commonOptions }
  return {
    words,
    shortForm,
    summary,
    help: helpFor(spec),
    parse(args) {
      const { values, positionals } = splitArgs(args, options)
      const { output, profile, help: wantsHelp } = checked(Common, values)
      if (wantsHelp) {
        const notAsked = () => Promise.reject(new Error('help was asked for'))
        return { wantsHelp, output, profile, address: undefined, run: notAsked }
      }
      const further = positionals.slice(names.length)
      if (positionals.length < names.length || (more === undefined && further.length > 0)) {
        throw usageFailure(`wanted: conduit ${callOf(spec)}`)
      }
      const named = Object.fromEntries(names.map((name, index) => [name, positionals[index]]))
      const given = checked(input, { ...values, ...named, ...(more !== undefined && { [more]: further }) })
      return { wantsHelp, output, profile, address: address?.(given), run: (tools) => run(given, tools) }
    },
  }
}

function splitArgs(args: readonly string[], options: Readonly<Record<string, Option>>) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    // Node's own words for an option that is not known or not whole.
    if (error instanceof TypeError) throw usageFailure(error.message)
    throw error
  }
}

function checked<T extends z.ZodType>(schema: T, values: unknown): z.output<T> {
  const parsed = schema.safeParse(values)
  if (parsed.success) return parsed.data
  throw usageFailure(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
}

const callOf = ({ words, positionals, more }: Pick<CommandSpec<z.ZodType>, 'words' | 'positionals' | 'more'>) =>
  [
    words,
    ...positionals.map((name) => name.toUpperCase()),
    ...(more === undefined ? [] : [`[${more.toUpperCase()} ...]`]),
  ].join(' ')

function helpFor(spec: CommandSpec<z.ZodType>): string {
  const rows = Object.entries({ ...spec.options, ...commonOptions }).map(([name, { short, value, about }]) => {
    const long = `--${name}${value === undefined ? '' : ` ${value}`}`
    return [short === undefined ? `    ${long}` : `-${short}, ${long}`, about] as const
  })
  const width = Math.max(...rows.map(([left]) => left.length))
  return [
    `conduit ${callOf(spec)} [options]`,
    '',
    spec.summary,
    '',
    ...rows.map(([left, about]) => `  ${left.padEnd(width)}  ${about}`),
    '',
    ...spec.examples.flatMap(({ about, line }) => [`  # ${about}`, `  ${line}`]),
  ].join('\n')
}
