import { describe, expect, it } from 'vitest'
import { decodeQuery } from '../../lib/imports/encoded-query.ts'

describe('a query in an address', () => {
  // flip-contract 2.9, each row of its table.
  it.each([
    ['eA==', 'x'],
    ['eA', 'x'],
    ['Pj4_Pz8', '>>???'],
    [
      'U0VMRUNUIGFjY2Vzc2lvbl9pZCBGUk9NIG9tb3AuaW1hZ2Vfb2NjdXJyZW5jZQ',
      'SELECT accession_id FROM omop.image_occurrence',
    ],
  ])('is read: %s', (encoded, query) => {
    expect(decodeQuery(encoded)).toBe(query)
  })

  it.each(['A', 'AAAAA', 'gICA', '!e*A'])('is no text, and refused: %s', (encoded) => {
    expect(() => decodeQuery(encoded)).toThrow(expect.objectContaining({ code: 'QUERY_NOT_DECODABLE', retry: 'never' }))
  })

  // What CPython's urlsafe_b64decode makes of them.
  it.each([
    ['', ''],
    ['Pj4/Pz8=', '>>???'],
    ['e A\n=\t=', 'x'],
    ['!e*A==', 'x'],
    ['eA=', 'x'],
    ['eA====', 'x'],
    ['=eHh4', 'xxx'],
    ['eA==eHh4', 'x'],
    ['77u_eA', '\ufeffx'],
    ['YQBi', 'a\0b'],
    ['w6Q', 'ä'],
  ])('is read as Python reads it: %j', (encoded, query) => {
    expect(decodeQuery(encoded)).toBe(query)
  })

  it('is not quoted by its refusal', () => {
    expect(() => decodeQuery('secretA')).not.toThrow(/secret/)
    expect(() => decodeQuery('secre')).toThrow(/^(?!.*secre)/)
  })
})
