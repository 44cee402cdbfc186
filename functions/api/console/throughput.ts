// How much was delivered when: receipts counted into spans of time of one length.
import type { ReceiptSummary } from './answers.ts'

export interface Range {
  name: string
  label: string
  /** In milliseconds. */
  spanMs: number
  binMs: number
}

const minute = 60_000
const hour = 60 * minute

export const ranges = [
  { name: '1h', label: '1 hour', spanMs: hour, binMs: minute },
  { name: '24h', label: '24 hours', spanMs: 24 * hour, binMs: 20 * minute },
  { name: '7d', label: '7 days', spanMs: 7 * 24 * hour, binMs: 2 * hour },
] as const satisfies readonly Range[]

export interface Throughput {
  /** When each span begins, in milliseconds since 1970; the last holds `now`. */
  starts: number[]
  /** What was proved to have arrived in it. */
  bytes: number[]
  files: number[]
  failures: number[]
}

/** By when deliveries ended, not by when they were ordered. What ended before the range is left out. */
export function throughputOf(receipts: readonly ReceiptSummary[], { spanMs, binMs }: Range, now: Date): Throughput {
  const bins = Math.round(spanMs / binMs)
  const first = (Math.floor(now.getTime() / binMs) - bins + 1) * binMs
  const zeros = () => Array<number>(bins).fill(0)
  const sums = { bytes: zeros(), files: zeros(), failures: zeros() }
  const add = (to: number[], bin: number, value: number) => {
    to[bin] = (to[bin] ?? 0) + value
  }
  for (const { finishedAt, outcome, bytes, files } of receipts) {
    // The server's clock may be a little ahead of this one.
    const bin = Math.min(Math.floor((new Date(finishedAt).getTime() - first) / binMs), bins - 1)
    if (bin < 0) continue
    if (outcome === 'failed') add(sums.failures, bin, 1)
    else {
      add(sums.bytes, bin, bytes)
      add(sums.files, bin, files)
    }
  }
  return { starts: Array.from({ length: bins }, (_, bin) => first + bin * binMs), ...sums }
}

export interface Totals {
  verified: number
  failed: number
  files: number
  bytes: number
}

export function totalsOf(receipts: readonly ReceiptSummary[]): Totals {
  const verified = receipts.filter(({ outcome }) => outcome === 'verified')
  return {
    verified: verified.length,
    failed: receipts.length - verified.length,
    files: verified.reduce((sum, { files }) => sum + files, 0),
    bytes: verified.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** How often deliveries failed with each code, the most first. */
export function failureCodes(receipts: readonly ReceiptSummary[]): { code: string; deliveries: number }[] {
  const failed = receipts.filter(({ outcome }) => outcome === 'failed')
  return [...Map.groupBy(failed, ({ code }) => code ?? 'UNKNOWN')]
    .map(([code, some]) => ({ code, deliveries: some.length }))
    .toSorted((one, other) => other.deliveries - one.deliveries || (one.code < other.code ? -1 : 1))
}
