// Requests to the API's handlers, made by what its routes say of themselves.
import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import * as z from 'zod'
import { areas, createHandler as createDocumentation } from '../../functions/api/documentation.ts'
import { apiHandler, type Route, type RouteDescription } from '../../lib/handler.ts'
import { exampleOf } from '../../lib/openapi.ts'
import type { Wired } from '../../lib/wire.ts'
import { httpEvent, lambdaContext } from './events.ts'

export const serviceKey = { 'x-trust-internal-service-key': 'fake-key' }

export interface ApiRequest {
  method: string
  path: string
  /** As API Gateway hands them in, decoded. */
  pathParameters?: Record<string, string>
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: string
}

export interface ApiReply {
  status: number
  headers: Record<string, string>
  text: string
  /** The body, when it is JSON. */
  body?: unknown
}

export function apiEvent({ query, headers = serviceKey, ...request }: ApiRequest): APIGatewayProxyEventV2 {
  const rawQueryString = new URLSearchParams(query).toString()
  return {
    ...httpEvent({ ...request, headers }),
    rawQueryString,
    ...(query !== undefined && { queryStringParameters: query }),
  }
}

/** Asks the function that API Gateway would ask: the one with the route, or the one that takes what has none. */
export async function ask(wired: Wired, request: ApiRequest): Promise<ApiReply> {
  const owner = areas.find(({ routes }) => routes.some((route) => isFor(route, request)))
  const handler = owner === undefined ? createDocumentation(() => wired) : apiHandler(owner.routes, () => wired)
  const { statusCode = 0, headers = {}, body: text = '' } = await handler(apiEvent(request), lambdaContext())
  const isJson = headers['content-type'] === 'application/json'
  return {
    status: statusCode,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    text,
    body: isJson ? JSON.parse(text) : undefined,
  }
}

const isFor = (route: Route, { method, path }: ApiRequest) =>
  route.method === method &&
  new RegExp(`^${route.path.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(path)

export const documented: readonly RouteDescription[] = areas.flatMap(({ routes }) =>
  routes.flatMap(({ description }) => description ?? []),
)

export interface RequestParts {
  path: Record<string, string>
  query: Record<string, string>
  body?: unknown
}

/** The request that a route's examples make up. */
export function exampleParts({ request, operationId }: RouteDescription): RequestParts {
  const { path, query, body } = request.shape
  const texts = (part: unknown): Record<string, string> =>
    part instanceof z.ZodObject
      ? Object.fromEntries(Object.entries(part.shape).map(([name, schema]) => [name, String(needed(schema, name))]))
      : {}
  const needed = (schema: unknown, name: string): unknown => {
    const example = schema instanceof z.ZodType ? exampleOf(schema) : undefined
    if (example === undefined) throw new Error(`${operationId}: ${name} has no example`)
    return example
  }
  return { path: texts(path), query: texts(query), body: body === undefined ? undefined : needed(body, 'body') }
}

/** The request for a route with these parts. A value in the path stands in it as API Gateway hands it in. */
export function requestOf(route: RouteDescription, { path, query, body }: RequestParts): ApiRequest {
  return {
    method: route.method,
    path: route.path.replaceAll(/\{[^}]+\}/g, 'value'),
    pathParameters: path,
    query,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }
}

export type Place = (string | number)[]

/** Every field of a request, by where it lies in its parts: `['body', 'users', 0, 'email']`. */
export function fieldsOf(value: unknown, place: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return value === undefined ? [] : [place]
  return Object.entries(value).flatMap(([key, child]) =>
    fieldsOf(child, [...place, Array.isArray(value) ? Number(key) : key]),
  )
}

/** The same parts with another value at one place. */
export function replaced(parts: unknown, [step, ...rest]: Place, value: unknown): unknown {
  if (step === undefined) return value
  if (Array.isArray(parts)) return parts.map((part, index) => (index === step ? replaced(part, rest, value) : part))
  const record = z.record(z.string(), z.unknown()).parse(parts)
  return { ...record, [step]: replaced(record[step], rest, value) }
}

export const Parts = z.object({
  path: z.record(z.string(), z.string()),
  query: z.record(z.string(), z.string()),
  body: z.unknown().optional(),
})
