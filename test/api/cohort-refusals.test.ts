import { describe, expect, it } from 'vitest'
import { errorAnswer } from '../../lib/api-errors.ts'
import { CohortError } from '../../lib/errors.ts'

// Statuses and sentences of FLIP's imaging-api (ia/routers/retrieval.py).
const withDetail = (detail?: string) =>
  errorAnswer(new CohortError('internal', { code: 'COHORT_BELOW_THRESHOLD', detail }))

describe('a cohort whose accession numbers are not told', () => {
  it.each([
    [
      'Cohort is too small for row-level data to be released.',
      "Cohort is below the trust's minimum size, so its accession IDs cannot be released and import status cannot be reported.",
    ],
    [
      undefined,
      "Cohort is below the trust's minimum size, so its accession IDs cannot be released and import status cannot be reported.",
    ],
    [
      'No approved cohort snapshot exists for this project.',
      'No approved cohort snapshot exists for this project. Import status cannot be reported.',
    ],
    [
      "Query 'SELECT accession_id FROM smith' yields too few rows.",
      "Cohort is below the trust's minimum size, so its accession IDs cannot be released and import status cannot be reported.",
    ],
  ])('is refused with 403 and in the words of FLIP for %s', (detail, expected) => {
    expect(withDetail(detail)).toEqual({ status: 403, detail: expected })
  })

  it('is said to be for later only when the service cannot be reached', () => {
    const answerTo = (code: CohortError['code']) => errorAnswer(new CohortError('internal', { code }))
    expect(answerTo('COHORT_SOURCE_UNAVAILABLE')).toMatchObject({ status: 503, retryAfterSeconds: 30 })
    expect(answerTo('COHORT_QUERY_REFUSED').status).toBe(400)
    expect(answerTo('COHORT_SOURCE_REFUSED').status).toBe(502)
    expect(answerTo('COHORT_NOT_UNDERSTOOD').status).toBe(502)
  })
})
