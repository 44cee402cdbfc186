import { describe, expect, it } from 'vitest'
import { cleanAccessionNumbers, refusedNumbers, sessionLabelOf } from '../../lib/imports/accession-numbers.ts'

describe('what a source of cohorts gives', () => {
  it('is kept as it was given, each once and in its order', () => {
    const given = ['B', 'A', 'B', ' A', 'a', '1.2.840.113619', 'A']

    expect(cleanAccessionNumbers(given)).toEqual({
      accessionNumbers: ['B', 'A', ' A', 'a', '1.2.840.113619'],
      dropped: 0,
    })
  })

  it.each<[string, unknown]>([
    ['a null', null],
    ['a number', 4711],
    ['an object', { accession: 'A' }],
    ['an empty text', ''],
    ['a blank text', ' \t\n'],
    ['a star, which a PACS takes for anything', 'ACC*'],
    ['a star alone', '*'],
    ['a question mark, which a PACS takes for any character', 'ACC?1'],
    ['a backslash, which a PACS takes for "or"', 'ACC1\\ACC2'],
  ])('loses %s', (_, value) => {
    expect(cleanAccessionNumbers(['A', value])).toEqual({ accessionNumbers: ['A'], dropped: 1 })
  })

  it('is counted where it is lost, each time', () => {
    expect(cleanAccessionNumbers(['*', '*', null, 'A', 'A'])).toEqual({ accessionNumbers: ['A'], dropped: 3 })
  })
})

describe('an accession number that can be asked for', () => {
  it.each(['ACC..123', '1.2.840.113619', 'a_b-c~d', '...', 'x'.repeat(64), '__proto__'])('%s', (accessionNumber) => {
    expect([...refusedNumbers([accessionNumber])]).toEqual([])
  })
})

describe('an accession number that is refused', () => {
  it.each([
    '',
    '.',
    '..',
    '../../etc/passwd',
    'ACC/123',
    'ACC\\123',
    'ACC%2F123',
    'ACC 123',
    'ACC?format=json',
    'ACC#frag',
    'ACC"123',
    'ACC\n123',
    'ÄCC',
    '１２３',
    'x'.repeat(65),
  ])('%j', (accessionNumber) => {
    expect([...refusedNumbers(['ACC1', accessionNumber])]).toEqual([accessionNumber])
  })

  it('has the label of another of the cohort, which came first', () => {
    expect([...refusedNumbers(['A.1', 'A_1', 'A~1', 'A-1'])]).toEqual(['A_1', 'A~1'])
  })

  it('takes no label away from one that can be asked for', () => {
    expect([...refusedNumbers(['A 1', 'A_1'])]).toEqual(['A 1'])
  })
})

it.each([
  ['ACC-1_x', 'ACC-1_x'],
  ['1.2.840', '1_2_840'],
  ['A~B', 'A_B'],
])('the session of %s is labelled %s', (accessionNumber, label) => {
  expect(sessionLabelOf(accessionNumber)).toBe(label)
})
