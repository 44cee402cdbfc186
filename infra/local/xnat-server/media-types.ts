import type { Exchange } from './exchange.ts'
import { HttpFailure, notCovered } from './http-failure.ts'

export type Format = 'json' | 'xml' | 'csv' | 'html' | 'txt' | 'zip' | 'tar' | 'tar.gz'

const formats = new Map<string, Format>([
  ['json', 'json'],
  ['application/json', 'json'],
  ['xml', 'xml'],
  ['text/xml', 'xml'],
  ['csv', 'csv'],
  ['text/csv', 'csv'],
  ['html', 'html'],
  ['text/html', 'html'],
  ['txt', 'txt'],
  ['zip', 'zip'],
  ['application/zip', 'zip'],
  ['tar', 'tar'],
  ['application/x-tar', 'tar'],
  ['tar.gz', 'tar.gz'],
  ['application/x-gtar', 'tar.gz'],
])

/**
 * Restlet: Accept is held against what the resource offers before `?format=` is looked at (org/restlet/resource/Resource.java),
 * so `Accept: application/json` alone is refused where only html and xml are offered.
 *
 * @throws {HttpFailure} 406.
 */
export function requireAcceptable({ request }: Exchange, offered: readonly string[]): void {
  const accept = request.headers.accept
  if (accept === undefined || accept.trim() === '') return
  const ranges = accept.split(',').map((range) => range.split(';')[0]?.trim().toLowerCase() ?? '')
  if (!ranges.some((range) => offered.some((type) => covers(range, type)))) throw new HttpFailure(406)
}

/** What `?format=` asks for, if anything. */
export function wantedFormat({ query, method, rawPath }: Exchange): Format | undefined {
  const asked = query.get('format')
  if (asked === undefined) return undefined
  const format = formats.get(asked.toLowerCase())
  if (format === undefined) throw notCovered(method, `${rawPath}?format=${asked}`)
  return format
}

function covers(range: string, type: string): boolean {
  return range === '*/*' || range === '*' || range === type || range === `${type.split('/')[0]}/*`
}
