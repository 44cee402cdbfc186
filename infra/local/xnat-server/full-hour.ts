const hourMs = 3_600_000

/** The first full hour at or after a time: when XNAT's hourly jobs run. */
export function nextFullHour(ms: number): number {
  return Math.ceil(ms / hourMs) * hourMs
}
