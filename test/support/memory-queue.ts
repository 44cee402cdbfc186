import type { OutgoingMessage, Queue } from '../../lib/aws/queue.ts'

export interface MemoryQueue extends Queue {
  readonly sent: OutgoingMessage[]
  readonly postponed: { receiptHandle: string; delayMs: number }[]
  /** The next call fails with this. */
  failNext(error: Error): void
}

/** A queue that remembers what it was given. */
export function memoryQueue(): MemoryQueue {
  const sent: OutgoingMessage[] = []
  const postponed: { receiptHandle: string; delayMs: number }[] = []
  let failure: Error | undefined
  const failIfTold = () => {
    const error = failure
    failure = undefined
    if (error !== undefined) throw error
  }
  return {
    sent,
    postponed,
    failNext: (error) => {
      failure = error
    },
    async send(messages) {
      failIfTold()
      sent.push(...messages)
    },
    async postpone(receiptHandle, delayMs) {
      failIfTold()
      postponed.push({ receiptHandle, delayMs })
    },
  }
}
