// Kills a function at one of its requests, has the next one finish the work, and counts what both ask for.
import type { SQSEvent } from 'aws-lambda'
import { expect } from 'vitest'
import type { XnatServer } from '../../infra/local/xnat-server/server.ts'
import type { FaultProxy, Judge, PassingRequest } from './fault-proxy.ts'
import type { KillableFunction } from './killable-function.ts'

/** The moments at which a request can find its sender dead: before it is heard, and after it was obeyed. */
export const moments = ['before', 'after'] as const
export type Death = { at: number; moment: (typeof moments)[number] }

export interface RequestCount {
  all: number
  /** Those that may have changed something. */
  writes: number
}

/**
 * Invokes until it is answered, with at most one death, and counts the requests that pass the proxies. What dies is a
 * process of its own; the next try meets the survivor, as in Lambda a warm process.
 */
export async function invokeWithDeath(
  event: SQSEvent,
  {
    death,
    start,
    survivor,
    proxies,
    standIn,
    isRead = () => false,
    meanwhile,
  }: {
    death: Death | undefined
    start: () => Promise<KillableFunction>
    survivor: () => Promise<KillableFunction>
    proxies: readonly FaultProxy[]
    standIn: XnatServer
    /** A death after a request counts only those that are none: what a read left behind is what was there before it. */
    isRead?: (request: PassingRequest) => boolean
    /** What happens between the death and the next try. */
    meanwhile?: () => Promise<void>
  },
): Promise<RequestCount> {
  const count: RequestCount = { all: 0, writes: 0 }
  const victim = death && (await start())
  const judge: Judge = (request) => {
    const isWrite = !isRead(request)
    count.all += 1
    if (isWrite) count.writes += 1
    const isTime = death?.moment === 'after' ? isWrite && count.writes === death.at : count.all === death?.at
    if (victim === undefined || !isTime) return undefined
    if (death?.moment === 'after') return { kind: 'cut-answer', afterwards: victim.kill }
    victim.kill()
    return { kind: 'hang' }
  }
  for (const proxy of proxies) proxy.judge = judge
  if (victim !== undefined) {
    expect(await victim.invoke(event)).toBeUndefined()
    // What the dead had sent has to have ended too: its last word would otherwise come after the next one's first.
    const areOver = () =>
      proxies.every((proxy) => proxy.underWay() === 0) &&
      standIn.requests.list().every(({ durationMs }) => durationMs !== undefined)
    await expect.poll(areOver, { interval: 5, timeout: 10_000 }).toBe(true)
    await meanwhile?.()
  }
  expect(await (await survivor()).invoke(event)).toEqual({ batchItemFailures: [] })
  return count
}
