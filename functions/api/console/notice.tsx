// What stands where data would: while it is asked for, when it cannot be had, and when there is none.
import type { ComponentChildren } from 'preact'
import { exactClock } from './format.ts'
import type { Poll } from './poll.ts'

/** The data of a poll; before it has any, that it is loading or why it fails. */
export function Polled<T>({ poll, children }: { poll: Poll<T>; children: (data: T) => ComponentChildren }) {
  const data = poll.data.value
  if (data !== undefined) return <>{children(data)}</>
  const failure = poll.failure.value
  if (failure === undefined) return <p class="notice faint">Loading …</p>
  return (
    <div class="notice">
      <p class="problem" role="alert">
        {failure.message}
      </p>
      {failure.requestId !== undefined && <p class="faint">In the log under {failure.requestId}.</p>}
      <p>
        <button type="button" onClick={() => void poll.refresh()}>
          Ask again
        </button>
      </p>
    </div>
  )
}

/** A line that says when what is shown could not be renewed; its place is kept while there is nothing to say. */
export function Staleness<T>({ poll }: { poll: Poll<T> }) {
  const failure = poll.data.value === undefined ? undefined : poll.failure.value
  const heardAt = poll.heardAt.value
  return (
    <p class="staleness problem" role="status">
      {failure !== undefined && heardAt !== undefined
        ? `${failure.message} Shown is what was heard at ${exactClock(heardAt)}.`
        : ''}
    </p>
  )
}

export const Empty = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <div class="empty">
    <strong>{title}</strong>
    <p class="faint">{children}</p>
  </div>
)
