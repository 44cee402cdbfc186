import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createDataAccess,
  type DataAccess,
  type DataAccessOptions,
  fetchAccessionNumbers,
} from '../../lib/data-access/client.ts'
import { open } from '../../lib/envelope.ts'
import { CohortError } from '../../lib/errors.ts'
import { EnvelopeKeyRing } from '../../lib/secrets.ts'
import { testEnvironment } from '../support/wired.ts'

const envelope = EnvelopeKeyRing.parse(testEnvironment.AES_KEY_BASE64)
const query = 'SELECT accession_id FROM omop.image_occurrence WHERE patient = 7'
const projectIds = { xnat: 'XNAT-1', hub: '00000000-0000-4000-8000-00000000c0de' }

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Reply {
  status?: number
  headers?: Record<string, string>
  /** Text is sent as it is. */
  body: unknown
}

/** The service that gives these answers in turn, the last one for ever. */
async function service(...replies: Reply[]) {
  const calls: { method: string; url: string; key: unknown; body: Record<string, string> }[] = []
  const url = await serve(async (request, response) => {
    const { method = '', url: path = '', headers } = request
    calls.push({ method, url: path, key: headers['x-service-key'], body: JSON.parse(await text(request)) })
    const { status = 200, headers: own, body } = replies[Math.min(calls.length, replies.length) - 1] ?? { body: '' }
    response.writeHead(status, own ?? {}).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  return { url, calls }
}

function clientOf(url: string, options: Partial<DataAccessOptions> = {}): { client: DataAccess; slept: number[] } {
  const slept: number[] = []
  const client = createDataAccess({
    url,
    keyHeader: 'x-service-key',
    secrets: async () => ({ serviceKey: 'fake-key', envelope }),
    sealedProjectId: 'xnat',
    timeoutMs: 20_000,
    clock: { now: Date.now, random: () => 0.5, sleep: async (ms) => void slept.push(ms) },
    ...options,
  })
  onTestFinished(() => client.agent.destroy())
  return { client, slept }
}

const ask = (client: DataAccess, signal: AbortSignal = new AbortController().signal) =>
  fetchAccessionNumbers(client, { projectIds, query, signal })

async function failureOf(client: DataAccess): Promise<CohortError> {
  const error: unknown = await ask(client).catch((thrown: unknown) => thrown)
  if (!(error instanceof CohortError)) throw new Error('it should have failed', { cause: error })
  return error
}

describe('the accession numbers of a cohort', () => {
  it('are asked for with the service key, the query, and the project id sealed', async () => {
    const { url, calls } = await service({ body: { accession_ids: ['A1'] } })
    await ask(clientOf(`${url}/base/`).client)

    const [call] = calls
    expect(call).toMatchObject({ method: 'POST', url: '/base/cohort/accession-ids', key: 'fake-key', body: { query } })
    const sealed = call?.body['encrypted_project_id'] ?? ''
    expect(open(sealed, { keys: envelope.keys, context: 'project_id' })).toBe('XNAT-1')
  })

  it("are asked for under the hub's project id where the service wants that", async () => {
    const { url, calls } = await service({ body: { accession_ids: [] } })
    await ask(clientOf(url, { sealedProjectId: 'hub' }).client)

    const sealed = calls[0]?.body['encrypted_project_id'] ?? ''
    expect(open(sealed, { keys: envelope.keys, context: 'project_id' })).toBe(projectIds.hub)
  })

  it('come as the service gives them, but for what is no text', async () => {
    const { url } = await service({ body: { accession_ids: ['A1', 'A1', ' ', '*', null, 7, 'A2'], more: 1 } })
    expect(await ask(clientOf(url).client)).toEqual({ accessionNumbers: ['A1', 'A1', ' ', '*', 'A2'] })
  })

  it.each([429, 502, 503, 504])('are asked for again after a %s', async (status) => {
    const { url, calls } = await service({ status, body: 'busy' }, { body: { accession_ids: ['A1'] } })
    expect(await ask(clientOf(url).client)).toEqual({ accessionNumbers: ['A1'] })
    expect(calls).toHaveLength(2)
  })

  it('are asked for again when the connection breaks in the middle of the answer', async () => {
    let tries = 0
    const url = await serve((_, response) => {
      tries += 1
      if (tries > 1) response.end('{"accession_ids": ["A1"]}')
      else response.writeHead(200, { 'content-length': '100' }).write('{"acc', () => response.destroy())
    })
    expect(await ask(clientOf(url).client)).toEqual({ accessionNumbers: ['A1'] })
  })

  it('are asked for three times at most, after as long as the service asks for', async () => {
    const { url, calls } = await service({ status: 503, headers: { 'retry-after': '2' }, body: '' })
    const { client, slept } = clientOf(url)
    const error = await failureOf(client)

    expect(error).toMatchObject({ code: 'COHORT_SOURCE_UNAVAILABLE', retry: 'later', retryAfterMs: 2000, status: 503 })
    expect([calls.length, slept]).toEqual([3, [2250, 2500]])
  })

  it.each<[string, Reply, Partial<CohortError>]>([
    ['a failure of its own', { status: 500, body: 'x' }, { code: 'COHORT_SOURCE_UNAVAILABLE', retry: 'later' }],
    [
      'a query that it does not take',
      { status: 400, body: { detail: `Only SELECT statements are allowed: ${query}` } },
      { code: 'COHORT_QUERY_REFUSED', retry: 'never', detail: undefined },
    ],
    [
      'a query that does not fit its form',
      { status: 422, body: { detail: [{ type: 'string_too_long', loc: ['body', 'query'], input: query }] } },
      { code: 'COHORT_QUERY_REFUSED', retry: 'never' },
    ],
    [
      'an envelope that it cannot open',
      { status: 400, body: { detail: 'encrypted_project_id failed authentication' } },
      { code: 'COHORT_SOURCE_REFUSED', retry: 'never' },
    ],
    ['a wrong key', { status: 401, body: { detail: 'x' } }, { code: 'COHORT_SOURCE_REFUSED', retry: 'never' }],
    ['a wrong address', { status: 404, body: 'x' }, { code: 'COHORT_SOURCE_REFUSED', retry: 'never' }],
    [
      'another form',
      { status: 422, body: { detail: [{ loc: ['body', 'project'] }] } },
      { code: 'COHORT_SOURCE_REFUSED' },
    ],
    [
      'a redirect',
      { status: 307, headers: { location: 'http://127.0.0.1:9/' }, body: '' },
      { code: 'COHORT_NOT_UNDERSTOOD', retry: 'never' },
    ],
    ['a page', { body: '<html>' }, { code: 'COHORT_NOT_UNDERSTOOD', retry: 'never' }],
    ['a list of another name', { body: { ids: ['A1'] } }, { code: 'COHORT_NOT_UNDERSTOOD', retry: 'never' }],
    [
      'too few patients',
      { status: 403, body: { detail: 'Cohort is too small for row-level data to be released.' } },
      {
        code: 'COHORT_BELOW_THRESHOLD',
        retry: 'never',
        detail: 'Cohort is too small for row-level data to be released.',
      },
    ],
    ['a refusal without words', { status: 403, body: '' }, { code: 'COHORT_BELOW_THRESHOLD', detail: undefined }],
  ])('are not had from an answer that tells of %s, which is not asked twice', async (_, reply, expected) => {
    const { url, calls } = await service(reply)
    expect(await failureOf(clientOf(url).client)).toMatchObject(expected)
    expect(calls).toHaveLength(1)
  })

  it('are not had from an answer that would fill the memory', async () => {
    const url = await serve((_, response) => {
      const chunk = Buffer.alloc(1024 ** 2, ' ')
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('drain', more)
      more()
    })
    expect(await failureOf(clientOf(url).client)).toMatchObject({ code: 'COHORT_NOT_UNDERSTOOD' })
  })

  it('are given up after the time that the call has', async () => {
    const url = await serve((request) => request.resume())
    expect(await failureOf(clientOf(url, { timeoutMs: 50 }).client)).toMatchObject({
      code: 'COHORT_SOURCE_UNAVAILABLE',
      retry: 'later',
    })
  })

  it("are given up with the caller's reason when the caller says so", async () => {
    const reason = new Error('enough')
    const stop = new AbortController()
    const url = await serve(() => stop.abort(reason))
    await expect(ask(clientOf(url).client, stop.signal)).rejects.toBe(reason)
    await expect(ask(clientOf(url).client, stop.signal)).rejects.toBe(reason)
  })

  it('are not had from a service that is not there', async () => {
    const { client, slept } = clientOf('http://127.0.0.1:1')
    expect(await failureOf(client)).toMatchObject({ code: 'COHORT_SOURCE_UNAVAILABLE', status: undefined })
    expect(slept).toHaveLength(2)
  })

  it('leave neither the query nor themselves in errors', async () => {
    const body = { detail: `syntax error in ${query}`, accession_ids: 'SECRET-1' }
    for (const status of [200, 400, 422, 500]) {
      const error = await failureOf(clientOf((await service({ status, body })).url).client)
      expect(inspect(error, { depth: 10 })).not.toMatch(/image_occurrence|SECRET-1/)
    }
  })
})
