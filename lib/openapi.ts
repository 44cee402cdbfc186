// Routes -> an OpenAPI 3.1 document, from the very schemas that check what crosses them.
import * as z from 'zod'
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi'
import type { Route, RouteDescription } from './handler.ts'

export interface ApiArea {
  /** The tag that the operations of the area carry. */
  name: string
  description: string
  routes: readonly Route[]
}

const Refusal = z
  .object({ detail: z.string().meta({ description: 'What is wrong, for people.' }) })
  .meta({ id: 'Refusal', description: 'Why a request was not done.' })

const Issue = z.object({
  type: z.string().meta({ description: 'The kind of fault, for programs.' }),
  loc: z.array(z.union([z.string(), z.int()])).meta({ description: 'Where it is, the part of the request first.' }),
  msg: z.string(),
})

const InvalidRequest = z
  .object({ detail: z.union([z.array(Issue), z.string()]) })
  .meta({ id: 'InvalidRequest', description: 'What is wrong with a request, fault by fault.' })

/** The schema of the body that goes with an error's status. */
export const errorSchema = (status: number) => (status === 422 ? InvalidRequest : Refusal)

/** The document of all routes that describe themselves. Examples are those that the schemas carry. */
export function openApiDocument(
  areas: readonly ApiArea[],
  { version, keyHeader }: { version: string; keyHeader: string },
) {
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'xnat-conduit',
      version,
      description: 'The imaging side of a research platform, around an XNAT archive.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ serviceKey: [] }],
    tags: areas.map(({ name, description }) => ({ name, description })),
    paths: pathsOf(areas),
    components: {
      securitySchemes: {
        serviceKey: { type: 'apiKey', in: 'header', name: keyHeader, description: 'The key that services share.' },
      },
      headers: {
        RequestId: { description: 'Names the request in the logs.', schema: { type: 'string' } },
        Location: { description: 'Where to ask how it stands.', schema: { type: 'string' } },
        RetryAfter: { description: 'After how many seconds to ask again.', schema: { type: 'integer', minimum: 0 } },
      },
    },
  })
}

function pathsOf(areas: readonly ApiArea[]): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {}
  for (const { name, routes } of areas) {
    for (const { description } of routes) {
      if (description === undefined) continue
      const { path, method } = description
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(description, name) }
    }
  }
  return paths
}

function operation(route: RouteDescription, tag: string): ZodOpenApiOperationObject {
  const { path, query, headers, body } = route.request.shape
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [tag],
    ...(route.isOpen === true && { security: [] }),
    ...((path ?? query ?? headers) && {
      requestParams: {
        ...(path instanceof z.ZodObject && { path }),
        ...(query instanceof z.ZodObject && { query }),
        ...(headers instanceof z.ZodObject && { header: headers }),
      },
    }),
    ...(body instanceof z.ZodType && { requestBody: { required: true, content: jsonContent(body) } }),
    responses: responses(route),
  }
}

function responses(route: RouteDescription): ZodOpenApiResponsesObject {
  const { status = 200, answer } = route
  const description = status === 202 ? 'Taken, and not done yet.' : 'Done.'
  const done = { description, headers: headersFor(status), content: jsonContent(answer) }
  const errors = Object.entries(documentedErrors(route)).map(([status, meaning]) => [
    status,
    refusal(Number(status), meaning),
  ])
  return { [status]: done, ...acceptance(route), ...Object.fromEntries(errors) }
}

function acceptance({ accepted }: RouteDescription): ZodOpenApiResponsesObject {
  if (accepted === undefined) return {}
  const headers = { ...headersFor(202), location: { $ref: '#/components/headers/Location' as const } }
  return { 202: { description: 'Begun; the work goes on.', headers, content: jsonContent(accepted) } }
}

/** Every error status of a route, those that the frame gives included, with its meaning. */
export function documentedErrors({ request, isOpen, errors }: RouteDescription): Record<number, string> {
  return {
    ...(isOpen !== true && { 401: 'The service key is missing or wrong.' }),
    ...('body' in request.shape && { 413: 'The body is larger than 1 MiB.' }),
    ...(Object.keys(request.shape).length > 0 && { 422: 'The request does not fit its description.' }),
    500: 'Something went wrong here. The log tells more under the request id.',
    ...errors,
  }
}

const refusal = (status: number, description: string): ZodOpenApiResponseObject => ({
  description,
  headers: headersFor(status),
  content: jsonContent(errorSchema(status), errorExamples[status]),
})

const headersFor = (status: number) => ({
  'x-request-id': { $ref: '#/components/headers/RequestId' as const },
  ...(status === 503 && { 'retry-after': { $ref: '#/components/headers/RetryAfter' as const } }),
})

const errorExamples: Readonly<Record<number, z.output<ReturnType<typeof errorSchema>>>> = {
  401: { detail: 'Invalid trust-internal service key.' },
  413: { detail: 'Request body is too large.' },
  422: { detail: [{ type: 'missing', loc: ['body', 'email'], msg: 'Field required' }] },
  500: { detail: 'Internal server error' },
  502: { detail: 'Failed to authenticate with XNAT: XNAT refused the service account.' },
  503: { detail: 'XNAT cannot be reached. Try again later.' },
}

function jsonContent(schema: z.ZodType, example: unknown = exampleOf(schema)) {
  return { 'application/json': { schema, ...(example !== undefined && { example }) } }
}

/** The example that a schema carries; for a list, one of what it lists. */
export function exampleOf(schema: z.ZodType): unknown {
  const { example } = schema.meta() ?? {}
  if (example !== undefined || !(schema instanceof z.ZodArray)) return example
  const element = schema.element instanceof z.ZodType ? exampleOf(schema.element) : undefined
  return element === undefined ? undefined : [element]
}
