import { sweepTokens } from './alias-tokens.ts'
import type { Chore } from './background.ts'
import { directArchiveTimer } from './direct-archive/timer.ts'
import { runThreads, startThreads } from './dqr/threads.ts'
import { deliverEvents } from './events/deliver.ts'
import { endLockouts } from './failed-logins.ts'
import { prearchiveTimer } from './prearchive/timer.ts'

/** Everything the stand-in does by the clock. Of two that are due at once the first here comes first. */
export const chores: readonly Chore[] = [
  sweepTokens,
  endLockouts,
  startThreads,
  runThreads,
  prearchiveTimer,
  directArchiveTimer,
  deliverEvents,
]
