import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import { conduit } from '../support/command-line.ts'
import { askXnat } from '../support/stack-xnat.ts'

let stack: Stack
let folder: string
let stackFile: string
beforeAll(async () => {
  stack = await startStack({ service: inject('service') })
  folder = await mkdtemp(join(tmpdir(), 'smoke-'))
  stackFile = join(folder, 'stack.json')
  await writeFile(stackFile, JSON.stringify(stack.description))
  await xnat('PUT', '/data/projects/P1')
}, 60_000)
afterAll(async () => {
  await stack.stop()
  await rm(folder, { recursive: true })
})

const xnat = (method: string, path: string) => askXnat(stack.description.xnat, method, path)

/** A program of package.json in a process of its own, as a shell starts it. */
function program(file: string, args: string[], env: Record<string, string>) {
  const main = join(import.meta.dirname, '../..', file)
  return new Promise<{ exitCode: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) =>
      resolve({ exitCode: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}

interface Row {
  check: string
  state: string
  says: string
}

const statesOf = (stdout: string) =>
  Object.fromEntries((JSON.parse(stdout) as { checks: Row[] }).checks.map(({ check, state }) => [check, state]))

describe('the local stack, tried from outside', () => {
  it('is well all the way into XNAT, where the tiny file stays', async () => {
    const env = { XDG_STATE_HOME: folder }
    const args = ['smoke', '--deliver', 'P1', '--patience', '1', '-o', 'json']
    const { exitCode, stdout } = await conduit(args, { stackFile, env })

    expect(statesOf(stdout)).toEqual({
      API: 'ok',
      'wrong key': 'ok',
      'service key': 'ok',
      description: 'ok',
      documentation: 'ok',
      console: 'ok',
      receipts: 'ok',
      XNAT: 'ok',
      'dead letters': 'ok',
      delivery: 'ok',
    })
    expect(exitCode).toBe(0)
    const files = await xnat('GET', '/data/projects/P1/resources/SMOKE/files?format=json')
    const [, name] = /"Name":"(smoke-[^"]+\.txt)"/.exec(files) ?? []
    expect(stdout).toContain(`${name} is verified in XNAT; it stays there, in SMOKE of P1`)
  }, 90_000)

  it('says why a file was not delivered', async () => {
    const { exitCode, stdout } = await conduit(['smoke', '--deliver', 'NONE', '-o', 'json'], { stackFile })

    expect(exitCode).toBe(1)
    expect(statesOf(stdout)).toMatchObject({ XNAT: 'ok', delivery: 'failed' })
    expect(stdout).toContain('XNAT has no project NONE')
  })

  it('refuses a key that is none', async () => {
    const args = ['smoke', stack.description.api, '-o', 'json']
    const { exitCode, stdout } = await program('functions/cli/conduit.ts', args, { CONDUIT_SERVICE_KEY: 'fake-key' })

    expect(exitCode).toBe(1)
    expect(statesOf(stdout)).toMatchObject({ API: 'ok', 'wrong key': 'ok', 'service key': 'failed', console: 'ok' })
  })
})

it('has an XNAT that lacks nothing', async () => {
  const { url, user, password } = stack.description.xnat
  const env = { XNAT_URL: url, XNAT_SERVICE_USER: user, XNAT_SERVICE_PASSWORD: password }
  const { exitCode, stdout, stderr } = await program('functions/cli/xnat-doctor.ts', ['-o', 'json'], env)

  expect(Object.entries(statesOf(stdout)).filter(([, state]) => state !== 'ok')).toEqual([['password', 'warning']])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).not.toContain(password)
})
