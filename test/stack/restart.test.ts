import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StackDescription } from '../../infra/local/stack.ts'
import { md5 } from '../support/delivery-rig.ts'

let folder: string
const running: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'restart-'))
})
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
})

const projectDir = join(import.meta.dirname, '../..')
const stackFile = () => join(folder, 'stack.json')

/** `npm start` as a user runs it, but for the place of its description. */
function start(...options: string[]): ChildProcess {
  const child = spawn(process.execPath, ['infra/local/start.ts', '--describe', stackFile(), ...options], {
    cwd: projectDir,
    stdio: 'ignore',
  })
  running.push(child)
  return child
}

async function description(): Promise<StackDescription> {
  await expect.poll(() => existsSync(stackFile()), { timeout: 20_000 }).toBe(true)
  return JSON.parse(readFileSync(stackFile(), 'utf8'))
}

function xnatFetch({ xnat }: StackDescription, path: string, init: RequestInit = {}) {
  const authorization = `Basic ${Buffer.from(`${xnat.user}:${xnat.password}`).toString('base64')}`
  return fetch(xnat.url + path, { ...init, headers: { authorization } })
}

describe('the stack with its data kept', () => {
  it('ends a delivery that was under way when it was killed', async () => {
    const keep = join(folder, 'kept')
    const first = start('--keep', keep, '--no-tour')
    const before = await description()
    await xnatFetch(before, '/data/projects/P', { method: 'PUT' })
    await xnatFetch(before, '/data/projects/P/subjects/S/experiments/E?xsiType=xnat:mrSessionData', { method: 'PUT' })
    await fetch(`${before.xnat.url}/__stand-in/faults`, {
      method: 'POST',
      body: JSON.stringify({ when: { method: 'PUT', path: '/files/' }, kind: 'slow', delayMs: 60_000 }),
    })
    const { endpoint, region, buckets, ...credentials } = before.s3
    const s3 = new S3Client({ endpoint, region, credentials })
    const Key = 'projects/P/subjects/S/experiments/E/scans/1/resources/DICOM/files/1.dcm'
    await s3.send(new PutObjectCommand({ Bucket: buckets['incoming'], Key, Body: 'content' }))
    s3.destroy()
    const requests = async () => (await fetch(`${before.xnat.url}/__stand-in/requests`)).text()
    await expect.poll(requests, { timeout: 20_000 }).toContain('/files/')

    first.kill('SIGKILL')
    await once(first, 'exit')
    rmSync(stackFile())
    start('--keep', keep, '--no-tour')
    const after = await description()

    const digests = async () => {
      const reply = await xnatFetch(
        after,
        '/data/projects/P/subjects/S/experiments/E/scans/1/resources/DICOM/files?format=json',
      )
      const { ResultSet } = JSON.parse(await reply.text())
      return ResultSet.Result.map(({ digest }: { digest: string }) => digest)
    }
    await expect.poll(digests, { timeout: 30_000 }).toEqual([md5('content')])
  }, 90_000)
})

describe('npm start', () => {
  it('does the tour and exits 0 with --once, and takes its description away', async () => {
    const child = start('--once')
    const [code] = await once(child, 'exit')

    expect(code).toBe(0)
    expect(existsSync(stackFile())).toBe(false)
  }, 60_000)

  it('ends cleanly when it is interrupted, with no process left', async () => {
    const child = start('--no-tour')
    const { api } = await description()
    await fetch(`${api}/health`)

    child.kill('SIGINT')
    const [code] = await once(child, 'exit')

    expect(code).toBe(0)
    await expect(fetch(`${api}/health`)).rejects.toThrow()
    expect(existsSync(stackFile())).toBe(false)
  }, 60_000)

  it('says which port is taken', async () => {
    start('--no-tour')
    const { api } = await description()
    const child = spawn(
      process.execPath,
      ['infra/local/start.ts', '--no-tour', '--port', new URL(api).port, '--describe', `${stackFile()}2`],
      { cwd: projectDir },
    )
    let text = ''
    child.stderr.on('data', (chunk) => {
      text += chunk
    })
    const [code] = await once(child, 'exit')

    expect(code).toBe(1)
    expect(text).toMatch(new RegExp(`Port ${new URL(api).port} is taken`))
  }, 60_000)

  it.each([
    [['--nonsense'], /nonsense/],
    [['--data', '/no/such/folder'], /there is no folder/],
    [['--port', 'many'], /--port wants a number/],
  ])('explains itself when an option is wrong: %j', async (options, message) => {
    const child = spawn(process.execPath, ['infra/local/start.ts', ...options], { cwd: projectDir })
    let text = ''
    child.stderr.on('data', (chunk) => {
      text += chunk
    })
    const [code] = await once(child, 'exit')

    expect(code).toBe(2)
    expect(text).toMatch(message)
    expect(text).toContain('--keep DIR')
  })
})
