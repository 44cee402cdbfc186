// What a row of FLIP's contract is, and how one is tried: over HTTP, with the stand-in arranged as the row says.
import { prepareSite } from '../../../infra/local/prepare-site.ts'
import type { ServiceModel } from '../../../infra/local/run-functions/service-model.ts'
import { startStack } from '../../../infra/local/stack.ts'
import { startXnat } from '../../../infra/local/xnat-server/server.ts'
import { type Judge, startFaultProxy } from '../../support/fault-proxy.ts'
import { basic } from '../../support/plain-http.ts'

/** Where we answer otherwise than FLIP on purpose: the first cells of README's table of differences. */
export const differences = {
  exceptions: "500 with the exception's text",
  signIn: "XNAT's refusal of the service account is 401",
  signInFirst: 'XNAT is signed in to before a request is judged',
  input: 'validation errors echo the input',
  nameTaken: 'a project name that is taken is 500',
  notDeleted: 'a deletion that XNAT only said it made is answered as made',
  userExists: '`POST /users` for a name that is taken is 500',
  userRefused: '`POST /users` for an account that XNAT does not take is 500',
  unknownProject: 'an unknown project in `add-to-project` is 500',
  memberRefused: "XNAT's refusal of a member or of a change to a user is passed on with its words",
  letterCase: 'addresses are compared letter by letter',
  everyAccount: '`PUT /users` switches the first account with the address',
  receiver: '`aeTitle`, `port` and `forceImport` of an import may be given',
  wildcards: 'an accession number to query may hold wildcards',
  fallbackPacs: 'PACS 1 is asked when XNAT knows none',
  noQuery: 'a query that cannot be decoded is 500 in plain text, and so is one that the data access service cannot run',
  blankQuery: 'a reimport by a query of white space is 202',
  source: 'a data access service that is down is 500 in plain text',
} as const

export interface Row {
  name: string
  /** `POST /users`, query included. */
  request: string
  /** Sent as JSON; text as it is. */
  body?: unknown
  /** Over those that FLIP's callers send; `undefined` leaves one out. */
  headers?: Record<string, string | undefined>
  given?: Given
  status: number
  /** Of an error: all that its body holds. */
  detail?: unknown
  /** Of a success: what its body holds at least. */
  answer?: object
  /** Headers of the answer, at least. */
  with?: Record<string, string>
  /** Why this is not what FLIP answers. */
  differs?: keyof typeof differences
}

export interface Given {
  /** Requests made before, with bodies: to XNAT by its administrator, to the stand-in, or to the API, by their path. */
  before?: readonly (readonly [request: string, body?: unknown])[]
  /** Switches of the stand-in, put back afterwards. */
  standIn?: Record<string, unknown>
  /** What the data access service yields, and how it stands; the latter is put back afterwards. */
  source?: { cohorts?: readonly object[]; settings?: Record<string, unknown> }
  /** What XNAT answers in place of its own, by `METHOD /path` without the query; `*` for everything. */
  xnat?: Record<string, XnatAnswer>
}

export interface XnatAnswer {
  status: number
  body?: string
  headers?: Record<string, string>
}

/** Longer than the client waits by itself: it gives up at once. */
export const xnatIsBusy: XnatAnswer = { status: 503, headers: { 'retry-after': '120' } }
export const busy = {
  status: 503,
  detail: 'XNAT is busy. Try again later.',
  with: { 'retry-after': '120' },
  differs: 'exceptions',
} as const

/** XNAT asking its only PACS for a sign of life. */
export const pingOfOne = 'GET /xapi/pacs/1/status'

/** A study in the PACS. */
export const inPacs = (studyInstanceUid: string, accessionNumber: string) =>
  ['POST /__stand-in/pacs/studies', { studyInstanceUid, accessionNumber }] as const

export interface Reply {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked at as a caller would, before it is trusted
  body: any
}

export interface Contract {
  ask(request: string, options?: Pick<Row, 'body' | 'headers'>): Promise<Reply>
  /** To XNAT itself, past everything that is arranged. */
  askXnat(request: string, body?: unknown): Promise<Reply>
  /** The answer to a row's request, given what it wants arranged. */
  try(row: Pick<Row, 'request' | 'body' | 'headers' | 'given'>): Promise<Reply>
  stop(): Promise<void>
}

/** A stack whose XNAT can be made to answer as a row says. */
export async function startContract(
  service: ServiceModel,
  environment: Record<string, string> = {},
): Promise<Contract> {
  await using started = new AsyncDisposableStack()
  const standIn = await startXnat()
  started.defer(() => standIn.stop())
  await prepareSite(standIn)
  const proxy = await startFaultProxy(standIn.url)
  started.defer(() => proxy.stop())
  const { user, password } = standIn
  const stack = await startStack({ service, environment, xnat: { url: proxy.url, user, password } })
  started.defer(() => stack.stop())
  const kept = started.move()

  const { api, dataAccess, serviceKey } = stack.description
  const keyHeader = environment['TRUST_INTERNAL_SERVICE_KEY_HEADER'] ?? serviceKey.header
  const json = { 'content-type': 'application/json' }
  const ask: Contract['ask'] = (request, { body, headers } = {}) =>
    send(api, request, { body, headers: { [keyHeader]: serviceKey.key, ...json, ...headers } })
  const askXnat: Contract['askXnat'] = (request, body) =>
    send(standIn.url, request, { body, headers: { ...basic(user, password), ...json } })

  // Which projects may import is for the rows to say.
  await askXnat('POST /xapi/dqr/settings', { allowAllProjectsToUseDqr: 'false' })
  const arrangeSource = (path: string, body: object) => send(dataAccess.url, `POST ${path}`, { body, headers: json })

  return {
    ask,
    askXnat,
    async try({ request, given: { before = [], source = {}, standIn: switches = {}, xnat = {} } = {}, ...rest }) {
      for (const [earlier, body] of before) {
        const isForXnat = /^\w+ \/(data|xapi|__stand-in)\//.test(earlier)
        const { status } = await (isForXnat ? askXnat(earlier, body) : ask(earlier, { body }))
        if (status >= 400) throw new Error(`${earlier}: ${status}`)
      }
      const settings: Record<string, unknown> = (await askXnat('GET /__stand-in/settings')).body
      const old = Object.fromEntries(Object.keys(switches).map((name) => [name, settings[name]]))
      await askXnat('POST /__stand-in/settings', switches)
      for (const cohort of source.cohorts ?? []) await arrangeSource('/__stand-in/cohorts', cohort)
      await arrangeSource('/__stand-in/settings', source.settings ?? {})
      proxy.judge = judgeBy(xnat)
      try {
        return await ask(request, rest)
      } finally {
        proxy.judge = judgeBy({})
        await askXnat('POST /__stand-in/settings', old)
        await arrangeSource('/__stand-in/settings', sourceSettings)
      }
    },
    stop: () => kept.disposeAsync(),
  }
}

const sourceSettings = { threshold: 10, isDown: false, answersAfterMs: 0 }

const judgeBy =
  (answers: Record<string, XnatAnswer>): Judge =>
  ({ method, path }) => {
    const answer = answers[`${method} ${path.split('?')[0]}`] ?? answers['*']
    return answer && { kind: 'answer', ...answer }
  }

async function send(
  base: string,
  request: string,
  { body, headers }: { body: unknown; headers: Record<string, string | undefined> },
): Promise<Reply> {
  const [method = '', path = ''] = request.split(' ')
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(base + path, {
    method,
    headers: Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
    redirect: 'manual',
    ...(text !== undefined && { body: text }),
  })
  const answer = await response.text()
  const isJson = answer !== '' && (response.headers.get('content-type') ?? '').startsWith('application/json')
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(answer) : answer }
}
