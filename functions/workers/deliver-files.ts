// Trigger: deliveries.fifo, one order at a time per XNAT resource. Leaves: files in XNAT, read back, and a receipt.
// Gives up to: the deliveries dead-letter queue, with the error code; the objects stay.
import { DeliveryOrder } from '../../lib/delivery/order.ts'
import { queueHandler } from '../../lib/handler.ts'
import { deliverFiles } from '../../lib/services/deliver-files.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

export const createHandler = (wire: Wire) =>
  queueHandler(
    {
      message: DeliveryOrder,
      source: ({ deliveries }) => deliveries,
      work: async (order, { xnat, incoming, state, log, signal }) => {
        const tally = await deliverFiles({ xnat, incoming, state, signal }, order)
        log.info('files delivered', { deliveryId: order.deliveryId, ...tally })
      },
    },
    wire,
  )

export const handler = createHandler(wireOnce)
