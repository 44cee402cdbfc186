// FLIP's data-access-api: which accession numbers a cohort query yields (trust/data-access-api, POST /cohort/accession-ids).
import { Agent } from 'undici'
import { type EnvelopeKeys, seal } from '../envelope.ts'
import { CohortError } from '../errors.ts'
import { type Clock, type RetryPolicy, retry, systemClock } from '../retry.ts'
import { accessionIds, errorFromAnswer, isPassing } from './answer.ts'

export interface DataAccessOptions {
  /** The service's base address. */
  url: string
  keyHeader: string
  /** Asked for each question, since keys change. */
  secrets: () => Promise<DataAccessSecrets>
  /** Which of a project's ids the service expects sealed: FLIP's mainline XNAT's, its cohort snapshots the hub's. */
  sealedProjectId: 'xnat' | 'hub'
  /** For the whole call, with all its tries. */
  timeoutMs: number
  clock?: Clock
}

export interface DataAccessSecrets {
  /** What the service knows its callers by. Without one it is asked all the same, and refuses. */
  serviceKey: string | undefined
  envelope: { kid: string; keys: EnvelopeKeys }
}

/** The service with the connections to it. */
export interface DataAccess {
  options: DataAccessOptions
  agent: Agent
}

export interface CohortQuery {
  /** XNAT's id of the project, and the hub's. */
  projectIds: { xnat: string; hub: string }
  /** As the hub wrote it: SQL. */
  query: string
  signal: AbortSignal
}

const connectMs = 5_000
/** Some millions of accession numbers. */
const maxAnswerBytes = 64 * 1024 ** 2
const policy: RetryPolicy = { attempts: 3, baseMs: 500, capMs: 4_000, maxRetryAfterMs: 10_000 }

/** Connects to nothing yet. Whoever makes it closes its agent. */
export function createDataAccess(options: DataAccessOptions): DataAccess {
  const agent = new Agent({ allowH2: false, maxResponseSize: maxAnswerBytes, connect: { timeout: connectMs } })
  return { options: { ...options, url: options.url.replace(/\/+$/, '') }, agent }
}

/**
 * The accession numbers that the query yields now, as the service gives them: with duplicates, unsafe ones and blanks.
 * What is not text is left out. It asks up to three times when the service cannot be reached or is busy.
 *
 * @throws {CohortError} and the reason of `signal`. Neither says anything of the query or of what it yields.
 */
export async function fetchAccessionNumbers(
  { options, agent }: DataAccess,
  { projectIds, query, signal: callers }: CohortQuery,
): Promise<{ accessionNumbers: string[] }> {
  callers.throwIfAborted()
  const { timeoutMs, clock = systemClock } = options
  const { serviceKey, envelope } = await options.secrets()
  const sealed = seal(projectIds[options.sealedProjectId], { ...envelope, context: 'project_id' })
  const body = JSON.stringify({ encrypted_project_id: sealed, query })
  const signal = AbortSignal.any([callers, AbortSignal.timeout(timeoutMs)])
  try {
    return await retry(() => ask({ options, agent }, { serviceKey, body, signal, now: clock.now }), {
      policy,
      clock,
      judge: (error) => (error instanceof CohortError && isPassing(error) ? error : undefined),
      deadline: clock.now() + timeoutMs,
      signal,
    })
  } catch (error) {
    callers.throwIfAborted()
    throw error instanceof CohortError ? error : unreachable(error)
  }
}

async function ask(
  { options: { url, keyHeader }, agent }: DataAccess,
  {
    serviceKey,
    body,
    signal,
    now,
  }: { serviceKey: string | undefined; body: string; signal: AbortSignal; now: () => number },
): Promise<{ accessionNumbers: string[] }> {
  const { origin, pathname } = new URL(`${url}/cohort/accession-ids`)
  const headers = {
    accept: 'application/json',
    'content-type': 'application/json',
    ...(serviceKey !== undefined && { [keyHeader]: serviceKey }),
  }
  try {
    const reply = await agent.request({ origin, path: pathname, method: 'POST', headers, body, signal })
    const answer = { status: reply.statusCode, headers: reply.headers, text: await reply.body.text() }
    if (answer.status !== 200) throw errorFromAnswer(answer, now())
    return { accessionNumbers: accessionIds(answer.text) }
  } catch (error) {
    throw error instanceof CohortError ? error : unreachable(error)
  }
}

function unreachable(cause: unknown): CohortError {
  if (cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new CohortError('the answer is too large', { code: 'COHORT_NOT_UNDERSTOOD', cause })
  }
  return new CohortError('the data access service cannot be reached', { code: 'COHORT_SOURCE_UNAVAILABLE', cause })
}
