import { expect, it } from 'vitest'
import * as z from 'zod'
import { XnatError } from '../../lib/errors.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import { createClient, startScriptedXnat } from './scripted-xnat.ts'

const path = xnatPath`/data/projects/${'Anna_Smith'}`
const once = { retry: { attempts: 1 } }

async function failureOf(act: Promise<unknown>): Promise<XnatError> {
  const error = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof XnatError) return error
  throw new Error('no XnatError was thrown', { cause: error })
}

function answering(status: number, headers: Record<string, string>, body = '') {
  return startScriptedXnat((_, response) => void response.writeHead(status, headers).end(body))
}

it.each([
  [400, 'XNAT_REFUSED', 'never'],
  [403, 'XNAT_FORBIDDEN', 'never'],
  [404, 'XNAT_NOT_FOUND', 'never'],
  [405, 'XNAT_REFUSED', 'never'],
  [409, 'XNAT_CONFLICT', 'never'],
  [417, 'XNAT_REFUSED', 'never'],
  [422, 'XNAT_REFUSED', 'never'],
  [429, 'XNAT_BUSY', 'later'],
  [500, 'XNAT_UNREACHABLE', 'later'],
  [502, 'XNAT_UNREACHABLE', 'later'],
  [503, 'XNAT_BUSY', 'later'],
  [301, 'XNAT_UNEXPECTED_REPLY', 'never'],
])('turns status %i into %s, worth trying %s', async (status, code, retry) => {
  const xnat = await answering(status, {})
  const { client } = createClient(xnat.url, once)
  expect(await failureOf(client.get(path))).toMatchObject({ code, retry, status })
})

it("keeps XNAT's own words apart from the message, which holds no value of the path", async () => {
  const page =
    '<html>\n<body>\n<h3>No such\n project</h3><p>You can get details <a href="x">here</a>.</p></body></html>'
  const xnat = await answering(404, { 'content-type': 'text/html' }, page)
  const error = await failureOf(createClient(xnat.url).client.get(path))
  expect(error.detail).toBe('No such project')
  expect(error.message).toBe('GET /data/projects/{project}: 404')
})

it.each([
  ['plain text', 'text/plain', 'Invalid username', 'Invalid username'],
  ['a page of the servlet container', 'text/html', '<html><style>b{}</style><b>Not</b> today</html>', 'Not today'],
  ['nothing', 'text/plain', '', undefined],
])('reads %s under an error', async (_, contentType, body, detail) => {
  const xnat = await answering(400, { 'content-type': contentType }, body)
  expect((await failureOf(createClient(xnat.url).client.get(path))).detail).toBe(detail)
})

it('shortens long words to 200 characters', async () => {
  const xnat = await answering(400, {}, `<h3>${'long '.repeat(200)}</h3>`)
  const { detail } = await failureOf(createClient(xnat.url).client.get(path))
  expect(detail).toHaveLength(200)
  expect(detail?.endsWith('…')).toBe(true)
})

it.each(['text', 'json', 'stream'] as const)('refuses a web page where %s was asked for', async (kind) => {
  const page = '<!doctype html><html><h1>Welcome</h1></html>'
  const xnat = await answering(200, { 'content-type': 'text/html' }, page)
  const { client } = createClient(xnat.url)
  const call = { method: 'GET', path } as const
  const act = kind === 'json' ? client.json(z.unknown(), call) : client[kind](call)
  expect(await failureOf(act)).toMatchObject({ code: 'XNAT_UNEXPECTED_REPLY', status: 200, retry: 'never' })
})

it('hands over a web page to a caller who takes pages', async () => {
  const xnat = await answering(200, { 'content-type': 'text/html' }, '<html>hello</html>')
  const { client } = createClient(xnat.url)
  expect((await client.get(path, { acceptHtml: true })).text).toBe('<html>hello</html>')
})

it('streams a stored .html file, which XNAT sends as an attachment', async () => {
  const headers = { 'content-type': 'text/html', 'content-disposition': 'attachment; filename="report.html";' }
  const xnat = await answering(200, headers, '<html>report</html>')
  const { body, sizeBytes } = await createClient(xnat.url).client.stream({ method: 'GET', path })
  expect(Buffer.concat(await body.toArray()).toString()).toBe('<html>report</html>')
  expect(sizeBytes).toBe(undefined)
})

it('hands over the bytes of a page as they came, whatever their encoding', async () => {
  const bytes = Buffer.from('<html>\xe9</html>', 'latin1')
  const xnat = await startScriptedXnat((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html;charset=ISO-8859-1' }).end(bytes)
  })
  const { body } = await createClient(xnat.url).client.stream({ method: 'GET', path, acceptHtml: true })
  expect(Buffer.concat(await body.toArray())).toEqual(bytes)
})

it('names what is wrong with an answer that does not fit, without its values', async () => {
  const xnat = await answering(200, {}, '{"name":7}')
  const { client } = createClient(xnat.url)
  const error = await failureOf(client.json(z.object({ name: z.string() }), { method: 'GET', path }))
  expect(error.code).toBe('XNAT_UNEXPECTED_REPLY')
  expect(error.cause).toBeInstanceOf(z.ZodError)
  expect(String(error.cause)).not.toContain('7')
})

it('refuses an answer that is no JSON', async () => {
  const xnat = await answering(200, { 'content-type': 'application/json' }, '{"ResultSet":')
  const { client } = createClient(xnat.url)
  expect(await failureOf(client.json(z.object({}), { method: 'GET', path }))).toMatchObject({
    code: 'XNAT_UNEXPECTED_REPLY',
  })
})

it('takes an empty success for a failure of the database, not for an empty list', async () => {
  const xnat = await answering(200, {})
  const { client, slept } = createClient(xnat.url, { retry: { attempts: 3 } })
  for (const ask of [client.json, client.find]) {
    const error = await failureOf(ask.call(client, z.object({}), { method: 'GET', path }))
    expect(error).toMatchObject({ code: 'XNAT_UNREACHABLE', detail: 'empty answer' })
  }
  expect(slept).toHaveLength(4)
})

it('returns the statuses a call accepts, redirects among them, without following them', async () => {
  const xnat = await answering(301, { location: `http://127.0.0.1:1/elsewhere` }, '/data/archive/projects/P')
  const { client } = createClient(xnat.url)
  const reply = await client.post(path, { accept: [301] })
  expect(reply).toMatchObject({ status: 301, text: '/data/archive/projects/P' })
  expect(xnat.seen).toHaveLength(1)
})

it('finds nothing where XNAT answers 404, and fails on anything else', async () => {
  const missing = createClient((await answering(404, {})).url).client
  expect(await missing.find(z.object({}), { method: 'GET', path })).toBe(undefined)
  const forbidden = createClient((await answering(403, {})).url).client
  expect(await failureOf(forbidden.find(z.object({}), { method: 'GET', path }))).toMatchObject({
    code: 'XNAT_FORBIDDEN',
  })
})

it('asks for the head of an answer alone', async () => {
  const xnat = await answering(200, { 'content-type': 'text/html', 'content-length': '5' }, '<htm>')
  const reply = await createClient(xnat.url).client.head(path)
  expect([reply.status, reply.headers['content-length'], reply.text]).toEqual([200, '5', ''])
})

it('refuses headers that would not be a request', async () => {
  const xnat = await answering(200, {})
  const call = createClient(xnat.url).client.get(path, { headers: { 'x-note': 'a\r\nb: c' } })
  await expect(call).rejects.toMatchObject({ name: 'InvalidInputError' })
  expect(xnat.seen).toEqual([])
})

it('deletes by the escape hatch', async () => {
  const xnat = await answering(200, {})
  await createClient(xnat.url).client.delete(path)
  expect(xnat.seen.map(({ method }) => method)).toEqual(['DELETE'])
})

it('calls XNAT below its context path', async () => {
  const seen: string[] = []
  const xnat = await startScriptedXnat((request, response) => {
    seen.push(request.url ?? '')
    response.writeHead(200, { 'set-cookie': 'JSESSIONID=S1' }).end('S1')
  })
  const { client } = createClient(`${xnat.url}/xnat/`)
  await client.get(path, { query: { format: 'json', tags: ['a&b', 'c d'], none: undefined } })
  expect(seen).toEqual(['/xnat/data/JSESSION', '/xnat/data/projects/Anna_Smith?format=json&tags=a%26b&tags=c%20d'])
})

it('reports each exchange by its template', async () => {
  const xnat = await answering(200, {}, 'ok')
  const records: unknown[] = []
  const { client } = createClient(xnat.url, { onRequest: (record) => records.push(record) })
  await client.get(path)
  expect(records).toEqual([
    { method: 'POST', pathTemplate: '/data/JSESSION', status: 200, durationMs: expect.any(Number), attempt: 1 },
    {
      method: 'GET',
      pathTemplate: '/data/projects/{project}',
      status: 200,
      durationMs: expect.any(Number),
      attempt: 1,
    },
  ])
})

it('reads build information with whatever keys the build carries', async () => {
  const xnat = await answering(200, {}, '{"version":"1.8.11","buildNumber":"12","branch":"main"}')
  expect(await createClient(xnat.url).client.buildInfo()).toEqual({
    version: '1.8.11',
    buildNumber: '12',
    branch: 'main',
  })
})
