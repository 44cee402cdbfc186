// What an answer of the data-access-api means.
import * as z from 'zod'
import { CohortError, type CohortErrorCode } from '../errors.ts'
import { parseJson } from '../json.ts'
import { retryAfterMs } from '../retry.ts'

export interface Answer {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  text: string
}

const AccessionIds = z.object({ accession_ids: z.array(z.unknown()) })

/** @throws {CohortError} COHORT_NOT_UNDERSTOOD */
export function accessionIds(text: string): string[] {
  const parsed = AccessionIds.safeParse(parseJson(text))
  if (!parsed.success)
    throw new CohortError('the answer is no list of accession ids', { code: 'COHORT_NOT_UNDERSTOOD' })
  return parsed.data.accession_ids.filter((id) => typeof id === 'string')
}

/** The error that an answer other than 200 stands for. */
export function errorFromAnswer({ status, headers, text }: Answer, now: number): CohortError {
  const body = parseJson(text)
  const code = codeOf(status, body)
  const [retryAfter] = [headers['retry-after']].flat()
  return new CohortError(`the data access service answered ${status}`, {
    code,
    status,
    detail: code === 'COHORT_BELOW_THRESHOLD' ? detailOf(body) : undefined,
    retryAfterMs: retryAfterMs(retryAfter, now),
  })
}

/** Whether the same call may succeed within seconds. A failure of the service's own (500) lasts longer than that. */
export function isPassing({ code, status }: CohortError): boolean {
  return code === 'COHORT_SOURCE_UNAVAILABLE' && (status === undefined || [429, 502, 503, 504].includes(status))
}

function codeOf(status: number, body: unknown): CohortErrorCode {
  if (status >= 500 || status === 429) return 'COHORT_SOURCE_UNAVAILABLE'
  if (status === 403) return 'COHORT_BELOW_THRESHOLD'
  if (status < 400) return 'COHORT_NOT_UNDERSTOOD'
  return speaksOfQuery(status, body) ? 'COHORT_QUERY_REFUSED' : 'COHORT_SOURCE_REFUSED'
}

// The service answers 400 also for an envelope that it cannot open, and names its field then (da/routers/cohort.py).
function speaksOfQuery(status: number, body: unknown): boolean {
  if (status === 400) return !(detailOf(body) ?? '').startsWith('encrypted_project_id')
  return status === 422 && ValidationFaults.safeParse(body).success
}

/** FastAPI's answer to a body that does not fit, where the query is what does not. */
const ValidationFaults = z.object({
  detail: z.array(z.object({ loc: z.array(z.unknown()) })).refine((faults) => faults.every(isOfQuery)),
})

const isOfQuery = ({ loc }: { loc: unknown[] }) => loc[0] === 'body' && loc[1] === 'query'

const Refusal = z.object({ detail: z.string().trim().min(1).max(500) })

function detailOf(body: unknown): string | undefined {
  const refusal = Refusal.safeParse(body)
  return refusal.success ? refusal.data.detail : undefined
}
