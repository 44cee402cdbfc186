// A checkout of its own for each test file, as somebody has it who just cloned and installed: what commands write there
// meets nobody else's work.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { projectDir } from './documents.ts'

export interface Ran {
  exitCode: number | null
  stdout: string
  stderr: string
}

export interface Checkout {
  dir: string
  /** Runs a command as somebody types it: what earlier ones set in this shell is set. */
  run(command: string): Promise<Ran>
  /** Starts what goes on until Ctrl-C. */
  start(command: string): Program
  /** Ends what still runs, and leaves nothing. */
  remove(): Promise<void>
}

export interface Program {
  /** All that it has printed by the time that this fits. @throws when it ends before. */
  says(pattern: RegExp): Promise<string>
  /** Presses Ctrl-C, and waits for the end. */
  interrupt(): Promise<Ran>
  /** Waits for the end. */
  end(): Promise<Ran>
}

const notCopied = new Set(['node_modules', '.git', 'dist', '.local', '.serverless', 'coverage'])

export async function checkOut(): Promise<Checkout> {
  const dir = await mkdtemp(join(tmpdir(), 'readme-'))
  for (const name of await readdir(projectDir)) {
    const filter = (path: string) => !notCopied.has(basename(path))
    await cp(join(projectDir, name), join(dir, name), { recursive: true, filter })
  }
  await symlink(join(projectDir, 'node_modules'), join(dir, 'node_modules'))
  const home = await mkdtemp(join(tmpdir(), 'readme-home-'))
  const env = { ...userEnvironment(), XDG_CONFIG_HOME: home, XDG_STATE_HOME: home }
  const running = new Set<ChildProcess>()

  const bash = (script: string) => {
    // A group of its own, which gets the Ctrl-C whole, as from a terminal.
    const child = spawn('bash', ['-c', script], { cwd: dir, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    child.once('close', () => running.delete(child))
    return child
  }
  const shellState = join(home, 'shell-state')
  return {
    dir,
    async run(command) {
      const child = bash(`set -a; [ ! -e '${shellState}' ] || . '${shellState}'
${command}
ended_with=$?; export -p > '${shellState}'; exit $ended_with`)
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
      return { exitCode: child.exitCode, stdout, stderr }
    },
    start: (command) => programOf(bash(`exec ${command}`)),
    async remove() {
      await Promise.all([...running].map((child) => programOf(child).interrupt()))
      await rm(dir, { recursive: true, force: true })
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** Without what npm and vitest set for their own children, and without their folders of programs. */
function userEnvironment(): Record<string, string | undefined> {
  const theirs = /^(?:npm_.*|VITEST.*|NODE_ENV|TEST|MODE|PROD|DEV|SSR|BASE_URL|(?:CONDUIT|XNAT|AWS)_.*)$/
  const kept = Object.entries(process.env).filter(([name]) => !theirs.test(name))
  const path = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'))
  return { ...Object.fromEntries(kept), PATH: path.join(':') }
}

function programOf(child: ChildProcess): Program {
  const said = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => {
    said.stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    said.stderr += chunk
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const end = async () => {
    if (child.exitCode === null) await closed
    return { exitCode: child.exitCode, ...said }
  }
  return {
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => pattern.test(said.stdout) && resolve(said.stdout)
        child.stdout?.on('data', look)
        child.once('close', () => reject(new Error(`It ended with ${child.exitCode}: ${said.stdout}${said.stderr}`)))
        look()
      }),
    interrupt() {
      // Less than nothing is the whole group; one that has ended is none.
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
      return end()
    },
    end,
  }
}
