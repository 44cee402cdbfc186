import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import * as z from 'zod'
import { runFunctions } from '../../../infra/local/run-functions/run-functions.ts'
import { FIXTURE_SERVICE, functionModel, REGION, route, serviceModel } from './function-models.ts'
import { isAlive, startFixture } from './start-fixture.ts'

const Behaved = z.object({ pid: z.number() })

describe('stopping', () => {
  it('leaves no process behind and lets each clean up after SIGTERM', async () => {
    const fixture = await startFixture(serviceModel([functionModel('behave', { reservedConcurrency: 3 })]))
    const results = await Promise.all([1, 2, 3].map(() => fixture.invoke('behave', { ms: 50 })))
    const pids = new Set(results.map((result) => Behaved.parse(result).pid))
    expect(pids.size).toBe(3)

    await fixture.stop()

    expect([...pids].filter(isAlive)).toEqual([])
    expect(fixture.lines.filter(({ line }) => line === 'good night')).toHaveLength(3)
  })

  it('lets a request under way be answered, and takes no new one', async () => {
    const fixture = await startFixture(serviceModel([functionModel('web', { events: [route('GET', '/')] })]))
    await fetch(fixture.apiUrl)
    const pending = fetch(`${fixture.apiUrl}/?ms=500`)
    await sleep(100)
    const stopped = fixture.stop()
    await expect(fetch(fixture.apiUrl)).rejects.toThrow()
    expect((await pending).status).toBe(200)
    await stopped
  })

  it('ends what takes longer than the grace', async () => {
    const fixture = await startFixture(serviceModel([functionModel('behave', { timeoutSeconds: 60 })]))
    const { pid } = Behaved.parse(await fixture.invoke('behave', {}))
    const pending = expect(fixture.invoke('behave', { do: 'spin' })).rejects.toThrow('Runtime exited')
    const started = Date.now()
    await fixture.stop(100)
    expect(isAlive(pid)).toBe(false)
    expect(Date.now() - started).toBeLessThan(4_000)
    await pending
  })

  it('ends a process that was still starting, and runs no event that was still waiting', async () => {
    const fixture = await startFixture(serviceModel([functionModel('behave', { reservedConcurrency: 1 })]))
    const first = expect(fixture.invoke('behave', {})).rejects.toThrow('Runtime exited')
    const second = expect(fixture.invoke('behave', {})).rejects.toThrow('stopped before this event had its turn')
    await fixture.stop(0)
    await Promise.all([first, second])
    expect(fixture.peaks()['behave']).toMatchObject({ coldStarts: 1, failures: 2 })
  })

  it('may be asked for twice', async () => {
    const fixture = await startFixture(serviceModel([functionModel('behave', { events: [route('GET', '/')] })]))
    await Promise.all([fixture.stop(), fixture.stop()])
    await fixture.stop()
  })
})

describe('a runner that is killed', () => {
  it('takes the processes of its functions with it', async () => {
    const main = fileURLToPath(new URL('./fixtures/killed-runner.ts', import.meta.url))
    const runner = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void runner.kill('SIGKILL'))
    const [line] = await once(createInterface({ input: runner.stdout }), 'line')
    const pids = z
      .array(Behaved)
      .length(2)
      .parse(JSON.parse(line))
      .map(({ pid }) => pid)
    expect(pids.filter(isAlive)).toHaveLength(2)

    runner.kill('SIGKILL')

    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), 5_000)
  })
})

describe('starting', () => {
  const start = (service: Parameters<typeof runFunctions>[0]['service'], more: object = {}) =>
    runFunctions({
      service,
      projectDir: FIXTURE_SERVICE,
      sqs: { url: 'http://127.0.0.1:9', region: REGION },
      apiPort: 0,
      ...more,
    })

  it('is refused when the file of a handler is missing', async () => {
    const service = serviceModel([functionModel('workers/nowhere')])
    await expect(start(service)).rejects.toThrow(`Function nowhere: there is no functions/workers/nowhere.ts in`)
    await expect(start(service, { bundles: true })).rejects.toThrow('there is no dist/workers/nowhere/index.mjs in')
  })

  it('runs the bundles, as they are deployed, when asked to', async () => {
    const projectDir = await mkdtemp(join(tmpdir(), 'run-functions-'))
    onTestFinished(() => rm(projectDir, { recursive: true, force: true }))
    await mkdir(join(projectDir, 'dist/api/health'), { recursive: true })
    await writeFile(
      join(projectDir, 'dist/api/health/index.mjs'),
      "export const handler = async () => 'from the bundle'",
    )

    const running = await start(serviceModel([functionModel('api/health')]), { projectDir, bundles: true })
    onTestFinished(() => running.stop(0))
    expect(await running.invoke('health', {})).toBe('from the bundle')
  })

  it('starts no process before there is an event', async () => {
    const running = await start(serviceModel([functionModel('behave', { events: [route('GET', '/')] })]))
    onTestFinished(() => running.stop(0))
    await sleep(200)
    expect(running.peaks()['behave']).toMatchObject({ coldStarts: 0 })
  })
})
