const unitMs: Record<string, number> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  // XNAT: PostgreSQL reads these; without a date to count from, a month is 30 days and a year 12 such months.
  month: 2_592_000_000,
  year: 31_104_000_000,
}

/** `15 minutes`, as XNAT's preferences write durations, in milliseconds; undefined for anything else. */
export function parseInterval(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+?)s?(?:\s+|$)/gi)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text.trimStart()) return undefined
  let sum = 0
  for (const [, count = '', unit = ''] of parts) {
    const ms = unitMs[unit.toLowerCase()]
    if (ms === undefined) return undefined
    sum += Number(count) * ms
  }
  return sum
}

/** The largest unit that leaves no fraction: `2 days`. */
export function formatInterval(ms: number): string {
  for (const unit of ['day', 'hour', 'minute', 'second']) {
    const count = ms / (unitMs[unit] ?? 1)
    if (Number.isInteger(count)) return `${count} ${unit}${count === 1 ? '' : 's'}`
  }
  return `${ms / 1000} seconds`
}
