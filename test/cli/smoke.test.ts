import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { conduit } from '../support/command-line.ts'

interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: unknown
}

const key = 'fake-key'
const header = 'x-trust-internal-service-key'
const html = (body: string, headers: Record<string, string> = {}): Answer => ({
  headers: { 'content-type': 'text/html; charset=utf-8', ...headers },
  body,
})
const policy = { 'content-security-policy': "default-src 'none'; script-src 'self'; frame-ancestors 'none'" }
const page = (folder: string) =>
  html(`<!doctype html><link href="/${folder}/page.css"><script src="/${folder}/page.js"></script>`, policy)
const refused: Answer = { status: 401, body: { detail: 'Invalid key' } }

/** What an API that is well answers to who has the key; what is open, to everybody. */
const well: Record<string, Answer> = {
  '/health': { body: { status: 'ok', version: '1.2.3', dead_tasks: [] } },
  '/deliveries?limit=1': { body: { deliveries: [] } },
  '/projects?limit=1': { body: [{ ID: 'P1' }] },
  '/dead-letters': { body: { queues: [] } },
  '/openapi.json': { body: { openapi: '3.1.1', info: { version: '1.2.3' }, paths: { '/health': {}, '/x': {} } } },
  '/': page('console'),
  '/console/page.css': {},
  '/console/page.js': {},
  '/docs': page('docs'),
  '/docs/page.css': {},
  '/docs/page.js': {},
}
const open = /^\/(?:health|docs.*|console.*)?$/

/** An API that answers so, and remembers the keys that it was sent. */
async function startApi(answers: Record<string, Answer> = well, { keys = [key] } = {}) {
  const sent: unknown[] = []
  const answerTo = ({ url = '', headers }: IncomingMessage): Answer => {
    if (!open.test(url)) sent.push(headers[header])
    if (!open.test(url) && !keys.includes(String(headers[header]))) return refused
    return answers[url] ?? answers['*'] ?? { status: 404, body: { detail: 'Not Found' } }
  }
  const server = createServer((request, response) => {
    const { status = 200, headers = {}, body = '' } = answerTo(request)
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent }
}

async function smoke(url: string, env: Record<string, string> = { CONDUIT_SERVICE_KEY: key }) {
  const { exitCode, stdout, stderr } = await conduit(['smoke', url, '-o', 'json'], { env })
  expect(stdout + stderr).not.toContain(key)
  const { isWell, checks } = JSON.parse(stdout) as {
    isWell: boolean
    checks: { check: string; state: string; says: string; advice?: string; ms: number }[]
  }
  expect(checks.every(({ ms }) => Number.isInteger(ms))).toBe(true)
  for (const { advice, state } of checks) if (state === 'failed') expect(advice).toMatch(/\S/)
  const found = Object.fromEntries(checks.map(({ check, state, says }) => [check, `${state}: ${says}`]))
  const trouble = checks.filter(({ state }) => state === 'failed').map(({ check }) => check)
  return { exitCode, isWell, found, trouble }
}

describe('conduit smoke', () => {
  it('finds all well where all is well', async () => {
    const api = await startApi()

    const { exitCode, isWell, found } = await smoke(api.url)

    expect({ exitCode, isWell }).toEqual({ exitCode: 0, isWell: true })
    expect(found).toEqual({
      API: `ok: ${api.url} answers, version 1.2.3`,
      'wrong key': 'ok: is refused',
      'service key': 'ok: the API takes it',
      description: 'ok: OpenAPI 3.1.1 of 2 paths, version 1.2.3',
      documentation: 'ok: /docs with 2 parts, closed by its Content-Security-Policy',
      console: 'ok: / with 2 parts, closed by its Content-Security-Policy',
      receipts: 'ok: the state bucket can be read',
      XNAT: 'ok: the service account is signed in',
      'dead letters': 'ok: none',
    })
    expect(new Set(api.sent)).toEqual(new Set([key, 'no-key-but-a-smoke-test']))
  })

  it('tells people in lines, with times', async () => {
    const { url } = await startApi()
    const { exitCode, stdout } = await conduit(['smoke', url], { env: { CONDUIT_SERVICE_KEY: key } })

    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ok {7}wrong key {6}is refused \(\d+\.\d s\)$/m)
  })

  const without = (path: string) => ({ ...well, [path]: { status: 404, body: { detail: 'Not Found' } } })

  it.each<[string, Record<string, Answer>, string, RegExp]>([
    ['a part of the console is missing', without('/console/page.js'), 'console', /GET \/console\/page\.js: 404/],
    ['the console was not built', { ...well, '/': { status: 500, body: {} } }, 'console', /GET \/: 500/],
    [
      'the console is closed to nobody',
      { ...well, '/': { ...page('console'), headers: { 'content-type': 'text/html' } } },
      'console',
      /without the policy/,
    ],
    [
      'something else is at the console',
      { ...well, '/': html('<html>Welcome to nginx!</html>') },
      'console',
      /is another page/,
    ],
    ['the documentation is no page', { ...well, '/docs': { body: {} } }, 'documentation', /\/docs is no web page/],
    [
      'the description is of something else',
      { ...well, '/openapi.json': { body: { openapi: '3.0.0', info: { version: '1' }, paths: {} } } },
      'description',
      /does not describe this API/,
    ],
    ['the description is none', { ...well, '/openapi.json': { body: {} } }, 'description', /not as xnat-conduit does/],
    [
      'receipts have another form',
      { ...well, '/deliveries?limit=1': { body: { deliveries: [{}] } } },
      'receipts',
      /not as xnat-conduit does/,
    ],
    [
      'projects have another form',
      { ...well, '/projects?limit=1': { body: [{}] } },
      'XNAT',
      /not as xnat-conduit does/,
    ],
    [
      'XNAT is away',
      { ...well, '/projects?limit=1': { status: 503, body: { detail: 'XNAT cannot be reached.' } } },
      'XNAT',
      /503 XNAT cannot be reached/,
    ],
    [
      'dead letters cannot be read',
      { ...well, '/dead-letters': { status: 500, body: { detail: 'Internal server error' } } },
      'dead letters',
      /500/,
    ],
  ])('fails when %s, in one line', async (_, answers, check, words) => {
    const { exitCode, isWell, found, trouble } = await smoke((await startApi(answers)).url)

    expect({ exitCode, isWell, trouble }).toEqual({ exitCode: 1, isWell: false, trouble: [check] })
    expect(found[check]).toMatch(words)
  })

  it('fails when the key is not taken, and says no more than it can', async () => {
    const { url } = await startApi(well, { keys: ['fake-other'] })

    const { exitCode, found, trouble } = await smoke(url)

    expect({ exitCode, trouble }).toEqual({ exitCode: 1, trouble: ['service key'] })
    expect(found['service key']).toMatch(/401 Invalid key/)
    expect(found['console']).toMatch(/^ok/)
    expect(found['receipts']).toMatch(/^skipped: .*: service key$/)
  })

  it('fails when any key is taken', async () => {
    const { url } = await startApi(well, { keys: [key, 'no-key-but-a-smoke-test'] })

    const { exitCode, found, trouble } = await smoke(url)

    expect({ exitCode, trouble }).toEqual({ exitCode: 1, trouble: ['wrong key'] })
    expect(found['wrong key']).toMatch(/everybody may call/)
  })

  it('sends no key to what is not the product', async () => {
    const api = await startApi({ '*': html('<html>Welcome</html>') })

    const { exitCode, found, trouble } = await smoke(api.url)

    expect({ exitCode, trouble }).toEqual({ exitCode: 1, trouble: ['API'] })
    expect(found['API']).toMatch(/not as xnat-conduit does/)
    expect(Object.values(found).filter((words) => words.startsWith('skipped'))).toHaveLength(8)
    expect(api.sent).toEqual([])
  })

  it('fails when nothing answers', async () => {
    const { exitCode, trouble, found } = await smoke('http://127.0.0.1:9')

    expect({ exitCode, trouble }).toEqual({ exitCode: 1, trouble: ['API'] })
    expect(found['API']).toMatch(/cannot be reached/)
  })

  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['without a key', ['http://127.0.0.1:9'], {}, /not as it should be: serviceKey/],
    ['without an address', [], { CONDUIT_SERVICE_KEY: key }, /Which API\?/],
    ['with an address that is none', ['conduit.example.org'], { CONDUIT_SERVICE_KEY: key }, /url/],
    ['with two addresses', ['http://127.0.0.1:9', 'http://127.0.0.1:10'], { CONDUIT_SERVICE_KEY: key }, /url/],
    [
      'when files go nowhere',
      ['http://127.0.0.1:9', '--deliver', 'P1'],
      { CONDUIT_SERVICE_KEY: key },
      /Which bucket\?/,
    ],
    [
      'with a project that cannot be one',
      ['http://127.0.0.1:9', '--deliver', '../P1'],
      { CONDUIT_SERVICE_KEY: key, CONDUIT_INCOMING_BUCKET: 'to-deliver' },
      /nothing was sent/,
    ],
  ])('ends with 2 %s', async (_, args, env, words) => {
    const { exitCode, stdout, stderr } = await conduit(['smoke', ...args], { env })

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(words)
  })
})
