// The API as this page asks it. An answer has passed the API's own schema; what is judged here is whether it is one.
import type {
  DeadLetters,
  DeliveryPage,
  Health,
  ImportAccepted,
  ImportStatus,
  PacsStatus,
  Project,
  Provisioning,
  QueueName,
  Receipt,
  Redrive,
} from './answers.ts'
import { forgetKey, serviceKey } from './service-key.ts'

/** An answer, and its text, by which two answers are compared. */
export interface Heard<T> {
  value: T
  text: string
}

export class ApiFailure extends Error {
  override readonly name = 'ApiFailure'
  /** Absent when nothing was answered at all. */
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  /** Finds the request in the log. */
  readonly requestId: string | undefined

  constructor(message: string, facts: { status?: number; retryAfterMs?: number; requestId?: string; cause?: unknown }) {
    super(message, { cause: facts.cause })
    this.status = facts.status
    this.retryAfterMs = facts.retryAfterMs
    this.requestId = facts.requestId
  }
}

interface Asked {
  method?: 'GET' | 'POST'
  query?: Readonly<Record<string, string | number | undefined>>
  body?: unknown
  signal?: AbortSignal | undefined
  /** In place of the one that is kept. */
  key?: string
}

const keyHeader = document.querySelector<HTMLMetaElement>('meta[name="key-header"]')?.content ?? ''

/** API Gateway ends a request after 30 seconds. */
const answerMs = 35_000

/** @throws {ApiFailure} A key that is refused is forgotten, so that it is asked for again. */
async function ask<T>(path: string, { method = 'GET', query = {}, body, signal, key }: Asked = {}): Promise<Heard<T>> {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`
  const usedKey = key ?? serviceKey.value ?? ''
  const { reply, text } = await reached(path + search, {
    method,
    headers: { [keyHeader]: usedKey, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    cache: 'no-store',
    // The key is for this address only.
    redirect: 'error',
    signal: AbortSignal.any([AbortSignal.timeout(answerMs), ...(signal === undefined ? [] : [signal])]),
  })
  const value = parsed(text)
  if (reply.ok && value !== undefined) return { value, text }
  const failure = failureOf(reply, value)
  if (failure.status === 401 && usedKey === serviceKey.value) forgetKey(failure.message)
  throw failure
}

async function reached(url: string, init: RequestInit & { signal: AbortSignal }) {
  try {
    const reply = await fetch(url, init)
    return { reply, text: await reply.text() }
  } catch (cause) {
    const isLate = cause instanceof DOMException && cause.name === 'TimeoutError'
    const message = isLate ? 'The API does not answer in time.' : 'The API cannot be reached.'
    throw new ApiFailure(message, { cause })
  }
}

/** What JSON.parse makes of it, of any type; undefined when it is not JSON, such as a proxy's own page. */
// biome-ignore lint/suspicious/noExplicitAny: the type of an answer is what its route declares.
function parsed(text: string): any {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function failureOf(reply: Response, body: { detail?: unknown } | undefined): ApiFailure {
  const { status } = reply
  const requestId = reply.headers.get('x-request-id') ?? undefined
  const seconds = Number(reply.headers.get('retry-after') ?? Number.NaN)
  return new ApiFailure(
    body === undefined ? `The API answers ${status}, and not as it should.` : detailOf(body, status),
    {
      status,
      ...(requestId !== undefined && { requestId }),
      ...(Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }),
    },
  )
}

function detailOf({ detail }: { detail?: unknown }, status: number): string {
  if (typeof detail === 'string') return detail
  return status === 422 ? 'The API does not take this request.' : `The API answers ${status}.`
}

type Options = Pick<Asked, 'signal'>

/** The most that one request may list. */
const pageSize = { studies: 10_000, deliveries: 1_000 }

const project = (id: string) => `/projects/${encodeURIComponent(id)}`
const imports = (id: string) => `/retrieval/import_status/${encodeURIComponent(id)}`

/** @throws {ApiFailure} when the key is not one that the API takes. Asks nothing behind the API. */
export const tryKey = (key: string) => ask('/openapi.json', { key })

export const readHealth = (options: Options) => ask<Health>('/health', options)
export const pingPacs = (options: Options) => ask<PacsStatus>('/imaging/ping_pacs', options)
export const listProjects = (options: Options & { query?: { limit: number } }) => ask<Project[]>('/projects', options)
export const readProject = (id: string, options: Options) => ask<Project>(project(id), options)
export const readProvisioning = (id: string, options: Options) =>
  ask<Provisioning>(`${project(id)}/provisioning`, options)
export const repairProvisioning = (id: string) => ask<Provisioning>(`${project(id)}/provisioning`, { method: 'POST' })
export const readReceipt = (id: string, options: Options) =>
  ask<Receipt>(`/deliveries/${encodeURIComponent(id)}`, options)
export const listDeadLetters = (options: Options) => ask<{ queues: DeadLetters[] }>('/dead-letters', options)

export const redrive = (body: { queue: QueueName; codes?: string[]; dryRun: boolean; before?: string }) =>
  ask<Redrive>('/dead-letters/redrive', { method: 'POST', body })

export const askForImport = (id: string, accessionNumbers: readonly string[]) =>
  ask<ImportAccepted>(`/retrieval/imports/${encodeURIComponent(id)}`, {
    method: 'POST',
    body: { accession_numbers: accessionNumbers },
  })

/** The counts of a cohort, with the one study that the API sends at least. */
export const countImports = (id: string, options: Options) =>
  ask<ImportStatus>(imports(id), { ...options, query: { limit: 1 } })

/** A cohort with all its studies, as many pages as that takes. */
export async function readImports(id: string, options: Options): Promise<Heard<ImportStatus>> {
  const page = (offset: number) =>
    ask<ImportStatus>(imports(id), { ...options, query: { limit: pageSize.studies, offset } })
  const { value, text } = await page(0)
  const studies = [...value.studies]
  const texts = [text]
  while (studies.length < value.matching_count) {
    const next = await page(studies.length)
    // The cohort grew smaller meanwhile: the next look tells.
    if (next.value.studies.length === 0) break
    studies.push(...next.value.studies)
    texts.push(next.text)
  }
  return { value: { ...value, studies }, text: texts.join('\n') }
}

/** Receipts of deliveries ordered since then, the newest first; of very many, the newest `most`. */
export async function listDeliveries(
  { since, most, projectId }: { since: Date; most: number; projectId: string | undefined },
  options: Options,
): Promise<Heard<{ deliveries: DeliveryPage['deliveries']; isComplete: boolean }>> {
  const deliveries: DeliveryPage['deliveries'] = []
  const texts: string[] = []
  let cursor: string | undefined
  do {
    const query = { since: since.toISOString(), project_id: projectId, limit: pageSize.deliveries, cursor }
    const { value, text } = await ask<DeliveryPage>('/deliveries', { ...options, query })
    deliveries.push(...value.deliveries)
    texts.push(text)
    cursor = value.cursor
  } while (cursor !== undefined && deliveries.length < most)
  return { value: { deliveries, isComplete: cursor === undefined }, text: texts.join('\n') }
}
