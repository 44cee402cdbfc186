// Asks the same again and again, and keeps what was heard last also when asking fails.
import { type ReadonlySignal, signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { ApiFailure, type Heard } from './api.ts'
import { type Look, nextWaitMs, type Pace } from './pace.ts'
import { serviceKey } from './service-key.ts'

export interface Poll<T> {
  isAside: boolean
  data: ReadonlySignal<T | undefined>
  /** Of the last look, when it failed. */
  failure: ReadonlySignal<ApiFailure | undefined>
  /** When `data` was heard. */
  heardAt: ReadonlySignal<Date | undefined>
  /** Looks now, and often from then on. */
  refresh(): Promise<void>
}

/** Those on the screen: one press refreshes all of them. */
export const polls = signal<readonly Poll<unknown>[]>([])

/** What polls heard, by question, for when the same is asked anew: rows that come back into sight need not wait. */
export type Memory<T> = Map<string, Heard<T> & { heardAt: Date }>

const memories: Map<string, unknown>[] = []

/** A memory that ends with the key: what it opened is not for who comes after. */
export function createMemory<T>(): Memory<T> {
  const memory: Memory<T> = new Map()
  memories.push(memory)
  return memory
}

serviceKey.subscribe((key) => {
  if (key === undefined) for (const memory of memories) memory.clear()
})

interface RunningPoll<T> extends Poll<T> {
  start(): () => void
}

type Ask<T> = (options: { signal: AbortSignal }) => Promise<Heard<T>>

interface PollOptions<T> {
  /** Another question is another poll, which begins with nothing heard but what is remembered of it. */
  question: string
  pace: (heard: T | undefined) => Pace
  /** What is shown beside the matter of a view, and may be older than that. */
  isAside?: boolean
  memory?: Memory<T>
}

function createPoll<T>(ask: Ask<T>, options: PollOptions<T>): RunningPoll<T> {
  const { question, memory, isAside = false } = options
  const pace = () => options.pace(data.peek())
  const known = memory?.get(question)
  const data = signal<T | undefined>(known?.value)
  const failure = signal<ApiFailure | undefined>(undefined)
  const heardAt = signal<Date | undefined>(known?.heardAt)
  let ending = new AbortController()
  let text = known?.text
  let waitMs = pace().leastMs
  let timer: ReturnType<typeof setTimeout> | undefined
  let isDue = false
  let asking: Promise<void> | undefined

  async function look(): Promise<Look> {
    const startedAt = performance.now()
    try {
      const heard = await ask({ signal: ending.signal })
      const isChanged = heard.text !== text
      if (isChanged) data.value = heard.value
      text = heard.text
      heardAt.value = new Date()
      failure.value = undefined
      memory?.set(question, { ...heard, heardAt: heardAt.value })
      return { kind: isChanged ? 'changed' : 'unchanged', tookMs: performance.now() - startedAt }
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error
      if (!ending.signal.aborted) failure.value = error
      return { kind: 'failed', retryAfterMs: error.retryAfterMs }
    }
  }

  async function lookOnce(): Promise<void> {
    clearTimeout(timer)
    isDue = false
    const { signal: ended } = ending
    try {
      waitMs = nextWaitMs(waitMs, await look(), pace())
    } finally {
      if (!ended.aborted) timer = setTimeout(due, waitMs)
    }
  }

  function run(): Promise<void> {
    asking ??= lookOnce().finally(() => {
      asking = undefined
    })
    return asking
  }

  /** Nobody watches a hidden page: it looks when it is seen again. */
  function due(): void {
    if (document.hidden) isDue = true
    else void run()
  }

  function onVisibility(): void {
    if (!document.hidden && isDue) void run()
  }

  async function refresh(): Promise<void> {
    // What is being answered now may be older than what the caller just did.
    await asking
    waitMs = pace().leastMs
    await run()
  }

  function start(): () => void {
    ending = new AbortController()
    document.addEventListener('visibilitychange', onVisibility)
    polls.value = [...polls.value, poll]
    void run()
    return () => {
      ending.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisibility)
      polls.value = polls.value.filter((each) => each !== poll)
    }
  }

  const poll: RunningPoll<T> = { isAside, data, failure, heardAt, refresh, start }
  return poll
}

/** Polls while the component is on the screen. */
export function usePoll<T>(ask: Ask<T>, options: PollOptions<T>): Poll<T> {
  // The question stands for what `ask` closes over.
  const poll = useMemo(() => createPoll(ask, options), [options.question])
  useEffect(() => poll.start(), [poll])
  return poll
}
