// What a failed attempt leaves behind in XNAT and what would meet the next one there.
import * as z from 'zod'
import type { XnatClient } from '../xnat/client.ts'
import { deleteDirectArchive } from '../xnat/direct-archive.ts'
import { deleteQueuedRequest } from '../xnat/dqr-import.ts'
import { deletePrearchiveSession } from '../xnat/prearchive.ts'
import { deleteRecord } from '../xnat/records.ts'
import { holdsNothing } from './session-check.ts'

const PrearchiveRef = z.object({ projectId: z.string(), timestamp: z.string(), folder: z.string() })

export const Leftover = z.discriminatedUnion('kind', [
  /** A request that DQR has been retrieving for too long. It is ours to withdraw, whatever the policies. */
  z.object({ kind: z.literal('queued-request'), id: z.int() }),
  z.object({ kind: z.literal('direct-archive'), id: z.int(), because: z.literal('error') }),
  z.object({ kind: z.literal('prearchive'), ref: PrearchiveRef, because: z.enum(['error', 'conflict']) }),
  z.object({ kind: z.literal('empty-session'), experimentId: z.string() }),
])
export type Leftover = z.infer<typeof Leftover>

/** `leave`: a person is to look at it, and the study is not asked for again until then. */
type Policy = 'leave' | 'delete-and-retry'

export interface LeftoverPolicy {
  conflict: Policy
  error: Policy
  emptySession: Policy
}

/** Whether the policy keeps it, and so any new attempt from being made. */
export function isLeft(leftover: Leftover, policy: LeftoverPolicy): boolean {
  if (leftover.kind === 'queued-request') return false
  if (leftover.kind === 'empty-session') return policy.emptySession === 'leave'
  return policy[leftover.because] === 'leave'
}

/**
 * Clears it away, and says whether it is gone, now or before. A session is looked at once more just before: one that holds any file or
 * assessment by now is kept.
 */
export async function clearLeftover(
  { xnat, signal }: { xnat: XnatClient; signal: AbortSignal },
  leftover: Leftover,
): Promise<boolean> {
  switch (leftover.kind) {
    case 'queued-request':
      await deleteQueuedRequest(xnat, leftover.id, { signal })
      return true
    case 'direct-archive':
      await deleteDirectArchive(xnat, leftover.id, { signal })
      return true
    case 'prearchive':
      await deletePrearchiveSession(xnat, leftover.ref, { signal })
      return true
    case 'empty-session': {
      const { experimentId } = leftover
      if (!(await holdsNothing({ xnat, signal }, experimentId))) return false
      await deleteRecord(xnat, { kind: 'experiment', experimentId }, { removeFiles: true, signal })
      return true
    }
  }
}
