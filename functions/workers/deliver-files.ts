// Trigger: deliveries.fifo, one order at a time per XNAT resource or DICOM session. Leaves: files in XNAT, read back, and
// a receipt. Gives up to: the deliveries dead-letter queue, with the error code; the objects stay.
import { AnyOrder } from '../../lib/delivery/order.ts'
import { recordFailure } from '../../lib/delivery/receipt.ts'
import { queueHandler, type Tools } from '../../lib/handler.ts'
import { deliverFiles } from '../../lib/services/deliver-files.ts'
import { deliverSession } from '../../lib/services/deliver-session.ts'
import { forwardToProject, hubProjectOf } from '../../lib/services/forward-to-project.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

async function deliver(order: AnyOrder, { config, deliveries, log, ...tools }: Tools): Promise<void> {
  const { deliveryId } = order
  const hubProjectId = hubProjectOf(order)
  if (hubProjectId !== undefined) {
    const forwarded = await forwardToProject({ ...tools, deliveries: deliveries.queue }, order, hubProjectId)
    log.info('order forwarded', { deliveryId, ...forwarded })
  } else if ('source' in order) {
    const tally = await deliverSession({ ...tools, ...config.delivery }, order)
    log.info('session delivered', { deliveryId, ...tally })
  } else {
    const tally = await deliverFiles({ ...tools, ...config.delivery }, order)
    log.info('files delivered', { deliveryId, ...tally })
  }
}

export const createHandler = (wire: Wire) =>
  queueHandler(
    {
      message: AnyOrder,
      source: ({ deliveries }) => deliveries,
      tries: ({ config }) => config.deliveryTries,
      isHeld: true,
      work: deliver,
      giveUp: ({ message, ...failure }, { state }) => recordFailure(state, message, failure),
    },
    wire,
  )

export const handler = createHandler(wireOnce)
