// HTTP API: a route is chosen by method first, then by the most specific path: literal parts before parameters,
// parameters before {proxy+}, and $default when nothing else fits (API Gateway developer guide, HTTP API routes).

export interface RouteMatch<Target> {
  /** As API Gateway names it: `GET /projects/{id}`, or `$default`. */
  routeKey: string
  target: Target
  pathParameters: Record<string, string>
}

interface Route<Target> {
  method: string
  routeKey: string
  target: Target
  parts: Part[]
}

type Part = { kind: 'literal'; text: string } | { kind: 'parameter'; name: string } | { kind: 'greedy'; name: string }

export interface RouteDefinition<Target> {
  method: string
  path: string
  target: Target
}

export type FindRoute<Target> = (method: string, path: string) => RouteMatch<Target> | undefined

/** @throws when two targets claim the same route. */
export function createRouter<Target>(definitions: readonly RouteDefinition<Target>[]): FindRoute<Target> {
  const routes = definitions.filter(({ path }) => path !== '$default').map(parseRoute)
  refuseDuplicates(routes)
  routes.sort(bySpecificity)
  const fallback = definitions.find(({ path }) => path === '$default')

  return (method, path) => {
    const segments = path.split('/').slice(1)
    for (const route of routes) {
      if (route.method !== 'ANY' && route.method !== method) continue
      const pathParameters = matchParts(route.parts, segments)
      if (pathParameters !== undefined) return { routeKey: route.routeKey, target: route.target, pathParameters }
    }
    return fallback && { routeKey: '$default', target: fallback.target, pathParameters: {} }
  }
}

function parseRoute<Target>({ method, path, target }: RouteDefinition<Target>): Route<Target> {
  const parts = path
    .split('/')
    .slice(1)
    .map((text): Part => {
      const [, name, plus] = /^\{([^}+]+)(\+?)\}$/.exec(text) ?? []
      if (name === undefined) return { kind: 'literal', text }
      return { kind: plus === '+' ? 'greedy' : 'parameter', name }
    })
  return { method, routeKey: `${method} ${path}`, target, parts }
}

function refuseDuplicates(routes: readonly Route<unknown>[]): void {
  const shapes = new Set<string>()
  for (const { method, parts, routeKey } of routes) {
    const shape = [method, ...parts.map((part) => (part.kind === 'literal' ? part.text : `{${part.kind}}`))].join('/')
    if (shapes.has(shape)) throw new Error(`The route ${routeKey} is claimed twice`)
    shapes.add(shape)
  }
}

const RANK = { literal: 0, parameter: 1, greedy: 2 }

function bySpecificity(a: Route<unknown>, b: Route<unknown>): number {
  for (const [index, part] of a.parts.entries()) {
    const other = b.parts[index]
    if (other === undefined) return -1
    if (part.kind !== other.kind) return RANK[part.kind] - RANK[other.kind]
  }
  if (a.parts.length !== b.parts.length) return a.parts.length - b.parts.length
  return Number(a.method === 'ANY') - Number(b.method === 'ANY')
}

function matchParts(parts: readonly Part[], segments: readonly string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {}
  for (const [index, part] of parts.entries()) {
    const segment = segments[index]
    if (segment === undefined) return undefined
    if (part.kind === 'literal') {
      if (part.text !== segment) return undefined
      continue
    }
    const value = part.kind === 'greedy' ? segments.slice(index).join('/') : segment
    if (value === '') return undefined
    parameters[part.name] = value
    if (part.kind === 'greedy') return parameters
  }
  return segments.length === parts.length ? parameters : undefined
}
