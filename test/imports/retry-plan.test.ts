import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config.ts'
import { nextAttemptAt } from '../../lib/imports/retry-plan.ts'
import { testEnvironment } from '../support/wired.ts'

const minute = 60_000
const hour = 60 * minute
const importing = (environment: Record<string, string> = {}) =>
  loadConfig({ ...testEnvironment, ...environment }).importing
const planOf = (text: string) => importing({ RETRY_PLAN: text }).retryPlan

describe('RETRY_PLAN', () => {
  it('left out is three, six, twelve and seven waits of growing length', () => {
    const times = (count: number, waitMs: number) => Array<number>(count).fill(waitMs)

    expect(importing().retryPlan).toEqual([
      ...times(3, 5 * minute),
      ...times(6, 30 * minute),
      ...times(12, 2 * hour),
      ...times(7, 24 * hour),
    ])
  })

  it.each([
    ['1x30s', [30_000]],
    ['2x1m,1x1h', [minute, minute, hour]],
    [' 1x1d , 1x2d ', [24 * hour, 48 * hour]],
  ])('is read: %j', (text, waits) => {
    expect(planOf(text)).toEqual(waits)
  })

  it.each([
    '5m',
    'x5m',
    '3x',
    '0x5m',
    '-1x5m',
    '3x0m',
    '3x5',
    '3x5w',
    '3X5m',
    '3x1.5h',
    '3x5m,',
    ',3x5m',
    '1000x1m',
    '3x5m;1x1h',
    ' ',
  ])('is refused by its name, without its value: %j', (text) => {
    expect(() => planOf(text)).toThrow(/^Settings: RETRY_PLAN is not valid$/)
  })
})

describe('STALL_AFTER', () => {
  it.each([
    ['90s', 90_000],
    ['6h', 6 * hour],
    ['2d', 48 * hour],
  ])('is read: %s', (text, ms) => {
    expect(importing({ STALL_AFTER: text }).stallAfterMs).toBe(ms)
  })

  it.each(['6', '6 h', '0h', '-6h', '6w', 'six hours'])('is refused: %j', (text) => {
    expect(() => importing({ STALL_AFTER: text })).toThrow(/^Settings: STALL_AFTER is not valid$/)
  })
})

it.each(['Europe/London', 'UTC', 'Asia/Kathmandu'])('XNAT_TIME_ZONE may be %s', (timeZone) => {
  expect(importing({ XNAT_TIME_ZONE: timeZone }).timeZone).toBe(timeZone)
})

it('XNAT_TIME_ZONE must be a zone that there is', () => {
  expect(() => importing({ XNAT_TIME_ZONE: 'Europe/Nowhere' })).toThrow(/^Settings: XNAT_TIME_ZONE is not valid$/)
})

describe('the next attempt', () => {
  const plan = [5 * minute, hour]
  const lastMs = 1_000_000

  it.each([
    ['at once before the first', 0, 0],
    ['after the first wait', 1, lastMs + 5 * minute],
    ['after the last wait', 2, lastMs + hour],
    ['never when one attempt more than waits was made', 3, undefined],
    ['never when more than that were made, under a longer plan', 30, undefined],
  ])('is due %s', (_, attempts, due) => {
    expect(nextAttemptAt(plan, attempts, lastMs)).toBe(due)
  })
})
