/** When a call has to be over: by the caller's signal, or by its own time. */
export interface Deadline {
  /** Fires at whichever comes first. */
  signal: AbortSignal
  /** Milliseconds since the epoch, for decisions about waiting. */
  at: number | undefined
}

interface Limits {
  callMs: number | undefined
  signal: AbortSignal | undefined
  now: () => number
}

/**
 * Runs `act` under a deadline. When `act` fails after the caller's signal fired, the caller's reason is thrown; after
 * the time was up, what `lateError` makes; otherwise its own error.
 */
export async function within<T>(
  { callMs, signal: callers, now }: Limits,
  lateError: () => Error,
  act: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  callers?.throwIfAborted()
  const time = new AbortController()
  const timer = callMs === undefined ? undefined : setTimeout(() => time.abort(), callMs)
  const signal = callers === undefined ? time.signal : AbortSignal.any([callers, time.signal])
  try {
    return await act({ signal, at: callMs === undefined ? undefined : now() + callMs })
  } catch (error) {
    callers?.throwIfAborted()
    throw time.signal.aborted ? lateError() : error
  } finally {
    clearTimeout(timer)
  }
}

/** Waits for work that others wait for too: a signal ends the waiting, not the work. */
export function unlessAborted<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
