// The system's Python, for other people's programs that are written in it.
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'

const python = '/usr/bin/python3'

/** Why these imports fail; `undefined` when they do not. */
export function whyNotImported(imports: string, env: Record<string, string>): string | undefined {
  const { error, status, stderr }: SpawnSyncReturns<string> = spawnSync(python, ['-c', imports], {
    encoding: 'utf8',
    env,
  })
  if (error !== undefined) return `${python} does not run (${error.message})`
  return status === 0 ? undefined : `${python}: ${stderr.trim().split('\n').at(-1)}`
}

export interface PythonRun {
  status: number | null
  out: string
  log: string
}

export async function runPython(
  script: string,
  { env, input = '' }: { env: Record<string, string>; input?: string },
): Promise<PythonRun> {
  const child = spawn(python, [script], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  child.stdin.end(input)
  const [out, log, status] = await Promise.all([text(child.stdout), text(child.stderr), exit])
  return { status, out, log }
}
