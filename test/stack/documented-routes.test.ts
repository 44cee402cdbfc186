import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import type { RouteDescription } from '../../lib/handler.ts'
import { errorSchema } from '../../lib/openapi.ts'
import { documented } from '../support/api-requests.ts'
import { basic } from '../support/plain-http.ts'

const Parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  schema: z.object({ example: z.union([z.string(), z.number()]) }),
})
const Operation = z.object({
  operationId: z.string(),
  parameters: z.array(Parameter).default([]),
  requestBody: z.object({ content: z.object({ 'application/json': z.object({ example: z.unknown() }) }) }).optional(),
  responses: z.record(z.string(), z.unknown()),
  security: z.array(z.unknown()).optional(),
})
const Document = z.object({ paths: z.record(z.string(), z.record(z.string(), Operation)) })

interface Call {
  method: string
  path: string
  operation: z.infer<typeof Operation>
}

let stack: Stack
let calls: Call[]
beforeAll(async () => {
  stack = await startStack({ service: inject('service') })
  const { body } = await send({ method: 'GET', path: '/openapi.json' })
  calls = Object.entries(Document.parse(body).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
}, 60_000)
afterAll(() => stack.stop())

interface Sent {
  method: string
  path: string
  body?: unknown
  withKey?: boolean
}

async function send({ method, path, body, withKey = true }: Sent) {
  const { api, serviceKey } = stack.description
  const response = await fetch(api + path, {
    method,
    headers: { 'content-type': 'application/json', ...(withKey && { [serviceKey.header]: serviceKey.key }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

/** The call that an operation's examples make up. */
function exampleCall({ method, path, operation }: Call): Sent {
  const valuesIn = (place: string) =>
    operation.parameters
      .filter((each) => each.in === place)
      .map(({ name, schema }): [string, string] => [name, String(schema.example)])
  const filled = path.replace(/\{([^}]+)\}/g, (_, name) =>
    encodeURIComponent(new Map(valuesIn('path')).get(name) ?? ''),
  )
  const query = new URLSearchParams(valuesIn('query')).toString()
  const body = operation.requestBody?.content['application/json'].example
  return { method, path: query === '' ? filled : `${filled}?${query}`, ...(body !== undefined && { body }) }
}

function routeOf({ operation }: Call): RouteDescription {
  const route = documented.find(({ operationId }) => operationId === operation.operationId)
  if (route === undefined) throw new Error(`no route is called ${operation.operationId}`)
  return route
}

/** One session in the provisioned project, under the label of the examples. */
async function addExperiment(): Promise<void> {
  const { url, user, password } = stack.description.xnat
  const path = '/data/projects/5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a/subjects/S1/experiments/MR1'
  const response = await fetch(`${url}${path}?xsiType=xnat:mrSessionData`, {
    method: 'PUT',
    headers: basic(user, password),
  })
  expect(response.status).toBe(201)
}

const expectedStatus: Readonly<Record<string, number>> = {
  // Nothing was delivered or asked for, and the sample PACS holds no such study.
  ...Object.fromEntries(
    ['getDelivery', 'queueImport', 'getUpload', 'getExport', 'listExportedFiles'].map((name) => [name, 404]),
  ),
  // The hub sealed the examples with the key of FLIP's test vectors.
  ...Object.fromEntries(['uploadImages', 'downloadImages', 'createExport'].map((name) => [name, 400])),
}

describe('the documented API', () => {
  it('answers every example as documented', async () => {
    const order = ['POST', 'PUT', 'GET', 'DELETE']
    const provisionFirst = ({ operation }: Call) => (operation.operationId === 'provisionProject' ? 0 : 1)
    const sorted = calls.toSorted(
      (a, b) => order.indexOf(a.method) - order.indexOf(b.method) || provisionFirst(a) - provisionFirst(b),
    )
    expect(sorted.length).toBe(documented.length)

    for (const call of sorted) {
      const { operationId, responses } = call.operation
      const { status, headers, body } = await send(exampleCall(call))
      const told = `${operationId}: ${status} ${JSON.stringify(body).slice(0, 200)}`

      expect(Object.keys(responses), told).toContain(String(status))
      const [done] = Object.keys(responses)
      expect(status, told).toBe(expectedStatus[operationId] ?? Number(done))
      expect(headers.get('content-type'), told).toBe('application/json')
      expect(headers.get('x-request-id'), told).toMatch(/^[0-9a-f-]{36}$/)
      const schema = status < 300 ? routeOf(call).answer : errorSchema(status)
      expect(schema.parse(body), told).toEqual(body)
      if (operationId === 'provisionProject') await addExperiment()
    }
  }, 60_000)

  it('answers no example without the key, where it asks for one', async () => {
    for (const call of calls) {
      const { status, body } = await send({ ...exampleCall(call), withKey: false })
      const isOpen = call.operation.security?.length === 0
      expect([call.operation.operationId, status]).toEqual([call.operation.operationId, isOpen ? 200 : 401])
      if (!isOpen) expect(errorSchema(401).parse(body)).toEqual(body)
    }
  })

  it('answers in one voice where it has no route', async () => {
    expect(await send({ method: 'GET', path: '/nothing' })).toMatchObject({
      status: 404,
      body: { detail: 'Not Found' },
    })
    const other = await send({ method: 'PATCH', path: '/projects/P1' })
    expect(other).toMatchObject({ status: 405, body: { detail: 'Method Not Allowed' } })
    expect(other.headers.get('allow')).toBe('DELETE, GET')
  })

  it('refuses a body of more than 1 MiB', async () => {
    const body = { email: `${'x'.repeat(1024 ** 2)}@example.org`, enabled: true }
    expect(await send({ method: 'PUT', path: '/users', body })).toMatchObject({
      status: 413,
      body: { detail: 'Request body is too large.' },
    })
  })
})
