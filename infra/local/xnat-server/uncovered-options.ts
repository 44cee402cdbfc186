import type { Exchange } from './exchange.ts'
import { HttpFailure } from './http-failure.ts'

/** Refuses query parameters that would have XNAT do something the stand-in does not: ignoring them would be a lie. */
export function refuseActions({ query, method, rawPath }: Exchange, names: readonly string[]): void {
  const asked = names.find((name) => query.has(name) && !query.isFalse(name))
  if (asked === undefined) return
  throw new HttpFailure(501, `The stand-in XNAT does not cover ${method} ${rawPath} with ${asked}`, { voice: 'plain' })
}
