import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { findSlots } from '../../lib/imports/find-limits.ts'

const signal = new AbortController().signal

/** Work that begins by waiting until so many are under way together, and how much of it was at most. */
function watchedWork(together: number) {
  const under = { way: 0, most: 0 }
  const met = Promise.withResolvers<void>()
  const work = async () => {
    under.way += 1
    under.most = Math.max(under.most, under.way)
    if (under.way === together) met.resolve()
    await met.promise
    for (let step = 0; step < 5; step += 1) await turn()
    under.way -= 1
  }
  return { under, work }
}

describe('questions to a PACS', () => {
  it('and import requests share its slots, and use them all', async () => {
    const slots = findSlots({ concurrency: 3, perSecond: 1_000_000 }, signal)
    const { under, work } = watchedWork(3)
    await Promise.all([
      ...Array.from({ length: 20 }, () => slots.find(work)),
      ...Array.from({ length: 5 }, () => slots.request(work)),
    ])

    expect(under.most).toBe(3)
  })

  it('begin no faster than they may', async () => {
    const slots = findSlots({ concurrency: 10, perSecond: 100 }, signal)
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: 11 }, () => slots.find(async () => undefined)))

    // Ten waits of 10 ms between eleven: more on a busy machine, never less.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(95)
  })

  it('answer, and fail, by themselves', async () => {
    const slots = findSlots({ concurrency: 1, perSecond: 1_000 }, signal)
    const failing = slots.find(() => Promise.reject(new Error('down')))

    await expect(failing).rejects.toThrow('down')
    expect(await slots.find(async () => 7)).toBe(7)
  })

  it('that wait for their turn end when the function does', async () => {
    const end = new AbortController()
    const slots = findSlots({ concurrency: 10, perSecond: 0.001 }, end.signal)
    const [first, second] = [slots.find(async () => 1), slots.find(async () => 2)]
    expect(await first).toBe(1)
    end.abort(new Error('out of time'))

    await expect(second).rejects.toThrow()
  })
})
