import { describe, expect, it } from 'vitest'
import { type Look, nextWaitMs } from '../../functions/api/console/pace.ts'

const pace = { leastMs: 5_000, mostMs: 60_000 }

/** The waits after looks that came out so, one after the other. */
function waits(looks: readonly Look[]): number[] {
  const found: number[] = []
  let wait = pace.leastMs
  for (const look of looks) {
    wait = nextWaitMs(wait, look, pace)
    found.push(wait)
  }
  return found
}

const changed: Look = { kind: 'changed', tookMs: 100 }
const unchanged: Look = { kind: 'unchanged', tookMs: 100 }
const failed: Look = { kind: 'failed' }

describe('the pace of looking', () => {
  it('slows down while nothing changes, to a bound, and is quick again when something does', () => {
    const slowing = waits([...Array<Look>(10).fill(unchanged), changed])
    expect(slowing.slice(0, 3)).toEqual([7_500, 11_250, 16_875])
    expect(slowing.at(-2)).toBe(pace.mostMs)
    expect(slowing.at(-1)).toBe(pace.leastMs)
  })

  it('slows down faster while asking fails, and waits as long as it is told', () => {
    expect(waits([failed, failed, failed, failed, failed])).toEqual([10_000, 20_000, 40_000, 60_000, 60_000])
    expect(waits([{ kind: 'failed', retryAfterMs: 90_000 }])).toEqual([90_000])
  })

  it('asks less often for what takes long to answer', () => {
    expect(waits([{ kind: 'changed', tookMs: 4_000 }])).toEqual([20_000])
  })
})
