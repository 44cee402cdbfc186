import { createServer, request as httpRequest } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as z from 'zod'
import { startHttpApi } from '../../../infra/local/run-functions/http-api.ts'
import type { FunctionModel } from '../../../infra/local/run-functions/service-model.ts'
import { functionModel, route, serviceModel } from './function-models.ts'
import { startFixture } from './start-fixture.ts'

const HttpEvent = z.looseObject({
  routeKey: z.string(),
  rawPath: z.string(),
  rawQueryString: z.string(),
  headers: z.record(z.string(), z.string()),
  cookies: z.array(z.string()).optional(),
  queryStringParameters: z.record(z.string(), z.string()).optional(),
  pathParameters: z.record(z.string(), z.string()).optional(),
  requestContext: z.looseObject({ http: z.record(z.string(), z.string()), timeEpoch: z.number(), time: z.string() }),
  body: z.string().optional(),
  isBase64Encoded: z.boolean(),
})

/** The event that a handler gets for a request. */
async function echo(path: string, init: RequestInit = {}) {
  const fixture = await startFixture(serviceModel([functionModel('echo', { events: [route('ANY', '$default')] })]))
  const response = await fetch(`${fixture.apiUrl}${path}`, init)
  return z.object({ event: HttpEvent }).parse(await response.json()).event
}

/** What a caller gets for a handler's result. */
async function answerTo(result: unknown, settings: Partial<FunctionModel> = {}) {
  const model = functionModel('web', { events: [route('POST', '/')], ...settings })
  const { apiUrl } = await startFixture(serviceModel([model]))
  return await fetch(apiUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(result),
  })
}

/** A gateway whose routes answer with their own name. */
async function startRoutes(...definitions: string[]) {
  const routes = definitions.map((definition) => {
    const [method = '', path = '$default'] = definition.split(' ')
    const target = async (event: unknown) => {
      const { routeKey, pathParameters } = HttpEvent.parse(event)
      return { definition, routeKey, pathParameters }
    }
    return { method, path, target }
  })
  const api = await startHttpApi({ routes, port: 0, log: () => undefined })
  onTestFinished(() => api.stop(0))
  return api.url
}

describe('the event of a request', () => {
  it('is payload format 2.0', async () => {
    const event = await echo('/some/path', { headers: { 'user-agent': 'test agent' } })
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/some/path',
      rawQueryString: '',
      isBase64Encoded: false,
      requestContext: {
        accountId: '000000000000',
        stage: '$default',
        routeKey: '$default',
        requestId: expect.any(String),
        http: {
          method: 'GET',
          path: '/some/path',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'test agent',
        },
      },
    })
    expect(Math.abs(event.requestContext.timeEpoch - Date.now())).toBeLessThan(10_000)
    expect(event.requestContext.time).toMatch(/^\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2} \+0000$/)
    expect(event).not.toHaveProperty('body')
    expect(event).not.toHaveProperty('queryStringParameters')
    expect(event).not.toHaveProperty('pathParameters')
    expect(event).not.toHaveProperty('cookies')
  })

  it('carries the query as it came, and decoded with repeats joined', async () => {
    const event = await echo('/?name=a%20b&name=c%2Cd&empty=&plus=1+1')
    expect(event.rawQueryString).toBe('name=a%20b&name=c%2Cd&empty=&plus=1+1')
    expect(event.queryStringParameters).toEqual({ name: 'a b,c,d', empty: '', plus: '1 1' })
  })

  it('has header names in lower case, repeats joined and cookies taken out', async () => {
    const fixture = await startFixture(serviceModel([functionModel('echo', { events: [route('GET', '/')] })]))
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const headers = ['Host', 'localhost', 'X-Many', 'one', 'x-many', 'two', 'Cookie', 'a=1; b=2', 'X-ABC', 'd']
    httpRequest(fixture.apiUrl, { headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks).toString()))
    })
      .on('error', reject)
      .end()
    const { event } = z.object({ event: HttpEvent }).parse(JSON.parse(await promise))

    expect(event.headers).toMatchObject({ 'x-many': 'one,two', 'x-abc': 'd', 'x-forwarded-proto': 'http' })
    expect(event.headers).not.toHaveProperty('cookie')
    expect(event.cookies).toEqual(['a=1', 'b=2'])
  })

  it.each([
    ['text/plain', 'grüße', false],
    ['text/csv; charset=utf-8', 'a,b', false],
    ['application/json', '{"a":1}', false],
    ['application/json; charset=utf-8', '{"a":1}', false],
    ['application/xml', '<a/>', false],
    ['application/javascript', '1', false],
    ['application/x-www-form-urlencoded', 'a=1', true],
    ['application/octet-stream', '\u0000\u0001', true],
    ['application/zip', 'PK', true],
  ])('has a body of %s as AWS passes it', async (contentType, body, isBase64Encoded) => {
    const event = await echo('/', { method: 'PUT', headers: { 'content-type': contentType }, body: Buffer.from(body) })
    expect(event.isBase64Encoded).toBe(isBase64Encoded)
    expect(Buffer.from(event.body ?? '', isBase64Encoded ? 'base64' : 'utf8').toString()).toBe(body)
    expect(event.headers['content-length']).toBe(String(Buffer.byteLength(body)))
  })

  it('has a body without a content type in base64', async () => {
    const event = await echo('/', { method: 'PUT', body: new Uint8Array([0xff, 0x00]) })
    expect(event).toMatchObject({ isBase64Encoded: true, body: '/wA=' })
  })
})

describe('the choice of a route', () => {
  it.each([
    ['GET', '/pets/dog/1', 'GET /pets/dog/1', undefined],
    ['GET', '/pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['GET', '/pets/cat/1', 'GET /pets/{proxy+}', { proxy: 'cat/1' }],
    ['POST', '/test/5', 'ANY /{proxy+}', { proxy: 'test/5' }],
    ['POST', '/pets/dog/1', 'ANY /{proxy+}', { proxy: 'pets/dog/1' }],
    ['DELETE', '/', '$default', undefined],
  ])('takes the most specific path that has the method: %s %s', async (method, path, routeKey, pathParameters) => {
    const definitions = ['GET /pets/{proxy+}', 'ANY /{proxy+}', 'GET /pets/dog/{id}', '$default', 'GET /pets/dog/1']
    const url = await startRoutes(...definitions)
    const chosen = await (await fetch(`${url}${path}`, { method })).json()
    expect(chosen).toEqual({ definition: routeKey, routeKey, ...(pathParameters && { pathParameters }) })
  })

  it('prefers the named method to ANY on the same path', async () => {
    const url = await startRoutes('ANY /users/{id}', 'PUT /users/{id}')
    const routeKeyOf = async (method: string) => {
      return HttpEvent.pick({ routeKey: true }).parse(await (await fetch(`${url}/users/7`, { method })).json()).routeKey
    }
    expect(await routeKeyOf('PUT')).toBe('PUT /users/{id}')
    expect(await routeKeyOf('GET')).toBe('ANY /users/{id}')
  })

  it.each(['/projects', '/projects/', '/projects/a/b', '/projects/a/', '/Projects/a', '/'])(
    'answers 404 for %s when only /projects/{id} exists',
    async (path) => {
      const response = await fetch(`${await startRoutes('GET /projects/{id}')}${path}`)
      expect(response.status).toBe(404)
      expect(await response.text()).toBe('{"message":"Not Found"}')
      expect(response.headers.get('content-type')).toBe('application/json')
    },
  )

  it.each(['HEAD', 'OPTIONS', 'POST'])('answers 404 for %s when the path is there for GET only', async (method) => {
    const response = await fetch(`${await startRoutes('GET /health')}/health`, { method })
    expect(response.status).toBe(404)
  })

  it('decodes the path before it is matched, so that %2F parts it, as API Gateway does', async () => {
    const url = await startRoutes('GET /files/{name}', 'GET /files/{folder}/{name}')
    expect(await (await fetch(`${url}/files/a%20b%3Fc`)).json()).toMatchObject({ pathParameters: { name: 'a b?c' } })
    expect(await (await fetch(`${url}/files/a%2Fb`)).json()).toMatchObject({
      pathParameters: { folder: 'a', name: 'b' },
    })
  })

  it('answers 400 for a path that cannot be decoded', async () => {
    expect((await fetch(`${await startRoutes('GET /files/{name}')}/files/%E0%A4%A`)).status).toBe(400)
  })

  it('is refused at the start when two functions claim the same', async () => {
    await expect(startRoutes('GET /a/{id}', 'GET /a/{name}')).rejects.toThrow('GET /a/{name} is claimed twice')
  })
})

describe('the answer to a request', () => {
  it('has the status, headers, cookies and body of the result', async () => {
    const response = await answerTo({
      statusCode: 202,
      headers: { Location: '/uploads/1', 'X-Count': 3, 'Content-Type': 'text/html', Connection: 'close' },
      cookies: ['a=1; Path=/', 'b=2'],
      body: '<p>grüße</p>',
    })
    expect(response.status).toBe(202)
    expect(response.headers.get('location')).toBe('/uploads/1')
    expect(response.headers.get('x-count')).toBe('3')
    expect(response.headers.get('content-type')).toBe('text/html')
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2'])
    expect(response.headers.get('connection')).toBe('keep-alive')
    expect(response.headers.get('apigw-requestid')).toMatch(/./)
    expect(await response.text()).toBe('<p>grüße</p>')
  })

  it('has a body that was base64 as bytes', async () => {
    const response = await answerTo({ statusCode: 200, body: '/wD+', isBase64Encoded: true })
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([0xff, 0x00, 0xfe]))
  })

  it('is plain text when the result names no content type', async () => {
    expect((await answerTo({ statusCode: 200, body: 'x' })).headers.get('content-type')).toBe(
      'text/plain; charset=utf-8',
    )
  })

  it('has no body for 204', async () => {
    const response = await answerTo({ statusCode: 204 })
    expect(response.status).toBe(204)
    expect(await response.text()).toBe('')
  })

  it.each([
    ['an object', { message: 'hello' }, '{"message":"hello"}'],
    ['a list', [1, 2], '[1,2]'],
    ['text', 'hello', 'hello'],
  ])('is 200 with JSON when the result is %s without a status code', async (_title, result, body) => {
    const response = await answerTo(result)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.text()).toBe(body)
  })

  it.each([
    ['a body that is no text', { statusCode: 200, body: { a: 1 } }],
    ['a status that is none', { statusCode: 'fine' }],
    ['a header that HTTP cannot carry', { statusCode: 200, headers: { 'x-a': 'one\r\nx-b: two' } }],
  ])('is 500 when the result has %s', async (_title, result) => {
    const response = await answerTo(result)
    expect(response.status).toBe(500)
    expect(await response.text()).toBe('{"message":"Internal Server Error"}')
  })

  it('is 500 when the handler throws, when it is cut off, and when its result is too large', async () => {
    const functions = ['throws', 'hangs', 'overflows'].map((name) =>
      functionModel('behave', { name, timeoutSeconds: 1, events: [route('GET', `/${name}`)] }),
    )
    const events = { throws: { do: 'throw' }, hangs: { ms: 60_000 }, overflows: { do: 'return bytes', bytes: 7e6 } }
    const { invoke } = await startFixture(serviceModel(functions))
    const api = await startHttpApi({
      port: 0,
      log: () => undefined,
      routes: Object.entries(events).map(([name, event]) => ({
        method: 'GET',
        path: `/${name}`,
        target: () => invoke(name, event),
      })),
    })
    onTestFinished(() => api.stop(0))

    for (const name of Object.keys(events)) {
      const response = await fetch(`${api.url}/${name}`)
      expect([name, response.status]).toEqual([name, 500])
      expect(await response.text()).toBe('{"message":"Internal Server Error"}')
    }
  })

  it('is 503 when the function takes longer than the integration may', async () => {
    const target = () => new Promise<unknown>(() => undefined)
    const routes = [{ method: 'GET', path: '/', target }]
    const api = await startHttpApi({ port: 0, routes, integrationTimeoutMs: 100, log: () => undefined })
    onTestFinished(() => api.stop(0))

    const response = await fetch(api.url)
    expect(response.status).toBe(503)
    expect(await response.text()).toBe('{"message":"Service Unavailable"}')
  })

  it('is 500, with a line in the log that does not tell the address, when the gateway itself fails', async () => {
    const lines: string[] = []
    const target = () => Promise.reject(new Error('out of processes'))
    const routes = [{ method: 'GET', path: '/', target }]
    const api = await startHttpApi({ port: 0, routes, log: (line) => lines.push(line) })
    onTestFinished(() => api.stop(0))

    expect((await fetch(`${api.url}/?label=SMITH`)).status).toBe(500)
    expect(lines.join()).toMatch(/^GET [0-9a-f-]{36} failed: Error: out of processes/)
    expect(lines.join()).not.toContain('SMITH')
  })

  it.each([
    ['over API Gateway’s 10 MB', 10_485_761, 'text/plain'],
    ['over Lambda’s 6 MB as an event', 5_000_000, 'application/octet-stream'],
  ])('is 413 when the body is %s', async (_title, bytes, contentType) => {
    const { apiUrl } = await startFixture(serviceModel([functionModel('web', { events: [route('POST', '/')] })]))
    const response = await fetch(apiUrl, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: Buffer.alloc(bytes, 'a'),
    })
    expect(response.status).toBe(413)
    expect(await response.text()).toBe('{"message":"Request Entity Too Large"}')
  })

  it('waits its turn when all processes of the function are busy', async () => {
    const model = functionModel('web', { events: [route('POST', '/')] })
    const fixture = await startFixture(serviceModel([model]), { httpConcurrency: 2 })
    const ask = () => fetch(fixture.apiUrl, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '"x"' })
    const responses = await Promise.all(Array.from({ length: 12 }, ask))

    expect(responses.map(({ status }) => status)).toEqual(Array(12).fill(200))
    expect(fixture.peaks()['web']).toMatchObject({ invocations: 12, coldStarts: 2 })
  })
})

describe('the port of the API', () => {
  async function occupy(port: number): Promise<number> {
    const server = createServer()
    const { promise, resolve } = Promise.withResolvers<void>()
    server.once('error', () => resolve())
    server.listen(port, '127.0.0.1', resolve)
    onTestFinished(() => void server.close())
    await promise
    return z.object({ port: z.number() }).safeParse(server.address()).data?.port ?? port
  }

  it('is an error when it was asked for and is taken', async () => {
    const port = await occupy(0)
    await expect(startHttpApi({ routes: [], port, log: () => undefined })).rejects.toThrow(`Port ${port} is taken`)
  })

  it('is the next free one from 3000 when none was asked for', async () => {
    await occupy(3000)
    const api = await startHttpApi({ routes: [], log: () => undefined })
    onTestFinished(() => api.stop(0))
    const port = Number(new URL(api.url).port)
    expect(port).toBeGreaterThan(3000)
    expect(port).toBeLessThan(3100)
    expect((await fetch(api.url)).status).toBe(404)
  })
})
