import { expect, it } from 'vitest'
import { subjectLabelOf } from '../../lib/imports/subject-label.ts'

it('is a UUID of version 8', () => {
  // RFC 9562 section 5.8.
  for (let number = 0; number < 100; number += 1) {
    expect(subjectLabelOf('salt', `ACC${number}`)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
  }
})

it('is the same at every attempt, and another for another number or another project', () => {
  const labels = [subjectLabelOf('s1', 'A1'), subjectLabelOf('s1', 'A2'), subjectLabelOf('s2', 'A1')]

  expect(subjectLabelOf('s1', 'A1')).toBe(labels[0])
  expect(new Set(labels).size).toBe(3)
})
