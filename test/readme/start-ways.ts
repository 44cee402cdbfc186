// `npm start` with each of its options. A start takes seconds, so those that do not touch one another are tried together:
// the table's other rows look at two starts.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { StackDescription } from '../../infra/local/stack.ts'
import { close, listen } from '../../infra/local/xnat-server/listening.ts'
import type { Checkout, Ran } from './checkout.ts'
import type { Way } from './ways.ts'

/** What is typed for the rows of the table that name no `--once` and no `--bundles`. */
export const bothStarts = [
  'npm start -- --keep kept --no-tour --port N --describe stack-of-mine.json --verbose',
  'npm start -- --keep kept --tour --data my-files --describe stack-of-mine.json',
] as const

interface Started extends Ran {
  description: StackDescription
}

export const startWays: readonly Way<Checkout>[] = [
  {
    commands: /^npm start -- --once$/,
    async try(command, { run }) {
      const { exitCode, stdout } = await run(command)
      expect(stdout).toMatch(/digests equal {2}(\d+) of \1\n/)
      expect(exitCode).toBe(0)
    },
  },
  looksAtBoth(/^npm start -- --data DIR$/, ([, second]) => {
    expect(second.stdout).toMatch(/files +2 [\s\S]*digests equal {2}2 of 2\n/)
  }),
  looksAtBoth(/^npm start -- --keep DIR$/, ([first, second]) => {
    expect(second.description.serviceKey).toEqual(first.description.serviceKey)
  }),
  looksAtBoth(/^npm start -- --no-tour$/, ([first, second]) => {
    expect([first, second].map(({ stdout }) => stdout.includes('Tour:'))).toEqual([false, true])
  }),
  looksAtBoth(/^npm start -- --port N$/, ([first, second]) => {
    expect(first.description.api).toBe(`http://127.0.0.1:${port}`)
    expect(second.stdout).toContain('All of it is in stack-of-mine.json')
  }),
  looksAtBoth(/^npm start -- --verbose$/, ([first, second]) => {
    const isLogged = ({ stderr }: Ran) => /\[health\] \{.*"level":"info"/.test(stderr)
    expect([first, second].map(isLogged)).toEqual([true, false])
  }),
]

/** What `npm run build` makes has to be there. */
export const startOfBundles: Way<Checkout> = {
  commands: /^npm start -- --bundles$/,
  instead: 'Without the tour, and described elsewhere.',
  async try(command, checkout) {
    const { stdout } = await untilUp(checkout, `${command} --no-tour --describe stack-of-mine.json`)
    expect(stdout).toContain('Stopping.')
  },
}

let port: number
let both: Promise<[Started, Started]> | undefined

function looksAtBoth(commands: RegExp, look: (starts: [Started, Started]) => void): Way<Checkout> {
  const instead = `Together with others: ${bothStarts.join('; ')}`
  return {
    commands,
    instead,
    async try(_, checkout) {
      both ??= startTwice(checkout)
      look(await both)
    },
  }
}

async function startTwice(checkout: Checkout): Promise<[Started, Started]> {
  port = await freePort()
  await mkdir(join(checkout.dir, 'my-files/notes'), { recursive: true })
  await writeFile(join(checkout.dir, 'my-files/notes/first.txt'), 'any kind')
  await writeFile(join(checkout.dir, 'my-files/table.csv'), '1,2')
  const [one, other] = bothStarts
  return [await untilUp(checkout, one.replace('--port N', `--port ${port}`)), await untilUp(checkout, other)]
}

async function untilUp(checkout: Checkout, line: string): Promise<Started> {
  const program = checkout.start(line)
  await program.says(/Ctrl-C ends it/)
  const description = JSON.parse(await readFile(join(checkout.dir, 'stack-of-mine.json'), 'utf8'))
  expect((await fetch(`${description.api}/health`)).status).toBe(200)
  return { ...(await program.interrupt()), description }
}

async function freePort(): Promise<number> {
  const server = createServer()
  const free = await listen(server, 0)
  await close(server)
  return free
}
