// Runs command lines in this process, and keeps what they say.
import { PassThrough } from 'node:stream'
import { runConduit, type Surroundings } from '../../functions/cli/run.ts'
import { openTerminal } from '../../functions/cli/terminal.ts'

export interface Said {
  exitCode: number
  stdout: string
  stderr: string
}

interface Situation extends Partial<Omit<Surroundings, 'terminal'>> {
  /** What somebody at the terminal types; left out, nobody is there. */
  typed?: string
}

/** Runs one command line as from a shell that has only these variables. */
export async function conduit(args: readonly string[], { typed, ...situation }: Situation = {}): Promise<Said> {
  const isTTY = typed !== undefined
  const written = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof written) =>
    Object.assign(new PassThrough(), { isTTY }).on('data', (chunk) => {
      written[name] += chunk
    })
  const stdin = Object.assign(new PassThrough(), { isTTY })
  stdin.end(typed ?? '')
  const terminal = openTerminal({ stdin, stdout: stream('stdout'), stderr: stream('stderr') })
  const { env = {}, stackFile = '/nowhere', signal = new AbortController().signal } = situation
  const exitCode = await runConduit(args, { env, stackFile, signal, terminal })
  return { exitCode, ...written }
}
