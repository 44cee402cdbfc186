import { describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { apiDocument, areas } from '../../functions/api/documentation.ts'
import { errorSchema, exampleOf } from '../../lib/openapi.ts'
import { ask, documented, exampleParts } from '../support/api-requests.ts'
import { testWired } from '../support/wired.ts'

const document = apiDocument('x-key')
const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
  Object.entries(methods ?? {}).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
)

describe('the OpenAPI document', () => {
  it('is given to who has the key, with the name of its header', async () => {
    const wired = testWired({}, { TRUST_INTERNAL_SERVICE_KEY_HEADER: 'X-My-Key' })
    const get = (headers: Record<string, string>) => ask(wired, { method: 'GET', path: '/openapi.json', headers })

    expect((await get({})).status).toBe(401)
    const reply = await get({ 'x-my-key': 'fake-key' })
    expect(reply).toMatchObject({
      status: 200,
      body: { openapi: '3.1.1', components: { securitySchemes: { serviceKey: { in: 'header', name: 'x-my-key' } } } },
    })
    expect(reply.body).toEqual(JSON.parse(JSON.stringify(apiDocument('x-my-key'))))
  })

  it('holds exactly the routes that are deployed, the pages for people apart', () => {
    const pages = areas.flatMap(({ routes }) => routes).filter(({ description }) => description === undefined)
    const deployed = inject('service')
      .functions.flatMap(({ events }) => events)
      .filter((event) => event.kind === 'httpApi')
      .map(({ method, path }) => `${method} ${path.replace(/(?<=.)\/$/, '')}`)
      .filter((route) => route !== 'ANY $default')
    const known = [...operations, ...pages].map(({ method, path }) => `${method} ${path}`)
    expect(new Set(deployed)).toEqual(new Set(known))
  })

  it('deploys each area as one function that answers its routes', () => {
    const deployed = inject('service').functions.map(({ name }) => name)
    const named = areas.map(({ name }) => name).filter((name) => name !== 'service')
    expect(deployed).toEqual(expect.arrayContaining(named))
  })

  it('asks for the key everywhere but for the health of the API', () => {
    expect(document.security).toEqual([{ serviceKey: [] }])
    const open = operations.filter(({ operation }) => operation?.security?.length === 0)
    expect(open.map(({ path }) => path)).toEqual(['/health'])
  })

  it('gives each operation a name of its own, a sentence, and a tag that is described', () => {
    const tags = new Set(document.tags?.map(({ name }) => name))
    for (const { operation } of operations) {
      expect(operation?.summary).toMatch(/^[A-Z].*[^ ]\.$/)
      expect(tags).toContain(operation?.tags?.[0])
    }
    expect(new Set(operations.map(({ operation }) => operation?.operationId)).size).toBe(operations.length)
  })

  it('tells when to ask again wherever it speaks of 503', () => {
    const unavailable = operations.flatMap(({ operation }) => operation?.responses?.['503'] ?? [])
    expect(unavailable.length).toBeGreaterThan(5)
    for (const response of unavailable) expect(response).toHaveProperty('headers.retry-after')
  })

  it.each(documented.map((route) => [route.operationId, route] as const))(
    'has examples that pass their own schemas: %s',
    (_, route) => {
      const { path, query, body } = exampleParts(route)
      const sent = { path, query, headers: {}, ...(body !== undefined && { body }) }
      expect(route.request.safeParse(sent).error).toBeUndefined()

      const answer = exampleOf(route.answer)
      expect(answer).toBeDefined()
      expect(route.answer.parse(answer)).toEqual(answer)
    },
  )

  it('has examples of errors that pass their schemas', () => {
    const errors = operations.flatMap(({ operation }) =>
      Object.entries(operation?.responses ?? {}).filter(([status]) => Number(status) >= 400),
    )
    const shown = z.object({ content: z.object({ 'application/json': z.object({ example: z.unknown().optional() }) }) })
    for (const [status, response] of errors) {
      const { example } = shown.parse(response).content['application/json']
      if (example !== undefined) expect(errorSchema(Number(status)).parse(example)).toEqual(example)
    }
    expect(errors.length).toBeGreaterThan(operations.length * 2)
  })
})
