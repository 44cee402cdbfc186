// How hard a PACS may be asked: so many questions at a time, and so many in a second.
import { setTimeout as wait } from 'node:timers/promises'
import pLimit from 'p-limit'

export interface FindLimits {
  /** C-FINDs under way at a time. An import request counts as one: XNAT asks the PACS study by study within it. */
  concurrency: number
  /** C-FINDs begun in a second. */
  perSecond: number
}

export interface FindSlots {
  /** Runs a question when it is its turn. */
  find<T>(act: () => Promise<T>): Promise<T>
  /** Runs an import request, which takes a slot for as long as it lasts. */
  request<T>(act: () => Promise<T>): Promise<T>
}

export function findSlots({ concurrency, perSecond }: FindLimits, signal: AbortSignal): FindSlots {
  const slots = pLimit(concurrency)
  const intervalMs = 1000 / perSecond
  let lastAtMs = Number.NEGATIVE_INFINITY
  const turn = async () => {
    const nowMs = performance.now()
    lastAtMs = Math.max(nowMs, lastAtMs + intervalMs)
    if (lastAtMs > nowMs) await wait(lastAtMs - nowMs, undefined, { signal })
  }
  return {
    find: (act) =>
      slots(async () => {
        await turn()
        return act()
      }),
    request: (act) => slots(act),
  }
}
