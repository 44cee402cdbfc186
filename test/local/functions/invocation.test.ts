import { describe, expect, it, onTestFinished, vi } from 'vitest'
import * as z from 'zod'
import { functionModel, serviceModel } from './function-models.ts'
import { startFixture } from './start-fixture.ts'

const Behaved = z.object({ pid: z.number(), invocations: z.number() })

const startBehave = (settings = {}) => startFixture(serviceModel([functionModel('behave', settings)]))

describe('a function run locally', () => {
  it('sees its own environment and Lambda’s, and nothing of the runner’s', async () => {
    vi.stubEnv('XNAT_PASSWORD', 'of the developer')
    onTestFinished(() => void vi.unstubAllEnvs())
    const service = serviceModel([functionModel('echo', { environment: { PLACE: 'function', OWN: 'yes' } })])
    const fixture = await startFixture(
      { ...service, environment: { PLACE: 'service', SHARED: 'yes', SECRET: { Ref: 'NotLocal' } } },
      { environment: { SECRET: 'local secret', AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' } },
    )

    const { environment } = z
      .object({ environment: z.record(z.string(), z.string()) })
      .parse(await fixture.invoke('echo', {}))

    expect(environment).toMatchObject({
      PLACE: 'function',
      OWN: 'yes',
      SHARED: 'yes',
      SECRET: 'local secret',
      AWS_REGION: 'eu-central-1',
      AWS_LAMBDA_FUNCTION_NAME: 'fixture-test-echo',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
      AWS_ENDPOINT_URL_SQS: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      AWS_ACCESS_KEY_ID: expect.any(String),
    })
    expect(environment).not.toHaveProperty('XNAT_PASSWORD')
    expect(Object.keys(environment).filter((name) => name.startsWith('VITEST'))).toEqual([])
  })

  it('gets a context that names it and counts down its time', async () => {
    const fixture = await startFixture(serviceModel([functionModel('echo', { timeoutSeconds: 30 })]))

    const { context, remainingMs } = z
      .object({ context: z.looseObject({ awsRequestId: z.string() }), remainingMs: z.number() })
      .parse(await fixture.invoke('echo', {}))

    expect(context).toMatchObject({
      functionName: 'fixture-test-echo',
      functionVersion: '$LATEST',
      memoryLimitInMB: '512',
      invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:fixture-test-echo',
      logGroupName: '/aws/lambda/fixture-test-echo',
    })
    expect(context.awsRequestId).toMatch(/^[\da-f-]{36}$/)
    expect(remainingMs).toBeGreaterThan(25_000)
    expect(remainingMs).toBeLessThanOrEqual(30_000)
  })

  it('stays warm: the next event finds the same process', async () => {
    const fixture = await startBehave()
    const first = Behaved.parse(await fixture.invoke('behave', {}))
    const second = Behaved.parse(await fixture.invoke('behave', {}))

    expect(second).toEqual({ pid: first.pid, invocations: 2 })
    expect(fixture.peaks()['behave']).toMatchObject({ invocations: 2, coldStarts: 1, failures: 0 })
  })

  it('handles one event at a time in each process, and in no more processes than its limit', async () => {
    const fixture = await startBehave({ reservedConcurrency: 2 })
    const results = await Promise.all([1, 2, 3, 4, 5, 6].map(() => fixture.invoke('behave', { ms: 50 })))

    expect(new Set(results.map((result) => Behaved.parse(result).pid)).size).toBe(2)
    expect(fixture.peaks()['behave']?.coldStarts).toBe(2)
  })

  it('is ended when it has been idle', async () => {
    const fixture = await startFixture(serviceModel([functionModel('behave')]), { idleMs: 100 })
    const { pid } = Behaved.parse(await fixture.invoke('behave', {}))
    await vi.waitFor(() => expect(fixture.logged()).toContain('good night'), 5_000)

    expect(Behaved.parse(await fixture.invoke('behave', {})).pid).not.toBe(pid)
  })

  it('answers what is left of its result after a trip through JSON', async () => {
    const fixture = await startBehave()
    expect(await fixture.invoke('behave', { do: 'return a date' })).toEqual({ at: '1970-01-01T00:00:00.000Z' })
    expect(await fixture.invoke('behave', { do: 'return nothing' })).toBeNull()
  })

  it('has what it writes passed on line by line under its name', async () => {
    const fixture = await startBehave()
    await fixture.invoke('behave', { do: 'talk' })

    await vi.waitFor(() => {
      expect(fixture.lines).toContainEqual({ functionName: 'behave', line: 'to stdout: grüße' })
      expect(fixture.lines).toContainEqual({ functionName: 'behave', line: 'to stderr' })
    })
  })

  it('has its peak memory told, like Lambda’s REPORT line, and not that of the runner', async () => {
    const ofTheRunner = Buffer.alloc(400_000_000, 1)
    const fixture = await startBehave()
    const peak = () => fixture.peaks()['behave']!.peakRssBytes
    await fixture.invoke('behave', {})
    expect(peak()).toBeGreaterThan(10_000_000)
    expect(peak()).toBeLessThan(ofTheRunner.length / 2)

    const before = peak()
    await fixture.invoke('behave', { do: 'allocate', bytes: 100_000_000 })
    expect(peak() - before).toBeGreaterThan(90_000_000)
    await fixture.invoke('behave', {})
    expect(peak() - before).toBeGreaterThan(90_000_000)
  })
})

describe('an invocation that fails', () => {
  it('tells type and message of what the handler threw, logs its stack and keeps the process', async () => {
    const fixture = await startBehave()
    const { pid } = Behaved.parse(await fixture.invoke('behave', {}))

    await expect(fixture.invoke('behave', { do: 'throw' })).rejects.toMatchObject({
      name: 'InvocationError',
      errorType: 'RangeError',
      message: 'out of range',
    })
    expect(fixture.logged()).toMatch(/Invoke Error RangeError: out of range\n.*behave\.ts:\d+/)
    expect(Behaved.parse(await fixture.invoke('behave', {})).pid).toBe(pid)
    expect(fixture.peaks()['behave']).toMatchObject({ invocations: 3, failures: 1 })
  })

  it('tells what was thrown when it is no error', async () => {
    const fixture = await startBehave()
    await expect(fixture.invoke('behave', { do: 'throw text' })).rejects.toMatchObject({ message: 'just text' })
  })

  it.each([
    ['waits', { ms: 60_000 }],
    ['never gives the processor back', { do: 'spin' }],
  ])('is cut off at the function’s timeout when the handler %s', async (_title, event) => {
    const fixture = await startBehave({ timeoutSeconds: 1 })
    const { pid } = Behaved.parse(await fixture.invoke('behave', {}))
    const started = Date.now()

    await expect(fixture.invoke('behave', event)).rejects.toMatchObject({
      errorType: 'Sandbox.Timedout',
      message: expect.stringMatching(/^[\da-f-]{36} Task timed out after 1\.00 seconds$/),
    })
    expect(Date.now() - started).toBeGreaterThanOrEqual(995)
    expect(Date.now() - started).toBeLessThan(3_000)
    expect(Behaved.parse(await fixture.invoke('behave', {}))).toMatchObject({ invocations: 1 })
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it.each([
    ['exits', 'exit', 'exit status 3'],
    ['crashes', 'crash', 'exit status 1'],
  ])('says so when the process %s, and the next event gets a new one', async (_title, act, reason) => {
    const fixture = await startBehave()
    await expect(fixture.invoke('behave', { do: act })).rejects.toMatchObject({
      errorType: 'Runtime.ExitError',
      message: expect.stringMatching(new RegExp(`^RequestId: .* Error: Runtime exited with error: ${reason}$`)),
    })
    expect(Behaved.parse(await fixture.invoke('behave', {})).invocations).toBe(1)
  })

  it('says so when the process is killed from outside', async () => {
    const fixture = await startBehave()
    const { pid } = Behaved.parse(await fixture.invoke('behave', {}))
    const pending = fixture.invoke('behave', { ms: 5_000 })
    process.kill(pid, 'SIGKILL')
    await expect(pending).rejects.toMatchObject({ message: expect.stringContaining('signal: SIGKILL') })
  })

  it('does not disturb the next event when an idle process was killed', async () => {
    const fixture = await startBehave()
    const { pid } = Behaved.parse(await fixture.invoke('behave', {}))
    process.kill(pid, 'SIGKILL')
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'))
    expect(Behaved.parse(await fixture.invoke('behave', {})).invocations).toBe(1)
  })

  it('names what went wrong while the module was imported', async () => {
    const fixture = await startFixture(serviceModel([functionModel('broken'), functionModel('empty')]))
    await expect(fixture.invoke('broken', {})).rejects.toThrow('the settings are missing')
    await expect(fixture.invoke('empty', {})).rejects.toThrow('exports no function called handler')
  })

  it('refuses results and events that Lambda would not carry', async () => {
    const fixture = await startBehave()
    await expect(fixture.invoke('behave', { do: 'return bytes', bytes: 6_300_000 })).rejects.toMatchObject({
      errorType: 'Function.ResponseSizeTooLarge',
    })
    await expect(fixture.invoke('behave', { padding: 'x'.repeat(6_300_000) })).rejects.toMatchObject({
      errorType: 'RequestEntityTooLarge',
    })
    expect(await fixture.invoke('behave', { do: 'return bytes', bytes: 6_000_000 })).toHaveLength(6_000_000)
  })

  it('is an error that lists the functions when there is none of that name', async () => {
    const fixture = await startBehave()
    await expect(fixture.invoke('behaev', {})).rejects.toThrow('There is no function behaev: there are behave')
  })
})
