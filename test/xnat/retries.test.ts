import { expect, it } from 'vitest'
import { xnatPath } from '../../lib/xnat/path.ts'
import { createClient, type Script, startScriptedXnat } from './scripted-xnat.ts'

const path = xnatPath`/data/ping`

/** Plays one script per request; the last one for all that follow. */
function inTurn(...scripts: Script[]): Script {
  let turn = 0
  return (...args) => {
    const script = scripts[Math.min(turn, scripts.length - 1)]
    turn += 1
    return script?.(...args)
  }
}

const status =
  (code: number, headers: Record<string, string> = {}): Script =>
  (_, response) =>
    void response.writeHead(code, headers).end()
const pong: Script = (_, response) => void response.end('pong')
const cutBefore: Script = (request) => void request.socket.destroy()
const cutDuring: Script = (_, response) => {
  response.writeHead(200, { 'content-length': '100' })
  response.write('half')
  setTimeout(() => response.destroy(), 20)
}
const silence: Script = () => undefined
const silenceInside: Script = (_, response) => {
  response.writeHead(200, { 'content-length': '100' })
  response.write('half')
}

it.each([
  ['a 503', status(503)],
  ['a 429', status(429)],
  ['a 500', status(500)],
  ['a connection cut before the answer', cutBefore],
  ['an answer cut in the middle', cutDuring],
])('asks again after %s', async (_, first) => {
  const xnat = await startScriptedXnat(inTurn(first, pong))
  const { client, slept } = createClient(xnat.url)
  expect((await client.get(path)).text).toBe('pong')
  expect(xnat.seen).toHaveLength(2)
  expect(slept).toEqual([125])
})

it('waits longer each time and gives up with the last answer', async () => {
  const xnat = await startScriptedXnat(status(502))
  const { client, slept } = createClient(xnat.url)
  await expect(client.get(path)).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE', status: 502 })
  expect(slept).toEqual([125, 250, 500])
})

it('waits as long as Retry-After says, and a little more', async () => {
  const xnat = await startScriptedXnat(inTurn(status(503, { 'retry-after': '7' }), pong))
  const { client, slept } = createClient(xnat.url)
  await client.get(path)
  expect(slept).toEqual([7_125])
})

it('understands a date in Retry-After', async () => {
  const now = Date.parse('2026-03-01T10:00:00Z')
  const date = 'Sun, 01 Mar 2026 10:00:20 GMT'
  const xnat = await startScriptedXnat(inTurn(status(503, { 'retry-after': date }), pong))
  const { client, slept } = createClient(xnat.url, { now: () => now })
  await client.get(path)
  expect(slept).toEqual([20_125])
})

it('hands a long Retry-After to the caller instead of sleeping through it', async () => {
  const xnat = await startScriptedXnat(status(503, { 'retry-after': '3600' }))
  const { client, slept } = createClient(xnat.url)
  await expect(client.get(path)).rejects.toMatchObject({ code: 'XNAT_BUSY', retryAfterMs: 3_600_000 })
  expect(slept).toEqual([])
})

it('does not repeat a POST', async () => {
  const xnat = await startScriptedXnat(inTurn(status(503), pong))
  const { client } = createClient(xnat.url)
  await expect(client.post(path)).rejects.toMatchObject({ code: 'XNAT_BUSY' })
  expect(xnat.seen).toHaveLength(1)
})

it('repeats a POST that is declared idempotent', async () => {
  const xnat = await startScriptedXnat(inTurn(status(503), pong))
  const { client } = createClient(xnat.url)
  expect((await client.post(path, { idempotent: true })).text).toBe('pong')
})

it('does not repeat what XNAT refused for good', async () => {
  const xnat = await startScriptedXnat(status(404))
  const { client } = createClient(xnat.url)
  await expect(client.get(path)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
  expect(xnat.seen).toHaveLength(1)
})

it('does not start another try that its deadline would cut off', async () => {
  const xnat = await startScriptedXnat(status(503, { 'retry-after': '20' }))
  const { client, slept } = createClient(xnat.url, { timeouts: { callMs: 10_000 } })
  await expect(client.get(path)).rejects.toMatchObject({ code: 'XNAT_BUSY', retryAfterMs: 20_000 })
  expect(slept).toEqual([])
})

it.each([
  ['never begins', silence],
  ['stops in the middle', silenceInside],
])('gives up on an answer that %s', async (_, script) => {
  const xnat = await startScriptedXnat(script)
  const { client } = createClient(xnat.url, { timeouts: { headersMs: 150, idleBodyMs: 150 }, retry: { attempts: 2 } })
  await expect(client.get(path)).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE', status: undefined, retry: 'later' })
  expect(xnat.seen).toHaveLength(2)
})

it('waits longer for the answer to a call in which XNAT works', async () => {
  const xnat = await startScriptedXnat((_, response) => void setTimeout(() => response.end('done'), 400))
  const { client } = createClient(xnat.url, { timeouts: { headersMs: 50, slowHeadersMs: 5_000 } })
  expect((await client.get(path, { isSlow: true })).text).toBe('done')
})

it('ends the whole call at its time limit, whatever XNAT does', async () => {
  const xnat = await startScriptedXnat((_, response) => {
    const drip = setInterval(() => response.write('.'), 10)
    response.once('close', () => clearInterval(drip))
  })
  const { client } = createClient(xnat.url)
  const startedAt = performance.now()
  await expect(client.get(path, { timeouts: { callMs: 200 } })).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE' })
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

it.each([
  ['before the answer', silence],
  ['within the answer', silenceInside],
])("throws the caller's own reason when the caller stops %s", async (_, script) => {
  const xnat = await startScriptedXnat(script)
  const { client } = createClient(xnat.url)
  const reason = new Error('time to go')
  const stop = new AbortController()
  const call = client.get(path, { signal: stop.signal })
  setTimeout(() => stop.abort(reason), 100)
  await expect(call).rejects.toBe(reason)
})

it('stops between tries when the caller does', async () => {
  const xnat = await startScriptedXnat(status(503, { 'retry-after': '20' }))
  const stop = new AbortController()
  const reason = new Error('time to go')
  const { client } = createClient(xnat.url, {
    sleep: async (_, signal) => {
      stop.abort(reason)
      signal?.throwIfAborted()
    },
  })
  await expect(client.get(path, { signal: stop.signal })).rejects.toBe(reason)
  expect(xnat.seen).toHaveLength(1)
})

it('says when nothing listens at the address', async () => {
  const { client } = createClient('http://127.0.0.1:1', { retry: { attempts: 2 } })
  await expect(client.get(path)).rejects.toMatchObject({
    code: 'XNAT_UNREACHABLE',
    status: undefined,
    message: 'POST /data/JSESSION: XNAT_UNREACHABLE',
  })
})

it('breaks a streamed answer with XNAT_UNREACHABLE when it is cut', async () => {
  const xnat = await startScriptedXnat(cutDuring)
  const { client } = createClient(xnat.url)
  const { body, sizeBytes } = await client.stream({ method: 'GET', path })
  expect(sizeBytes).toBe(100)
  await expect(body.toArray()).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE' })
})

it('lets a streamed answer run past the time limit of its call', async () => {
  const xnat = await startScriptedXnat((_, response) => {
    response.writeHead(200, { 'content-length': '4' })
    response.write('ab')
    setTimeout(() => response.end('cd'), 400)
  })
  const { client } = createClient(xnat.url)
  const { body } = await client.stream({ method: 'GET', path, timeouts: { callMs: 200 } })
  expect(Buffer.concat(await body.toArray()).toString()).toBe('abcd')
})

it('closes the connection of a streamed answer that its reader lets go', async () => {
  const closed = Promise.withResolvers<void>()
  const xnat = await startScriptedXnat((_, response) => {
    response.once('close', closed.resolve)
    response.writeHead(200)
    response.write('x')
  })
  const { client } = createClient(xnat.url)
  const { body } = await client.stream({ method: 'GET', path })
  body.destroy()
  await closed.promise
})
