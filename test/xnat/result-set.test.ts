import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { cell, filledCell, filledNumberCell, numberCell, resultSet } from '../../lib/xnat/result-set.ts'

const Row = z.object({ ID: filledCell, note: cell, size: numberCell })
const Listing = resultSet(Row)

it('reads numbers sent as text, nothing sent as "", and leaves out what it does not know', () => {
  const reply = {
    ResultSet: {
      Columns: [{ key: 'URI', serverRoot: '' }],
      Result: [{ ID: '007', note: '', size: '12', URI: '/data/x' }],
      title: 'Files',
      totalRecords: '1',
    },
  }
  expect(Listing.parse(reply)).toEqual([{ ID: '007', note: undefined, size: 12 }])
})

it('takes columns that are not there for empty', () => {
  expect(Listing.parse({ ResultSet: { Result: [{ ID: 'a' }] } })).toEqual([
    { ID: 'a', note: undefined, size: undefined },
  ])
})

it.each(['', ' ', 'many', 'NaN', 'Infinity'])('reads %j in a number column as nothing', (text) => {
  expect(numberCell.parse(text)).toBe(undefined)
})

it.each(['', ' ', 'many', undefined, null])('refuses %j where a number must be', (text) => {
  expect(filledNumberCell.safeParse(text).success).toBe(false)
})

it.each([{}, { ResultSet: {} }, { ResultSet: { Result: {} } }, { items: [] }, [], null, 'text', undefined])(
  'refuses %j, which is no listing, instead of taking it for an empty one',
  (value) => {
    expect(Listing.safeParse(value).success).toBe(false)
  },
)

it('refuses a row without what must be filled', () => {
  expect(Listing.safeParse({ ResultSet: { Result: [{ ID: '' }] } }).success).toBe(false)
})

it('reads every listing that XNAT can send', () => {
  const cells = fc.dictionary(fc.string(), fc.string())
  const rows = fc.array(fc.record({ cells, id: fc.string({ minLength: 1 }), note: fc.string(), size: fc.string() }))
  const extras = fc.record({ title: fc.string(), totalRecords: fc.nat().map(String) }, { requiredKeys: [] })
  fc.assert(
    fc.property(rows, extras, (given, more) => {
      const Result = given.map(({ cells, id, note, size }) => ({ ...cells, ID: id, note, size }))
      const parsed = Listing.parse(JSON.parse(JSON.stringify({ ResultSet: { Result, ...more } })))
      expect(parsed.map(({ ID }) => ID)).toEqual(given.map(({ id }) => id))
      expect(parsed.map(({ note }) => note ?? '')).toEqual(given.map(({ note }) => note))
    }),
  )
})
