import { describe, expect, it } from 'vitest'
import { counted, duration, moment, percent, size, until } from '../../functions/api/console/format.ts'
import { linkTo, parsePlace } from '../../functions/api/console/places.ts'

describe('figures', () => {
  it('are sizes in powers of a thousand', () => {
    expect([0, 999, 1_000, 1_234_567, 2_500_000_000].map(size)).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '1.23 MB',
      '2.50 GB',
    ])
  })

  it('never round to all or to nothing', () => {
    expect(percent(0, 0)).toBe('–')
    expect(percent(0, 10)).toBe('0 %')
    expect(percent(1, 10_000)).toBe('1 %')
    expect(percent(9_999, 10_000)).toBe('99 %')
    expect(percent(10_000, 10_000)).toBe('100 %')
  })

  it('agree with what they count', () => {
    expect(counted(1, 'study', 'studies')).toBe('1 study')
    expect(counted(10_000, 'study', 'studies')).toBe('10,000 studies')
  })

  it('are times as far apart as they have to be told', () => {
    const now = new Date(2026, 0, 5, 7, 3)
    expect(moment(new Date(2026, 0, 5, 6, 59), now)).toBe('06:59')
    expect(moment(new Date(2026, 0, 4, 6, 59), now)).toBe('04 Jan 06:59')
    expect(moment(new Date(2025, 11, 4, 6, 59), now)).toBe('04 Dec 2025 06:59')
    expect(until(new Date(0), now)).toBe('now')
    expect(until(new Date(2026, 0, 5, 7, 8), now)).toBe('in 5 min')
    expect([900, 12_000, 7_200_000, 400_000_000].map(duration)).toEqual(['900 ms', '12 s', '2 h', '5 d'])
  })
})

describe('places', () => {
  it('are read as they were written, whatever is in them', () => {
    const link = linkTo(['projects', 'P/1 %?#&'], { state: 'failed,stalled', reason: '', code: undefined })
    const { segments, query } = parsePlace(link)
    expect(segments).toEqual(['projects', 'P/1 %?#&'])
    expect([...query]).toEqual([['state', 'failed,stalled']])
  })

  it('are read also when they were never written here', () => {
    expect(parsePlace('').segments).toEqual([])
    expect(parsePlace('#/%E0%A4%A').segments).toEqual(['%E0%A4%A'])
  })
})
