import fc from 'fast-check'
import { expect, it } from 'vitest'
import { backoffCeilingMs, backoffMs, retry, systemClock } from '../../lib/retry.ts'

const policy = { attempts: 4, baseMs: 100, capMs: 1_000, maxRetryAfterMs: 5_000 }
const again = () => ({})

function fakeClock(startMs = 0) {
  const slept: number[] = []
  let time = startMs
  const clock = {
    now: () => time,
    random: () => 0.999,
    sleep: async (ms: number) => {
      slept.push(ms)
      time += ms
    },
  }
  return { clock, slept }
}

function failing(times: number) {
  const attempts: number[] = []
  const act = async (attempt: number) => {
    attempts.push(attempt)
    if (attempts.length <= times) throw new Error(`failure ${attempt}`)
    return 'done'
  }
  return { act, attempts }
}

it('doubles the ceiling up to the cap', () => {
  expect([1, 2, 3, 4, 5, 60].map((attempt) => backoffCeilingMs(policy, attempt))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ])
})

it('waits anywhere between nothing and the ceiling', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      (attempt, chance) => {
        const delayMs = backoffMs(policy, attempt, () => chance)
        expect(delayMs).toBeGreaterThanOrEqual(0)
        expect(delayMs).toBeLessThan(backoffCeilingMs(policy, attempt))
      },
    ),
  )
  expect(backoffMs(policy, 1, () => 0)).toBe(0)
})

it('tries until it succeeds', async () => {
  const { clock, slept } = fakeClock()
  const { act, attempts } = failing(2)
  expect(await retry(act, { policy, clock, judge: again })).toBe('done')
  expect(attempts).toEqual([1, 2, 3])
  expect(slept).toEqual([99, 199])
})

it('throws the last error when the tries run out', async () => {
  const { clock } = fakeClock()
  const { act, attempts } = failing(9)
  await expect(retry(act, { policy, clock, judge: again })).rejects.toThrow('failure 4')
  expect(attempts).toHaveLength(4)
})

it('throws at once what is judged hopeless', async () => {
  const { clock, slept } = fakeClock()
  const { act } = failing(1)
  await expect(retry(act, { policy, clock, judge: () => undefined })).rejects.toThrow('failure 1')
  expect(slept).toEqual([])
})

it('adds the asked-for wait to its own, up to what the policy allows', async () => {
  const { clock, slept } = fakeClock()
  await retry(failing(1).act, { policy, clock, judge: () => ({ retryAfterMs: 5_000 }) })
  expect(slept).toEqual([5_099])
  const call = retry(failing(1).act, { policy, clock, judge: () => ({ retryAfterMs: 5_001 }) })
  await expect(call).rejects.toThrow('failure 1')
})

it('starts no try at or after the deadline', async () => {
  const { clock } = fakeClock(1_000)
  const { act, attempts } = failing(9)
  await expect(retry(act, { policy, clock, judge: again, deadline: 1_300 })).rejects.toThrow('failure 3')
  expect(attempts).toEqual([1, 2, 3])
})

it('wakes up with the reason of its signal', async () => {
  const stop = new AbortController()
  const reason = new Error('time to go')
  setTimeout(() => stop.abort(reason), 20)
  const call = retry(failing(9).act, {
    policy: { ...policy, baseMs: 60_000, capMs: 60_000 },
    clock: { ...systemClock, random: () => 0.999 },
    judge: again,
    signal: stop.signal,
  })
  await expect(call).rejects.toBe(reason)
})

it('sleeps as long as told by the system clock', async () => {
  const startedAt = systemClock.now()
  await systemClock.sleep(30)
  expect(systemClock.now() - startedAt).toBeGreaterThanOrEqual(28)
})
