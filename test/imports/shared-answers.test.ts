import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sharedAnswers } from '../../lib/imports/shared-answers.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => vi.useRealTimers())

/** Counts how often it is really asked, and answers with the number. */
function counter() {
  let asked = 0
  return async () => {
    asked += 1
    return asked
  }
}

describe('equal questions', () => {
  it('at the same time share one answer', async () => {
    const [answers, ask] = [sharedAnswers<number>(10_000), counter()]

    expect(await Promise.all([answers.get('q', ask), answers.get('q', ask), answers.get('q', ask)])).toEqual([1, 1, 1])
  })

  it('are answered from memory for a while, counted from when the answer was there', async () => {
    const answers = sharedAnswers<number>(10_000)
    const ask = counter()
    const slow = Promise.withResolvers<void>()
    const first = answers.get('q', async () => {
      await slow.promise
      return ask()
    })
    vi.advanceTimersByTime(60_000)
    slow.resolve()
    await first

    vi.advanceTimersByTime(9_999)
    expect(await answers.get('q', ask)).toBe(1)
    vi.advanceTimersByTime(1)
    expect(await answers.get('q', ask)).toBe(2)
  })

  it('are asked each time where nothing is to be kept, but for those at the same time', async () => {
    const [answers, ask] = [sharedAnswers<number>(0), counter()]

    expect(await Promise.all([answers.get('q', ask), answers.get('q', ask)])).toEqual([1, 1])
    expect(await answers.get('q', ask)).toBe(2)
  })
})

it('different questions are asked each', async () => {
  const [answers, ask] = [sharedAnswers<number>(10_000), counter()]

  expect([await answers.get('q', ask), await answers.get('r', ask), await answers.get('q', ask)]).toEqual([1, 2, 1])
})

describe('a failure', () => {
  it('is shared by those who wait for it, and not kept', async () => {
    const answers = sharedAnswers<number>(10_000)
    const failing = vi.fn(async () => Promise.reject(new Error('down')))
    const both = await Promise.allSettled([answers.get('q', failing), answers.get('q', failing)])

    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(failing).toHaveBeenCalledTimes(1)
    expect(await answers.get('q', counter())).toBe(1)
  })
})

it('holds no more answers than it may, the newest', async () => {
  const [answers, ask] = [sharedAnswers<number>(10_000, 2), counter()]
  for (const question of ['q', 'r', 's']) await answers.get(question, ask)

  expect([await answers.get('s', ask), await answers.get('r', ask), await answers.get('q', ask)]).toEqual([3, 2, 4])
})
