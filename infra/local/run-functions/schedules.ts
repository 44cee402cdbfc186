// EventBridge's `rate(...)` rules. As on AWS, the first run comes after one interval, and a run that takes longer
// than that does not hold up the next, which then runs beside it. Unlike Lambda, which tries a failed run twice more,
// this leaves it to the next run.

import { randomUUID } from 'node:crypto'
import type { ScheduleEvent } from './function-events.ts'
import { LOCAL_ACCOUNT_ID } from './resolve-resources.ts'
import type { LocalFunction } from './resolve-service.ts'

// Longer timers fire at once (Node.js, setTimeout).
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Calls `tick` every `intervalMs` until the answer is called. Keeps no process alive. */
export function every(intervalMs: number, tick: () => void): () => void {
  let dueAt = Date.now() + intervalMs
  let timer = wait()

  function wait(): NodeJS.Timeout {
    return setTimeout(onTimer, Math.min(LONGEST_TIMER_MS, Math.max(0, dueAt - Date.now()))).unref()
  }

  function onTimer(): void {
    if (Date.now() >= dueAt) {
      dueAt += intervalMs
      tick()
    }
    timer = wait()
  }

  return () => clearTimeout(timer)
}

/** What EventBridge would send for this rule now. */
export function scheduledEvent(fn: LocalFunction, schedule: ScheduleEvent, region: string): unknown {
  if (schedule.input !== undefined) return schedule.input
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: LOCAL_ACCOUNT_ID,
    time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [`arn:aws:events:${region}:${LOCAL_ACCOUNT_ID}:rule/${fn.deployedName}`],
    detail: {},
  }
}
