import { describe, expect, it } from 'vitest'
import { listed, listingQuery } from '../../functions/api/listing.ts'

const rows = [
  { ID: 'c', label: 'x' },
  { ID: 'a', label: 'y' },
  { ID: 'b', label: 'x' },
]

describe('a list', () => {
  it('is given whole and as it is when nothing is said about it', () => {
    expect(listed(rows, {}, 'ID')).toEqual(rows)
  })

  it('is given in parts that fit together', () => {
    const parts = [0, 2].map((offset) => listed(rows, { limit: 2, offset }, 'ID').map(({ ID }) => ID))
    expect(parts).toEqual([['a', 'b'], ['c']])
    expect(listed(rows, { offset: 5 }, 'ID')).toEqual([])
  })

  it('is narrowed to what is equal', () => {
    const query = listingQuery({ label: 'x' }).parse({ label: 'x', limit: '1' })
    expect(listed(rows, query, 'ID')).toEqual([{ ID: 'b', label: 'x' }])
  })

  it.each([{ limit: '0' }, { limit: 'all' }, { offset: '-1' }, { limit: '1.5' }])('refuses %j', (query) => {
    expect(listingQuery({ label: 'x' }).safeParse(query).success).toBe(false)
  })
})
