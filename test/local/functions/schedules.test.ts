import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { every } from '../../../infra/local/run-functions/schedules.ts'
import { functionModel, serviceModel } from './function-models.ts'
import { startFixture } from './start-fixture.ts'

const schedule = { kind: 'schedule', everyMs: 200, enabled: true, input: undefined } as const

describe('a schedule', () => {
  it('runs the function again and again, and not before the first interval is over', async () => {
    const started = Date.now()
    const fixture = await startFixture(serviceModel([functionModel('behave', { events: [schedule] })]))
    await vi.waitFor(() => expect(fixture.peaks()['behave']?.invocations).toBeGreaterThanOrEqual(3), 5_000)
    expect(Date.now() - started).toBeGreaterThanOrEqual(590)
  })

  it('does not run when it is disabled', async () => {
    const events = [{ ...schedule, enabled: false }]
    const fixture = await startFixture(serviceModel([functionModel('behave', { events })]))
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(fixture.peaks()['behave']?.invocations).toBe(0)
  })

  it('goes on after a run that failed', async () => {
    const events = [{ ...schedule, input: { do: 'throw' } }]
    const fixture = await startFixture(serviceModel([functionModel('behave', { events })]))
    await vi.waitFor(() => expect(fixture.peaks()['behave']?.failures).toBeGreaterThanOrEqual(2), 5_000)
    expect(fixture.logged()).toContain('Invoke Error RangeError: out of range')
  })

  it('does not wait for a run that takes longer than the interval', async () => {
    const events = [{ ...schedule, input: { ms: 5_000 } }]
    const fixture = await startFixture(serviceModel([functionModel('behave', { events })]))
    await vi.waitFor(() => expect(fixture.peaks()['behave']?.coldStarts).toBe(2), 2_000)
  })

  it('can be run at once, with EventBridge’s event or its own input', async () => {
    const rare = { ...schedule, everyMs: 86_400_000 }
    const fixture = await startFixture(
      serviceModel([
        functionModel('behave', { events: [rare] }),
        functionModel('behave', { name: 'withInput', events: [{ ...rare, input: { why: 'sweep' } }] }),
      ]),
    )
    const Ran = z.object({ event: z.unknown() })
    expect(Ran.parse(await fixture.invokeNow('behave')).event).toEqual({
      version: '0',
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: '000000000000',
      time: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/),
      region: 'eu-central-1',
      resources: ['arn:aws:events:eu-central-1:000000000000:rule/fixture-test-behave'],
      detail: {},
    })
    expect(Ran.parse(await fixture.invokeNow('withInput')).event).toEqual({ why: 'sweep' })
    await expect(fixture.invokeNow('nothing')).rejects.toThrow('There is no function nothing')
  })
})

describe('a long interval', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('of 30 days is more than one timer can hold, and still ends after 30 days', () => {
    const tick = vi.fn()
    const day = 86_400_000
    const clear = every(30 * day, tick)
    vi.advanceTimersByTime(30 * day - 1)
    expect(tick).toHaveBeenCalledTimes(0)
    vi.advanceTimersByTime(1)
    expect(tick).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(30 * day)
    expect(tick).toHaveBeenCalledTimes(2)
    clear()
    vi.advanceTimersByTime(60 * day)
    expect(tick).toHaveBeenCalledTimes(2)
  })
})
