// An API whose answers the test arranges, and which serves the console's page as the deployed function does.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import type {
  DeadLetters,
  Health,
  ImportStatus,
  PacsStatus,
  Project,
  Provisioning,
  ReceiptSummary,
  Study,
} from '../../functions/api/console/answers.ts'
import { buildPage } from '../../infra/build-page.ts'
import { ask } from '../support/api-requests.ts'
import { testWired } from '../support/wired.ts'

export const key = 'fake-key'

const isoAgo = (ms: number) => new Date(Date.now() - ms).toISOString()

export interface Asked {
  method: string
  path: string
  query: URLSearchParams
  body: unknown
}

interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: unknown
  /** Cuts the connection instead. */
  isCut?: boolean
  afterMs?: number
}

/** By `GET /projects/P1`: an answer, or what makes one. What is not arranged is 404. */
export type Answers = Record<string, Answer | ((asked: Asked) => Answer)>

export interface ArrangedApi {
  url: string
  /** May be changed while the page is open. */
  answers: Answers
  asked: Asked[]
  stop(): Promise<void>
}

export async function startArrangedApi(answers: Answers): Promise<ArrangedApi> {
  const source = join(import.meta.dirname, '../../functions/api/console')
  await buildPage(source, join(source, 'dist'))
  const wired = testWired()
  const asked: Asked[] = []
  const arranged: ArrangedApi = { url: '', answers, asked, stop: async () => undefined }

  const server = createServer(async (request, response) => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://api')
    const { method = 'GET', headers } = request
    if (/^\/(?:$|console\/|docs|openapi\.json)/.test(path)) {
      const given = { 'x-trust-internal-service-key': String(headers['x-trust-internal-service-key'] ?? '') }
      const page = await ask(wired, { method, path, headers: given })
      response.writeHead(page.status, page.headers).end(page.text)
      return
    }
    const question = {
      method,
      path,
      query,
      body: headers['content-type'] === undefined ? undefined : await json(request),
    }
    asked.push(question)
    const found = arranged.answers[`${method} ${path}`]
    const {
      status = 200,
      headers: said,
      body,
      isCut,
      afterMs = 0,
    } = (typeof found === 'function' ? found(question) : found) ?? { status: 404, body: { detail: 'Not Found' } }
    if (isCut) return void request.socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    response.writeHead(status, { 'content-type': 'application/json', ...said }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  arranged.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  arranged.stop = () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return arranged
}

export const project = (ID: string, name: string): Project => ({
  ID,
  name,
  secondary_ID: '',
  description: null,
  pi_firstname: '',
  pi_lastname: '',
  URI: `/data/projects/${ID}`,
})

/** A status as the API would answer it of these studies, by the page that is asked for. */
export function importStatus(studies: readonly Study[]): (asked: Asked) => { body: ImportStatus } {
  const states: Record<string, number> = {}
  const lookedAt = isoAgo(180_000)
  for (const { state } of studies) states[state] = (states[state] ?? 0) + 1
  return ({ query }) => {
    const offset = Number(query.get('offset') ?? 0)
    return {
      body: {
        project_id: 'P1',
        studies_count: studies.length,
        states,
        classes: { successful: 0, failed: 0, processing: 0, queued: 0, queue_failed: 0 },
        waiting: null,
        looked_at: lookedAt,
        matching_count: studies.length,
        studies: studies.slice(offset, offset + Number(query.get('limit') ?? 1_000)),
      },
    }
  }
}

const health: Health = { status: 'ok', version: '1.0.0', dead_tasks: [] }
const pacs: PacsStatus = {
  id: 1,
  pacsId: 1,
  successful: true,
  enabled: true,
  disabled: 0,
  pingTime: 0,
  created: 0,
  timestamp: 0,
}
export const healthy: Answers = { 'GET /health': { body: health }, 'GET /imaging/ping_pacs': { body: pacs } }

const provisioning: Provisioning = {
  project_id: 'P1',
  aspects: [
    { aspect: 'project', state: 'as-wanted' },
    { aspect: 'nifti-subscription', state: 'changed', detail: 'it is not active' },
  ],
}

export const deliveryId = '8232774399999-0123456789abcdef'

const receipts = (): ReceiptSummary[] =>
  Array.from({ length: 40 }, (_, index) => ({
    deliveryId: `82327743999${String(index).padStart(2, '0')}-0123456789abcdef`,
    outcome: index % 9 === 4 ? 'failed' : 'verified',
    ...(index % 9 === 4 && { code: 'EXPERIMENT_NOT_FOUND' }),
    projectId: 'P1',
    experimentId: 'XNAT_E00001',
    files: 12,
    bytes: 30_000_000 * ((index % 5) + 1),
    orderedAt: isoAgo(index * 1_300_000),
    finishedAt: isoAgo(index * 1_300_000),
  }))

const letters: DeadLetters[] = [
  { queue: 'uploads', messages: 0, seen: 0, codes: [] },
  {
    queue: 'deliveries',
    messages: 3,
    seen: 3,
    codes: [
      {
        code: 'EXPERIMENT_NOT_FOUND',
        messages: 3,
        samples: [{ messageId: 'm1', sentAt: '2026-01-01T00:00:00.000Z', deliveryId, projectId: 'P1' }],
      },
    ],
  },
  { queue: 'imports', messages: 0, seen: 0, codes: [] },
  { queue: 'studies', messages: 0, seen: 0, codes: [] },
]

/** Where the others of each twenty stand; the rest is verified. */
const places: Readonly<Record<number, Pick<Study, 'state' | 'reason'>>> = {
  2: { state: 'processing', reason: 'RETRIEVING' },
  4: { state: 'failed', reason: 'RETRIEVE_FAILED' },
  7: { state: 'incomplete', reason: 'SESSION_EMPTY' },
  9: { state: 'queued', reason: 'IN_DQR_QUEUE' },
  12: { state: 'stalled', reason: 'PREARCHIVE_STALLED' },
  14: { state: 'failed', reason: 'NO_FILES_RECEIVED' },
  16: { state: 'not-found', reason: 'NOT_ON_PACS' },
}

/** As many studies, in states that take turns. */
export const manyStudies = (number: number): Study[] =>
  Array.from({ length: number }, (_, index) => {
    const { state, reason } = places[index % 20] ?? { state: 'verified' as const, reason: null }
    const isTriedAgain = state === 'failed' || state === 'stalled'
    return {
      accession_number: `ACC${String(index).padStart(6, '0')}`,
      state,
      reason,
      attempts: 1 + (index % 3),
      last_attempt: isoAgo(3_600_000),
      next_attempt: isTriedAgain ? isoAgo(-1_500_000) : null,
    }
  })

/** Something to see in each view. */
export const ordinary = (): Answers => ({
  ...healthy,
  'GET /projects': { body: [project('P1', 'Heart study'), project('P2', 'Knee pilot')] },
  'GET /projects/P1': { body: project('P1', 'Heart study') },
  'GET /projects/P1/provisioning': { body: provisioning },
  'GET /retrieval/import_status/P1': importStatus(manyStudies(57)),
  'GET /retrieval/import_status/P2': importStatus([]),
  'GET /deliveries': () => ({ body: { deliveries: receipts() } }),
  [`GET /deliveries/${deliveryId}`]: {
    body: {
      deliveryId,
      outcome: 'failed',
      code: 'SESSION_CONFLICT',
      target: { projectId: 'P1', subject: 'S1', experiment: 'MR1' },
      startedAt: '2026-01-01T00:00:00.000Z',
      finishedAt: '2026-01-01T00:00:02.000Z',
      files: [
        {
          path: 'a/1.dcm',
          sizeBytes: 3,
          outcome: 'stored',
          verifiedBy: 'md5',
          md5: '900150983cd24fb0d6963f7d28e17f72',
        },
      ],
    },
  },
  'GET /dead-letters': { body: { queues: letters } },
})
