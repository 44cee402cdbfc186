import { describe, expect, it } from 'vitest'
import { createHandler as createProjects } from '../../functions/api/projects.ts'
import { ask, serviceKey } from '../support/api-requests.ts'
import { httpEvent, lambdaContext } from '../support/events.ts'
import { testWired } from '../support/wired.ts'

const requestId = lambdaContext().awsRequestId

const hubRoute = { method: 'POST', path: '/projects/create-project-from-central-hub-project' }

describe('a request that no route takes', () => {
  it.each(['/nothing', '/projects/a/b/c', '/projects//subjects', '//projects', '/PROJECTS', '/docs/page.txt'])(
    'is 404 in the words that callers know: %s',
    async (path) => {
      expect(await ask(testWired(), { method: 'GET', path, headers: {} })).toMatchObject({
        status: 404,
        text: '{"detail":"Not Found"}',
      })
    },
  )

  it.each([
    ['PATCH', '/projects', 'GET, POST'],
    ['OPTIONS', '/projects', 'GET, POST'],
    ['HEAD', '/health', 'GET'],
    ['POST', '/projects/P1', 'DELETE, GET'],
    ['PUT', hubRoute.path, 'DELETE, GET, POST'],
    ['GET', '/users/add-to-project/u/P1', 'PUT'],
    ['POST', '/docs', 'GET'],
    ['POST', '/', 'GET'],
  ])('is 405 with the methods of its path: %s %s', async (method, path, allow) => {
    expect(await ask(testWired(), { method, path, headers: {} })).toMatchObject({
      status: 405,
      text: '{"detail":"Method Not Allowed"}',
      headers: { allow },
    })
  })

  it('allows no other site to ask', async () => {
    const headers = { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' }
    const reply = await ask(testWired(), { method: 'OPTIONS', path: '/projects', headers })
    expect(reply.status).toBe(405)
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('is sent to the path without the slash at its end, with its query', async () => {
    const query = { 'a b': 'c&d', x: '\r\nset-cookie: y' }
    const reply = await ask(testWired(), { method: 'GET', path: '/projects/P 1\r\n?#%/subjects/', query })
    expect(reply.status).toBe(307)
    expect(reply.headers['location']).toBe('/projects/P%201%0D%0A%3F%23%25/subjects?a+b=c%26d&x=%0D%0Aset-cookie%3A+y')
  })

  it('leaves a log line without its path', async () => {
    const wired = testWired()
    await ask(wired, { method: 'GET', path: '/SMITH^JOHN' })
    expect(wired.lines).toMatchObject([{ message: 'request answered', route: 'none', status: 404, requestId }])
    expect(JSON.stringify(wired.lines)).not.toContain('SMITH')
  })
})

describe('every answer', () => {
  const cases: [string, number, Parameters<typeof ask>[1]][] = [
    ['a success', 200, { method: 'GET', path: '/health' }],
    ['a page', 200, { method: 'GET', path: '/docs' }],
    ['a refusal', 401, { method: 'GET', path: '/projects', headers: {} }],
    ['a bad request', 422, { ...hubRoute, body: '{' }],
    ['an unknown path', 404, { method: 'GET', path: '/nothing' }],
    ['another method', 405, { method: 'PATCH', path: '/projects' }],
    ['trouble with XNAT', 503, { method: 'GET', path: '/projects' }],
  ]
  it.each(cases)('carries the id of its log line and guards itself: %s', async (_, status, request) => {
    const wired = testWired()
    const reply = await ask(wired, request)
    expect(reply.status).toBe(status)
    expect(reply.headers).toMatchObject({
      'x-request-id': requestId,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'$/),
    })
    expect(wired.lines).toEqual([expect.objectContaining({ requestId, status })])
    expect(reply.text).not.toMatch(/ at .*\.ts|node_modules/)
  })

  it('carries the id also when settings are missing', async () => {
    const handler = createProjects(() => {
      throw new Error('no settings')
    })
    const reply = await handler(httpEvent({ path: '/projects', headers: serviceKey }), lambdaContext())
    expect(reply).toMatchObject({ statusCode: 500, headers: { 'x-request-id': requestId } })
  })
})

describe('a body', () => {
  const hubProject = (name: string) =>
    JSON.stringify({
      project_id: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
      trust_id: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5c',
      project_name: name,
      query: '',
    })
  const post = (body: string, headers: Record<string, string> = {}) =>
    ask(testWired(), { ...hubRoute, body, headers: { ...serviceKey, ...headers } })

  it('of more than 1 MiB is 413, also when it comes as base64', async () => {
    const large = hubProject('é'.repeat(1024 ** 2 / 2))
    expect(await post(large)).toMatchObject({ status: 413, text: '{"detail":"Request body is too large."}' })

    const event = httpEvent({ ...hubRoute, body: Buffer.from(large).toString('base64'), isBase64Encoded: true })
    const reply = await createProjects(() => testWired())({ ...event, headers: serviceKey }, lambdaContext())
    expect(reply.statusCode).toBe(413)
  })

  it('of exactly 1 MiB is read', async () => {
    const rest = Buffer.byteLength(hubProject(''))
    expect(await post(hubProject('x'.repeat(1024 ** 2 - rest)))).toMatchObject({ status: 503 })
    expect(await post(hubProject('x'.repeat(1024 ** 2 - rest + 1)))).toMatchObject({ status: 413 })
  })

  it('is read as JSON, whatever its content type says', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
      expect(await post(hubProject('x'), { 'content-type': type })).toMatchObject({ status: 503 })
    }
  })

  it('nested absurdly deep is refused like any other that does not fit', async () => {
    const deep = '['.repeat(400_000) + ']'.repeat(400_000)
    expect(await post(deep)).toMatchObject({ status: 422 })
    expect(await post(hubProject('x').replace('"query":""', `"query":${deep}`))).toMatchObject({ status: 422 })
    expect(await post('{"a":'.repeat(150_000))).toMatchObject({ status: 422 })
  })

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'with a key %s changes nothing and lends no fields',
    async (key) => {
      const lent = `{"${key}": ${hubProject('x')}, "project_name": "x"}`
      const reply = await post(lent)
      expect(reply.body).toMatchObject({ detail: [{ loc: ['body', 'project_id'] }, {}, {}] })
      expect(Object.keys(Object.prototype)).toEqual([])
      expect('project_id' in {}).toBe(false)
    },
  )
})
