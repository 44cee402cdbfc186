// Puts every registered project before the planner: whatever was lost or has come due is found within one round.
import pLimit from 'p-limit'
import type { ObjectStore } from '../aws/objects.ts'
import type { Queue } from '../aws/queue.ts'
import { sweepMessage } from '../imports/messages.ts'
import { parts } from '../in-parts.ts'
import { registeredProjects } from '../provisioning/registration.ts'

interface SweepDeps {
  state: ObjectStore
  imports: Queue
  signal: AbortSignal
}

const sendsAtATime = 16
/** SQS takes so many in one call. */
const perSend = 10

/**
 * Sends one message for each project. `round` names the time that the sweep belongs to: made twice, or again after it
 * died half-way, it sends what SQS then drops.
 */
export async function sweepImports(
  { state, imports, signal }: SweepDeps,
  { round }: { round: string },
): Promise<{ projects: number }> {
  const limit = pLimit(sendsAtATime)
  let projects = 0
  for await (const page of registeredProjects(state, { signal })) {
    const messages = page.map((projectId) => sweepMessage(projectId, round))
    await Promise.all([...parts(messages, perSend)].map((part) => limit(() => imports.send(part))))
    projects += page.length
  }
  return { projects }
}
