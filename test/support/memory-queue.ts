import type { OutgoingMessage, Queue } from '../../lib/aws/queue.ts'
import type { QueueReader } from '../../lib/aws/queue-reader.ts'

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

/** A queue that is looked into, and in which nothing is. */
export const emptyQueueReader: QueueReader = {
  count: async () => 0,
  receive: async () => [],
  release: async () => undefined,
  remove: async () => undefined,
}
