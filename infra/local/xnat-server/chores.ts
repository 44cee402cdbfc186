import type { Chore } from './background.ts'

/** Everything the stand-in does by the clock. Of two that are due at once the first here comes first. */
export const chores: readonly Chore[] = []
