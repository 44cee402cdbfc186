// An order that names its project by the hub's id -> the same order under XNAT's own id of the project.
import type { Queue } from '../aws/queue.ts'
import { type AnyOrder, orderMessage } from '../delivery/order.ts'
import { DeliveryError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { findProjectBySecondaryId } from '../xnat/projects.ts'

/** The hub's id of the project, when the order's keys are spelled with it. */
export const hubProjectOf = ({ target }: AnyOrder) => /^hub:(.+)$/.exec(target.projectId)?.[1]

export interface ForwardDeps {
  xnat: XnatClient
  deliveries: Queue
  signal: AbortSignal
}

/**
 * Sends the order again, to the FIFO group in which orders for the same XNAT resource meet however their keys spell the
 * project: only there it has one writer. Sent twice, the second order finds everything delivered.
 *
 * @throws {DeliveryError} PROJECT_NOT_FOUND when no project has this hub id.
 */
export async function forwardToProject(
  deps: ForwardDeps,
  order: AnyOrder,
  hubProjectId: string,
): Promise<{ projectId: string }> {
  const project = await findProjectBySecondaryId(deps.xnat, hubProjectId, { signal: deps.signal })
  if (project === undefined) throw new DeliveryError('no project has this hub id', { code: 'PROJECT_NOT_FOUND' })
  const { projectId } = project
  const forwarded = withProject(order, projectId)
  // SQS: the ID is new, because the embedded queue drops a known one whatever its group.
  await deps.deliveries.send([orderMessage(forwarded, `${order.deliveryId}-forwarded`)])
  return { projectId }
}

function withProject(order: AnyOrder, projectId: string): AnyOrder {
  if ('source' in order) return { ...order, target: { ...order.target, projectId } }
  return { ...order, target: { ...order.target, projectId } }
}
