// A stand-in for FLIP's data-access-api: no database behind it, but cohorts that are arranged. Statuses and sentences
// are those of FLIP's mainline (trust/data-access-api: routers/cohort.py, services/cohort.py).
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { errorAnswer, notJson, parseRequest } from '../../lib/api-errors.ts'
import { type EnvelopeKeys, open } from '../../lib/envelope.ts'
import { InvalidInputError } from '../../lib/errors.ts'
import { parseJson } from '../../lib/json.ts'
import { serviceKeyRefusal } from '../../lib/service-key.ts'
import { close, listen } from './xnat-server/listening.ts'

export interface CohortServerOptions {
  serviceKey: { header: string; key: string }
  envelopeKeys: EnvelopeKeys
  /** What queries yield that nobody arranged. */
  sampleCohort: () => readonly string[]
  /** Default 0: any free one. */
  port?: number
}

export interface CohortServer {
  url: string
  /** What the query yields from now on, or why it is refused. White space at its ends does not count. */
  arrange(cohort: Cohort): void
  configure(changes: z.input<typeof Settings>): void
  stop(): Promise<void>
}

const Cohort = z.union([
  z.strictObject({ query: z.string(), accessionIds: z.array(z.unknown()) }),
  /** As a query that the database cannot read: 400 with this text. */
  z.strictObject({ query: z.string(), invalidSql: z.string() }),
  /** As FLIP's line of cohort snapshots says of a project whose cohort nobody approved: 403. */
  z.strictObject({ query: z.string(), isApproved: z.literal(false) }),
])
export type Cohort = z.infer<typeof Cohort>

const Settings = z
  .strictObject({
    /** Cohorts of fewer accession numbers are refused. FLIP: COHORT_QUERY_THRESHOLD. */
    threshold: z.number().int().nonnegative(),
    /** Connections are cut. */
    isDown: z.boolean(),
    answersAfterMs: z.number().nonnegative(),
  })
  .partial()

const Question = z.object({ body: z.object({ encrypted_project_id: z.string(), query: z.string().max(10_240) }) })

interface Answer {
  status: number
  body?: unknown
}

export async function startCohortServer(options: CohortServerOptions): Promise<CohortServer> {
  const cohorts = new Map<string, Cohort>()
  const settings = { threshold: 10, isDown: false, answersAfterMs: 0 }
  const arrange: CohortServer['arrange'] = (cohort) => cohorts.set(cohort.query.trim(), cohort)
  const configure: CohortServer['configure'] = (changes) => Object.assign(settings, changes)

  const accessionIds = async (request: IncomingMessage): Promise<Answer> => {
    const body = parseJson(await text(request))
    if (body === undefined) throw notJson()
    const { serviceKey, envelopeKeys, sampleCohort } = options
    const given = request.headers[serviceKey.header.toLowerCase()]
    const refusal = serviceKeyRefusal(typeof given === 'string' ? given : undefined, [serviceKey.key])
    if (refusal !== undefined) return refused(401, refusal)
    const question = parseRequest(Question, { body }).body
    refuseForeignEnvelope(question.encrypted_project_id, envelopeKeys)
    const query = question.query.trim()
    const cohort = cohorts.get(query) ?? unarranged(query, sampleCohort)
    if ('invalidSql' in cohort) return refused(400, cohort.invalidSql)
    if ('isApproved' in cohort) return refused(403, 'No approved cohort snapshot exists for this project.')
    return cohort.accessionIds.length < settings.threshold || cohort.accessionIds.length === 0
      ? refused(403, 'Cohort is too small for row-level data to be released.')
      : { status: 200, body: { accession_ids: cohort.accessionIds } }
  }

  const control = async (route: string, request: IncomingMessage): Promise<Answer> => {
    const body = parseJson(await text(request))
    if (route === 'POST /__stand-in/cohorts') arrange(parseRequest(z.object({ body: Cohort }), { body }).body)
    else if (route === 'POST /__stand-in/settings') {
      configure(parseRequest(z.object({ body: Settings }), { body }).body)
    } else return refused(404, `No control route ${route}`)
    return { status: 204 }
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = `${request.method} ${request.url}`
    if (request.url?.startsWith('/__stand-in/')) return reply(response, () => control(route, request))
    if (settings.isDown) return void request.socket.destroy()
    await sleep(settings.answersAfterMs)
    return reply(response, () =>
      route === 'POST /cohort/accession-ids' ? accessionIds(request) : refused(404, 'Not Found'),
    )
  }

  const server = createServer((request, response) => void serve(request, response))
  const port = await listen(server, options.port ?? 0)
  return { url: `http://127.0.0.1:${port}`, arrange, configure, stop: () => close(server) }
}

async function reply(response: ServerResponse, answer: () => Answer | Promise<Answer>): Promise<void> {
  const { status, body } = await Promise.resolve()
    .then(answer)
    .catch((error: unknown) => {
      // What the product would say of the same input: FastAPI's words, which both speak.
      const { status: code, detail } = errorAnswer(error)
      if (code >= 500 && !response.destroyed) console.error('stand-in for the data access service:', error)
      return refused(code, detail)
    })
  response.writeHead(status, { 'content-type': 'application/json' }).end(body === undefined ? '' : JSON.stringify(body))
}

const refused = (status: number, detail: unknown): Answer => ({ status, body: { detail } })

function refuseForeignEnvelope(envelope: string, keys: EnvelopeKeys): void {
  try {
    open(envelope, { keys, context: 'project_id' })
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    const isForeign = error.code === 'ENVELOPE_NOT_AUTHENTIC'
    const reason = isForeign ? 'failed authentication' : `is not a valid envelope: ${error.message}`
    throw new InvalidInputError(`encrypted_project_id ${reason}`, { code: error.code, cause: error })
  }
}

/** FLIP: what is no single SELECT is refused before it gets to the database. */
function unarranged(query: string, sampleCohort: () => readonly string[]): Cohort {
  if (query.replace(/;\s*$/, '').includes(';')) {
    return { query, invalidSql: 'Multiple SQL statements are not allowed' }
  }
  if (!/^(select|with)\b/i.test(query)) return { query, invalidSql: 'Only SELECT statements are allowed' }
  return { query, accessionIds: [...sampleCohort()] }
}
