// Kills a function at one of its requests, has the next one finish the work, and counts what both ask for.
import type { SQSEvent } from 'aws-lambda'
import { expect } from 'vitest'
import type { XnatServer } from '../../infra/local/xnat-server/server.ts'
import type { FaultProxy, Judge } from './fault-proxy.ts'
import type { KillableFunction } from './killable-function.ts'

/** The moments at which a request can find its sender dead: before it is heard, and after it was obeyed. */
export const moments = ['before', 'after'] as const
export type Death = { at: number; moment: (typeof moments)[number] }

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
  }: {
    death: Death | undefined
    start: () => Promise<KillableFunction>
    survivor: () => Promise<KillableFunction>
    proxies: readonly FaultProxy[]
    standIn: XnatServer
  },
): Promise<number> {
  let count = 0
  const victim = death && (await start())
  const judge: Judge = () => {
    count += 1
    if (victim === undefined || count !== death?.at) return undefined
    if (death.moment === 'after') return { kind: 'cut-answer', afterwards: victim.kill }
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
  }
  expect(await (await survivor()).invoke(event)).toEqual({ batchItemFailures: [] })
  return count
}
