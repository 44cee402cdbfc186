import { describe, expect, it } from 'vitest'
import { type Choice, chooseStudies, labelStudies, type StudyChoice } from '../../lib/imports/choose-study.ts'
import type { PacsStudy } from '../../lib/xnat/dqr.ts'

const study = (uid: string, studyDate?: string, accessionNumber = 'A1'): PacsStudy => ({
  studyInstanceUid: uid,
  accessionNumber,
  modalities: [],
  ...(studyDate !== undefined && { studyDate }),
})
const chosen = (...studyInstanceUids: string[]): Choice => ({ kind: 'chosen', studyInstanceUids })
const several: Choice = { kind: 'none', code: 'SEVERAL_STUDIES' }
const notThere: Choice = { kind: 'none', code: 'NOT_ON_PACS' }

const first = study('2.25.1', '2024-01-01')
const second = study('2.25.2', '2024-01-02')
const sameDay = study('2.25.3', '2024-01-02')
const undated = study('2.25.4')
const another = study('2.25.9', '2024-01-09', 'a1')
const unnumbered: PacsStudy = { studyInstanceUid: '2.25.8', modalities: [] }

describe('of what the PACS answers', () => {
  it.each<[string, PacsStudy[], Record<StudyChoice, Choice>]>([
    ['nothing', [], { 'exactly-one': notThere, newest: notThere, all: notThere }],
    ['one study', [first], { 'exactly-one': chosen('2.25.1'), newest: chosen('2.25.1'), all: chosen('2.25.1') }],
    [
      'one study twice',
      [first, { ...first }],
      { 'exactly-one': chosen('2.25.1'), newest: chosen('2.25.1'), all: chosen('2.25.1') },
    ],
    [
      'one study beside others of a loose PACS, which folds case or leaves numbers out',
      [another, first, unnumbered],
      { 'exactly-one': chosen('2.25.1'), newest: chosen('2.25.1'), all: chosen('2.25.1') },
    ],
    ['only others', [another, unnumbered], { 'exactly-one': notThere, newest: notThere, all: notThere }],
    [
      'two studies of two days',
      [second, first],
      { 'exactly-one': several, newest: chosen('2.25.2'), all: chosen('2.25.1', '2.25.2') },
    ],
    [
      'two studies of the same latest day',
      [first, second, sameDay],
      { 'exactly-one': several, newest: several, all: chosen('2.25.1', '2.25.2', '2.25.3') },
    ],
    [
      'a study without a day beside one that has one',
      [first, undated],
      { 'exactly-one': several, newest: chosen('2.25.1'), all: chosen('2.25.4', '2.25.1') },
    ],
    [
      'studies without a day',
      [undated, study('2.25.5')],
      { 'exactly-one': several, newest: several, all: chosen('2.25.4', '2.25.5') },
    ],
  ])('%s', (_, studies, expected) => {
    for (const policy of ['exactly-one', 'newest', 'all'] as const) {
      expect(chooseStudies(policy, 'A1', { studies, isCut: false }), policy).toEqual(expected[policy])
    }
  })

  it.each(['exactly-one', 'newest', 'all'] as const)('nothing is taken when it may be cut off, by %s', (policy) => {
    expect(chooseStudies(policy, 'A1', { studies: [first], isCut: true })).toEqual(several)
    expect(chooseStudies(policy, 'A1', { studies: [], isCut: true })).toEqual(several)
  })
})

describe('the sessions of an accession number', () => {
  it('have its label, and further ones a number', () => {
    expect(labelStudies('A1', ['2.25.1', '2.25.2', '2.25.3'], [])).toEqual([
      ['2.25.1', 'A1'],
      ['2.25.2', 'A1__2'],
      ['2.25.3', 'A1__3'],
    ])
  })

  it('keep their labels at later attempts, whatever the PACS answers first or leaves out', () => {
    const known = labelStudies('A1', ['2.25.1', '2.25.2'], [])

    expect(labelStudies('A1', ['2.25.2', '2.25.0', '2.25.1'], known)).toEqual([
      ['2.25.2', 'A1__2'],
      ['2.25.0', 'A1__3'],
      ['2.25.1', 'A1'],
    ])
    expect(labelStudies('A1', ['2.25.2'], known)).toEqual([['2.25.2', 'A1__2']])
    expect(labelStudies('A1', ['2.25.3'], known)).toEqual([['2.25.3', 'A1__3']])
  })
})
