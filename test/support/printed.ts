import { inspect } from 'node:util'
import { vi } from 'vitest'

/** Keeps what this process prints from now on, until all mocks are restored, and prints none of it. */
export function keepPrinted(): string[] {
  const printed: string[] = []
  const keep = (...what: unknown[]) => {
    printed.push(what.map((each) => (typeof each === 'string' ? each : inspect(each))).join(' '))
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(keep)
  vi.spyOn(process.stderr, 'write').mockImplementation(keep)
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation(keep)
  }
  return printed
}
