import { describe, expect, it } from 'vitest'
import { isOpen } from '../../lib/imports/pacs-readiness.ts'
import type { Availability, AvailabilityInterval } from '../../lib/xnat/dqr-availability.ts'

const hours = (start: string, end: string, threads = 1): AvailabilityInterval[] => [
  { start, end, threads, utilizationPercent: threads === 0 ? 0 : 100 },
]
// 5 January 2026 is a Monday.
const mondayAt = (time: string) => `2026-01-05T${time}Z`

describe('a PACS is open', () => {
  it.each<[string, Availability, string, boolean]>([
    ['within its hours', { MONDAY: hours('08:00', '18:00') }, mondayAt('12:00:00'), true],
    ['as soon as they have begun', { MONDAY: hours('08:00', '18:00') }, mondayAt('08:00:01'), true],
    ['until they end', { MONDAY: hours('08:00', '18:00') }, mondayAt('17:59:59'), true],
    ['not before them', { MONDAY: hours('08:00', '18:00') }, mondayAt('07:59:59'), false],
    ['not when they have ended', { MONDAY: hours('08:00', '18:00') }, mondayAt('18:00:00'), false],
    ['not on another day', { TUESDAY: hours('08:00', '18:00') }, mondayAt('12:00:00'), false],
    [
      'in any of them',
      { MONDAY: [...hours('01:00', '02:00'), ...hours('22:00', '00:00')] },
      mondayAt('22:30:00'),
      true,
    ],
    [
      'not between them',
      { MONDAY: [...hours('01:00', '02:00'), ...hours('22:00', '00:00')] },
      mondayAt('12:00:00'),
      false,
    ],
    ['to the end of the day by an end of 00:00', { MONDAY: hours('20:00', '00:00') }, mondayAt('23:59:59'), true],
    ['not beyond it', { MONDAY: hours('20:00', '00:00') }, '2026-01-06T00:00:00Z', false],
    ['all day from 00:00 to 00:00', { MONDAY: hours('00:00', '00:00') }, mondayAt('00:00:00'), true],
    ['not in hours without threads', { MONDAY: hours('00:00', '00:00', 0) }, mondayAt('12:00:00'), false],
    ['never without hours', { MONDAY: [] }, mondayAt('12:00:00'), false],
    ['never without a word of hours', {}, mondayAt('12:00:00'), false],
  ])('%s', (_, availability, at, expected) => {
    expect(isOpen(availability, new Date(at), 'UTC')).toBe(expected)
  })
})

describe("its hours are by the clock of XNAT's server", () => {
  it.each<[string, string, Availability, string, boolean]>([
    ['in winter', 'Europe/London', { MONDAY: hours('08:00', '09:00') }, '2026-01-05T08:30:00Z', true],
    ['in summer', 'Europe/London', { MONDAY: hours('08:00', '09:00') }, '2026-07-06T07:30:00Z', true],
    ['in summer, an hour later', 'Europe/London', { MONDAY: hours('08:00', '09:00') }, '2026-07-06T08:30:00Z', false],
    ['on its own day', 'Pacific/Auckland', { TUESDAY: hours('00:00', '00:00') }, '2026-01-05T12:00:00Z', true],
    [
      'and not on that of others',
      'Pacific/Auckland',
      { MONDAY: hours('00:00', '00:00') },
      '2026-01-05T12:00:00Z',
      false,
    ],
    ['off by quarters of an hour', 'Asia/Kathmandu', { MONDAY: hours('17:45', '18:00') }, '2026-01-05T12:00:30Z', true],
    // At 01:00 UTC the clocks of London go from 01:00 to 02:00.
    [
      'and an hour that is left out in spring never comes',
      'Europe/London',
      { SUNDAY: hours('01:00', '02:00') },
      '2026-03-29T01:00:01Z',
      false,
    ],
    [
      'and one that comes twice in autumn is open twice',
      'Europe/London',
      { SUNDAY: hours('01:00', '02:00') },
      '2026-10-25T00:30:00Z',
      true,
    ],
    [
      'and one that comes twice in autumn is open twice, the second time',
      'Europe/London',
      { SUNDAY: hours('01:00', '02:00') },
      '2026-10-25T01:30:00Z',
      true,
    ],
  ])('%s', (_, timeZone, availability, at, expected) => {
    expect(isOpen(availability, new Date(at), timeZone)).toBe(expected)
  })
})
