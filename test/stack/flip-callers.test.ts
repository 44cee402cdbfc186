// FLIP's callers against the local stack: their requests replayed to the byte, and their HTTP library itself where the
// machine has it, whose bytes are held against the replayed ones.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import { type HttpxVersion, httpxBytes } from '../support/httpx.ts'
import { runPython, whyNotImported } from '../support/python.ts'
import { sendRaw, startRecorder } from '../support/raw-http.ts'
import { type CallerCall, createPayload, type Hub, trustApiCalls } from './flip-callers/calls.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ service: inject('service') })
}, 60_000)
afterAll(() => stack.stop())

/** A project that the hub has asked for once, with a user of its own. */
async function openHub(): Promise<Hub> {
  const { api, serviceKey } = stack.description
  const key = { [serviceKey.header]: serviceKey.key }
  const hubProjectId = randomUUID()
  const email = `zoe.${hubProjectId}@x.example`
  const response = await fetch(`${api}/projects/create-project-from-central-hub-project`, {
    method: 'POST',
    headers: key,
    body: JSON.stringify(createPayload({ hubProjectId, email })),
  })
  const { ID } = z.object({ ID: z.uuid() }).parse(await response.json())
  return { hubProjectId, imagingProjectId: ID, email, key }
}

function check({ name, status, answer }: CallerCall, given: { status: number; body: string }): void {
  const told = `${name}: ${given.status} ${given.body.slice(0, 300)}`
  expect(given.status, told).toBe(status)
  // trust-api reads a JSON document from every success.
  if (answer !== undefined) expect(JSON.parse(given.body), told).toMatchObject(answer)
}

// Each function is started by the first call to it.
describe('what trust-api sends is answered as it expects', { timeout: 60_000 }, () => {
  // What FLIP wants at least (trust/trust-api/pyproject.toml), and what Debian 12 has.
  it.each(['0.28.1', '0.23.3'])('to the byte as httpx %s sends it', async (version) => {
    const hub = await openHub()
    const { api } = stack.description

    for (const call of trustApiCalls(hub)) {
      const request = httpxBytes(call, { version, acceptEncoding: 'gzip, deflate' }, new URL(api).host)
      check(call, await sendRaw(api, request))
    }
  })

  it('by httpx itself, whose bytes are the replayed ones', async ({ skip }) => {
    const env = { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1' }
    const missing = whyNotImported('import httpx', env)
    // Reporters keep the reason of a skipped test to themselves.
    if (missing !== undefined) process.stderr.write(`httpx (python3-httpx) is not tried: ${missing}\n`)
    skip(missing !== undefined, missing)

    const calls = trustApiCalls(await openHub())
    const recorder = await startRecorder(stack.description.api)
    try {
      const script = join(import.meta.dirname, 'flip-callers/send-calls.py')
      const run = await runPython(script, { env, input: JSON.stringify({ url: recorder.url, calls }) })
      expect(run.status, run.log).toBe(0)
      const { answers, ...httpx } = Sent.parse(JSON.parse(run.out))

      expect(recorder.sent().toString()).toBe(allBytes(calls, httpx, new URL(recorder.url).host))
      expect(answers).toHaveLength(calls.length)
      for (const [index, call] of calls.entries()) check(call, answers[index]!)
    } finally {
      await recorder.stop()
    }
  })
})

const Sent = z.object({
  version: z.string(),
  acceptEncoding: z.string(),
  answers: z.array(z.object({ status: z.int(), body: z.string() })),
})

const allBytes = (calls: readonly CallerCall[], httpx: HttpxVersion, host: string) =>
  calls.map((call) => httpxBytes(call, httpx, host)).join('')

describe('a request of httpx 0.28.1', () => {
  const httpx = { version: '0.28.1', acceptEncoding: 'gzip, deflate' }
  const headers = { 'X-Trust-Internal-Service-Key': 'fake-key' }
  const host = 'imaging-api:8000'

  it('with JSON is written without spaces and in UTF-8', () => {
    const call = { method: 'PUT', path: '/users', headers, json: { email: 'zoë@x.example', enabled: false } } as const
    expect(httpxBytes(call, httpx, host).toString().split('\r\n')).toEqual([
      'PUT /users HTTP/1.1',
      'Host: imaging-api:8000',
      'Accept: */*',
      'Accept-Encoding: gzip, deflate',
      'Connection: keep-alive',
      'User-Agent: python-httpx/0.28.1',
      'X-Trust-Internal-Service-Key: fake-key',
      'Content-Length: 42',
      'Content-Type: application/json',
      '',
      '{"email":"zoë@x.example","enabled":false}',
    ])
  })

  it('that changes something without a body says so before all else', () => {
    const call = { method: 'PUT', path: '/retrieval/x', headers, params: { encoded_query: 'Pj4_Pz8' } } as const
    expect(httpxBytes(call, httpx, host).toString().split('\r\n')).toEqual([
      'PUT /retrieval/x?encoded_query=Pj4_Pz8 HTTP/1.1',
      'Host: imaging-api:8000',
      'Content-Length: 0',
      'Accept: */*',
      'Accept-Encoding: gzip, deflate',
      'Connection: keep-alive',
      'User-Agent: python-httpx/0.28.1',
      'X-Trust-Internal-Service-Key: fake-key',
      '',
      '',
    ])
  })
})
