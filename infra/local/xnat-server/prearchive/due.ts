// Which of the sessions on their way goes on next.
import { Lines } from '../table-indexes.ts'
import type { ReceivedSession } from './entry.ts'

export type WaitingSessions<T extends ReceivedSession> = Lines<T>

/** A line per status that a session leaves by itself, ordered by since when it has it, or by its last file. */
export function waitingSessions<T extends ReceivedSession>(): WaitingSessions<T> {
  return new Lines<T>({
    lineOf: ({ status }) => (['READY', 'CONFLICT', 'ERROR'].includes(status) ? undefined : status),
    compare: (one, other) => sinceMs(one) - sinceMs(other) || one.receivedId - other.receivedId,
  })
}

function sinceMs({ status, lastModifiedMs, statusSinceMs }: ReceivedSession): number {
  return status === 'RECEIVING' ? lastModifiedMs : statusSinceMs
}

/**
 * The session that is due first; of several, the one that came first. `patienceMs` is how long one stays in its status,
 * which is the same for all of a status, or undefined for one that waits for somebody.
 */
export function firstDue<T extends ReceivedSession>(
  waiting: WaitingSessions<T>,
  patienceMs: (session: T) => number | undefined,
): Due<T> | undefined {
  let earliest: Due<T> | undefined
  for (const status of waiting.names()) {
    const first = firstOf(waiting.line(status), patienceMs)
    if (first !== undefined && (earliest === undefined || isBefore(first, earliest))) earliest = first
  }
  return earliest
}

interface Due<T> {
  session: T
  dueAt: number
}

function firstOf<T extends ReceivedSession>(
  line: readonly T[],
  patienceMs: (session: T) => number | undefined,
): Due<T> | undefined {
  for (const session of line) {
    const ms = patienceMs(session)
    if (ms !== undefined) return { session, dueAt: sinceMs(session) + ms }
  }
  return undefined
}

function isBefore<T extends ReceivedSession>(one: Due<T>, other: Due<T>): boolean {
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.session.receivedId < other.session.receivedId)
}
