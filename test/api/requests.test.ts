import { describe, expect, it } from 'vitest'
import { createHandler as createDeliveries } from '../../functions/api/deliveries.ts'
import { createHandler as createHealth } from '../../functions/api/health.ts'
import { createHandler as createProjects } from '../../functions/api/projects.ts'
import { httpEvent, lambdaContext } from '../support/events.ts'
import { type TestWired, testWired } from '../support/wired.ts'

const path = '/projects/create-project-from-central-hub-project'
const key = { 'x-trust-internal-service-key': 'fake-key' }
const hubProject = {
  project_id: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
  trust_id: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5c',
  project_name: 'A project',
  query: 'SELECT 1',
}

async function post(body: unknown, headers: Record<string, string> = key, wired: TestWired = testWired()) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const reply = await createProjects(() => wired)(
    httpEvent({ method: 'POST', path, headers, body: text }),
    lambdaContext(),
  )
  return { status: reply.statusCode, headers: reply.headers, ...JSON.parse(reply.body ?? '{}') }
}

describe('the service key', () => {
  it.each([
    ['absent', {}, 'fake-key', 'Not authenticated: trust-internal service key is missing.'],
    [
      'empty',
      { 'x-trust-internal-service-key': '' },
      'fake-key',
      'Not authenticated: trust-internal service key is missing.',
    ],
    ['different', { 'x-trust-internal-service-key': 'other' }, 'fake-key', 'Invalid trust-internal service key.'],
    ['set nowhere', key, '', 'Trust-internal service auth not configured.'],
  ])("%s: 401 in FLIP's words", async (_, headers, keys, detail) => {
    const wired = testWired({}, { TRUST_INTERNAL_SERVICE_KEY: keys })
    expect(await post(hubProject, headers, wired)).toMatchObject({ status: 401, detail })
  })

  it('is looked at before the body is judged, but after it was found to be JSON', async () => {
    expect((await post({}, {})).status).toBe(401)
    expect(await post('not json', {})).toMatchObject({
      status: 422,
      detail: [{ type: 'json_invalid', loc: ['body', 0] }],
    })
  })

  it('may be either of two while one is being changed', async () => {
    const wired = testWired({}, { TRUST_INTERNAL_SERVICE_KEY: 'new-key fake-key' })
    expect((await post({}, key, wired)).status).toBe(422)
    expect((await post({}, { 'x-trust-internal-service-key': 'new-key' }, wired)).status).toBe(422)
  })
})

describe('a bad body', () => {
  it.each<[string, unknown, object[]]>([
    [
      'empty',
      {},
      [
        { type: 'missing', loc: ['body', 'project_id'], msg: 'Field required' },
        { type: 'missing', loc: ['body', 'trust_id'], msg: 'Field required' },
        { type: 'missing', loc: ['body', 'project_name'], msg: 'Field required' },
        { type: 'missing', loc: ['body', 'query'], msg: 'Field required' },
      ],
    ],
    ['absent', '', [{ type: 'missing', loc: ['body'], msg: 'Field required' }]],
    ['a list', [], [{ type: 'model_attributes_type', loc: ['body'] }]],
    [
      'without a query',
      { ...hubProject, query: null },
      [{ type: 'string_type', loc: ['body', 'query'], msg: 'Input should be a valid string' }],
    ],
    [
      'with an id that is no UUID',
      { ...hubProject, project_id: '../x' },
      [{ type: 'uuid_parsing', loc: ['body', 'project_id'] }],
    ],
    [
      'with markup in the name',
      { ...hubProject, project_name: 'a<b' },
      [
        {
          type: 'value_error',
          loc: ['body', 'project_name'],
          msg: "Value error, project_name must not contain XML control characters ('<', '>', '&')",
        },
      ],
    ],
    [
      'with an ampersand in the name',
      { ...hubProject, project_name: 'a&b' },
      [{ type: 'value_error', loc: ['body', 'project_name'] }],
    ],
    [
      'with a user whose e-mail is none',
      { ...hubProject, users: [{ id: hubProject.project_id, email: 'nobody' }] },
      [{ type: 'value_error', loc: ['body', 'users', 0, 'email'] }],
    ],
    ['with users that are no list', { ...hubProject, users: 'all' }, [{ type: 'list_type', loc: ['body', 'users'] }]],
    [
      'with a flag that is none',
      { ...hubProject, dicom_to_nifti: 'perhaps' },
      [{ type: 'bool_type', loc: ['body', 'dicom_to_nifti'] }],
    ],
  ])("%s: 422 with a list in FastAPI's shape", async (_, body, detail) => {
    const reply = await post(body)
    expect(reply.status).toBe(422)
    expect(reply.detail).toEqual(detail.map((issue) => expect.objectContaining(issue)))
  })

  it('is not quoted in the answer', async () => {
    const reply = await post({ ...hubProject, project_id: 'SMITH', query: 7, users: [{ email: 'john.smith at x' }] })
    expect(JSON.stringify(reply)).not.toMatch(/SMITH|john/)
  })
})

describe('an answer', () => {
  it('of the health route needs no key and touches nothing', async () => {
    const reply = await createHealth(() => testWired())(httpEvent({ path: '/health' }), lambdaContext())
    expect(reply.statusCode).toBe(200)
    expect(JSON.parse(reply.body!)).toEqual({
      status: 'ok',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      dead_tasks: [],
    })
  })

  it('names the release when one is set', async () => {
    const wired = testWired({}, { FLIP_RELEASE: '2026.1' })
    const reply = await createHealth(() => wired)(httpEvent({ path: '/health' }), lambdaContext())
    expect(JSON.parse(reply.body!).version).toBe('2026.1')
  })

  it('while XNAT is away is 503 with Retry-After, and says nothing of addresses', async () => {
    const reply = await post(hubProject)
    expect(reply).toMatchObject({
      status: 503,
      detail: 'XNAT cannot be reached. Try again later.',
      headers: { 'retry-after': '30' },
    })
    expect(JSON.stringify(reply)).not.toContain('127.0.0.1')
  })

  it('when settings are missing is 500 without a word about them', async () => {
    const handler = createProjects(() => {
      throw new Error('no settings at /secret/place')
    })
    const reply = await handler(httpEvent({ method: 'POST', path, headers: key, body: '{}' }), lambdaContext())
    expect([reply.statusCode, reply.body]).toEqual([500, '{"detail":"Internal server error"}'])
  })

  it.each(['../../etc/passwd', '8204651870727', '8204651870727-BC68889AC2A3746F'])(
    'refuses a delivery id that is none: %s',
    async (delivery_id) => {
      const event = httpEvent({ path: '/deliveries/x', pathParameters: { delivery_id }, headers: key })
      expect((await createDeliveries(() => testWired())(event, lambdaContext())).statusCode).toBe(422)
    },
  )

  it('to an unknown route is 404', async () => {
    const reply = await createHealth(() => testWired())(httpEvent({ path: '/nothing' }), lambdaContext())
    expect([reply.statusCode, reply.body]).toEqual([404, '{"detail":"Not Found"}'])
  })

  it('leaves a log line without the body, the key or the query', async () => {
    const wired = testWired()
    await post({ ...hubProject, project_name: 'SMITH' }, key, wired)
    expect(wired.lines).toMatchObject([
      { message: 'request failed', route: `POST ${path}`, status: 503, code: 'XNAT_UNREACHABLE' },
    ])
    expect(JSON.stringify(wired.lines)).not.toMatch(/SMITH|SELECT|fake-key/)
  })
})
