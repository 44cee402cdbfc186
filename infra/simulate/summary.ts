import type { Delivery } from './deliver.ts'
import type { Routed } from './route.ts'

export interface Summary {
  files: number
  orders: number
  /** From the upload of a file until it was proved to be in XNAT. */
  delaySeconds: { mean: number; p50: number; p95: number; p99: number; max: number }
  /** Until the last file was proved. */
  endSeconds: number
  /** Of the runs that are allowed at a time, how many were under way, from the first upload to the last proof. */
  utilisation: { routeObjects: number; deliverFiles: number }
  /** At even distances of time: files that had come and were not proved. */
  backlog: { seconds: number; files: number }[]
}

export function summarize(
  { batches }: Pick<Routed, 'batches'>,
  deliveries: readonly Delivery[],
  concurrency: { routeObjects: number; deliverFiles: number },
  looks = 12,
): Summary {
  const delays = Float64Array.from(deliveries.flatMap(({ cameAt, endedAt }) => cameAt.map((at) => endedAt - at))).sort()
  const came = Float64Array.from(deliveries.flatMap(({ cameAt }) => cameAt)).sort()
  const proved = Float64Array.from(deliveries.flatMap(({ cameAt, endedAt }) => cameAt.map(() => endedAt))).sort()
  const endSeconds = proved.at(-1) ?? 0
  const busy = (seconds: readonly number[], runs: number) =>
    seconds.reduce((sum, each) => sum + each, 0) / runs / endSeconds
  const run = deliveries.map(({ startedAt, endedAt }) => endedAt - startedAt)
  return {
    files: delays.length,
    orders: deliveries.length,
    delaySeconds: {
      mean: delays.reduce((sum, each) => sum + each, 0) / delays.length,
      p50: quantile(delays, 0.5),
      p95: quantile(delays, 0.95),
      p99: quantile(delays, 0.99),
      max: quantile(delays, 1),
    },
    endSeconds,
    utilisation: {
      routeObjects: busy(
        batches.map(({ seconds }) => seconds),
        concurrency.routeObjects,
      ),
      deliverFiles: busy(run, concurrency.deliverFiles),
    },
    backlog: Array.from({ length: looks + 1 }, (_, look) => {
      const seconds = (endSeconds * look) / looks
      return { seconds, files: countUntil(came, seconds) - countUntil(proved, seconds) }
    }),
  }
}

/** The smallest value that this share of all does not exceed. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? Number.NaN
}

/** How many are not above the limit. */
function countUntil(sorted: Float64Array, limit: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? Number.POSITIVE_INFINITY) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
