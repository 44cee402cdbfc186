// Trigger: the uploads queue (S3 events). Leaves: delivery orders in deliveries.fifo.
// Gives up to: the uploads dead-letter queue, with the error code; the object stays.
import { batchHandler } from '../../lib/handler.ts'
import { routeObjects, S3Notification } from '../../lib/services/route-objects.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

export const createHandler = (wire: Wire) =>
  batchHandler(
    {
      message: S3Notification,
      source: ({ uploads }) => uploads,
      work: async (batch, { config, deliveries, log }) => {
        const notifications = batch.map(({ message }) => message)
        const deps = { deliveries: deliveries.queue, log, maxOrderBytes: config.delivery.maxBytes }
        const { orders, objects, refused } = await routeObjects(deps, notifications)
        log.info('objects routed', { messages: batch.length, orders, files: objects, refused: refused.length })
        return refused.flatMap(({ index, notification, error }) => {
          const messageId = batch[index]?.messageId
          return messageId === undefined ? [] : [{ messageId, error, body: JSON.stringify(notification) }]
        })
      },
    },
    wire,
  )

export const handler = createHandler(wireOnce)
