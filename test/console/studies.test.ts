import { describe, expect, it } from 'vitest'
import type { Study } from '../../functions/api/console/answers.ts'
import { statesInOrder, stateWords } from '../../functions/api/console/states.ts'
import { filtered, reasonsOf, sorted, toggled } from '../../functions/api/console/studies.ts'
import { studyStates } from '../../lib/imports/study-state.ts'

const study = (accession_number: string, parts: Partial<Study> = {}): Study => ({
  accession_number,
  state: 'verified',
  reason: null,
  attempts: 1,
  last_attempt: null,
  next_attempt: null,
  ...parts,
})

const some = [
  study('b2', { state: 'failed', reason: 'RETRIEVE_FAILED', next_attempt: '2026-01-02T00:00:00.000Z', attempts: 3 }),
  study('A1'),
  study('c3', { state: 'failed', reason: 'NO_FILES_RECEIVED', next_attempt: '2026-01-01T00:00:00.000Z', attempts: 2 }),
]
const numbers = (studies: readonly Study[]) => studies.map((each) => each.accession_number)
const all = { states: new Set<never>(), reason: undefined, number: '' }

describe('states', () => {
  it('are all shown, each with a name and a sign of its own', () => {
    expect(new Set(statesInOrder)).toEqual(new Set(studyStates))
    const words = Object.values(stateWords)
    expect(new Set(words.map(({ label }) => label)).size).toBe(studyStates.length)
    expect(new Set(words.map(({ glyph }) => glyph)).size).toBe(studyStates.length)
  })
})

describe('studies', () => {
  it('are found by state, reason and a part of the number in any case', () => {
    expect(numbers(filtered(some, all))).toEqual(['b2', 'A1', 'c3'])
    expect(numbers(filtered(some, { ...all, states: new Set(['failed'] as const) }))).toEqual(['b2', 'c3'])
    expect(numbers(filtered(some, { ...all, reason: 'NO_FILES_RECEIVED' }))).toEqual(['c3'])
    expect(numbers(filtered(some, { ...all, number: ' a ' }))).toEqual(['A1'])
  })

  it('are sorted both ways, and keep their order where they are alike', () => {
    expect(numbers(sorted(some, { by: 'attempts', isDescending: true }))).toEqual(['b2', 'c3', 'A1'])
    expect(numbers(sorted(some, { by: 'state', isDescending: false }))).toEqual(['A1', 'b2', 'c3'])
    expect(numbers(sorted(some, { by: 'next', isDescending: false }))).toEqual(['A1', 'c3', 'b2'])
  })

  it('have their reasons counted, the most frequent first', () => {
    const more = [...some, study('d4', { reason: 'NO_FILES_RECEIVED' })]
    expect(reasonsOf(more)).toEqual([
      { reason: 'NO_FILES_RECEIVED', studies: 2 },
      { reason: 'RETRIEVE_FAILED', studies: 1 },
    ])
  })

  it('are chosen one by one, and from one to another', () => {
    const keys = ['a', 'b', 'c', 'd']
    const one = toggled(new Set(), keys, { index: 3, from: undefined })
    expect([...one]).toEqual(['d'])
    expect([...toggled(one, keys, { index: 1, from: 3 })].toSorted()).toEqual(['b', 'c', 'd'])
    expect([...toggled(one, keys, { index: 3, from: undefined })]).toEqual([])
    expect([...toggled(one, keys, { index: 9, from: undefined })]).toEqual(['d'])
  })
})
