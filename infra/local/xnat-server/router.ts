import type { Methods } from './exchange.ts'

export interface Route {
  template: string
  methods: Methods
}

export interface Match {
  methods: Methods
  params: Record<string, string>
  rest: string
}

interface CompiledRoute {
  pattern: RegExp
  names: string[]
  methods: Methods
}

/**
 * Matches as Restlet does: a route needs only to be the *beginning* of the path, and of several the one that
 * matches most characters wins. `/projects/P1/experiments/E1/scans` therefore reaches the experiment.
 */
export class Router {
  readonly #routes: CompiledRoute[]

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map(compile)
  }

  match(path: string): Match | undefined {
    let best: { route: CompiledRoute; found: RegExpExecArray } | undefined
    for (const route of this.#routes) {
      const found = route.pattern.exec(path)
      if (found !== null && (best === undefined || found[0].length > best.found[0].length)) best = { route, found }
    }
    if (best === undefined) return undefined
    const { route, found } = best
    const params = Object.fromEntries(route.names.map((name, index) => [name, found[index + 1] ?? '']))
    return { methods: route.methods, params, rest: path.slice(found[0].length) }
  }
}

// XNAT: archive routes exist with and without /archive (XNATApplication.java attachArchiveURI).
export function archiveRoutes(template: string, methods: Methods): Route[] {
  return [
    { template, methods },
    { template: `/archive${template}`, methods },
  ]
}

function compile({ template, methods }: Route): CompiledRoute {
  const names: string[] = []
  const pattern = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    names.push(name)
    return '([^/]+)'
  })
  return { pattern: new RegExp(`^${pattern}`), names, methods }
}
