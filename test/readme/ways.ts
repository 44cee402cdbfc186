// Commands of the READMEs and the ways in which they are tried: each has exactly one.
import { spawnSync } from 'node:child_process'
import { it } from 'vitest'
import { type Command, placeOf } from './documents.ts'

export interface Way<Place> {
  /** The whole commands that are tried so. */
  commands: RegExp
  /** What is done in place of running it as it stands, and why. */
  instead?: string
  /** Programs that have to be on the machine; where one is not, the command is skipped and it is named. */
  needs?: readonly string[]
  try(command: string, place: Place): Promise<unknown>
}

/** A test for each of the commands that these ways are for, once where a command is told more often. */
export function itTries<Place>(commands: readonly Command[], ways: readonly Way<Place>[], place: () => Place): void {
  const first = new Map(commands.toReversed().map((command) => [command.text, command]))
  for (const command of new Set(commands.map(({ text }) => first.get(text)))) {
    for (const way of ways) {
      if (command === undefined || !way.commands.test(command.text)) continue
      const missing = (way.needs ?? []).filter((program) => spawnSync(program, ['--version']).status !== 0)
      const title = `${placeOf(command)} ${command.text.split('\n')[0]}`
      const run = () => way.try(command.text, place())
      if (missing.length === 0) it(title, run, 120_000)
      else it.skip(`${title} (skipped without ${missing.join(', ')})`, run)
    }
  }
}
