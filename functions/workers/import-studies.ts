// Trigger: the studies queue (orders of import-cohort). Leaves: import requests in XNAT's DQR, and word of what became of
// each study in imports.fifo. Gives up to: the studies dead-letter queue, with the error code; the planner finds the
// studies missing when their lease has ended, and orders them again.
import { batchHandler } from '../../lib/handler.ts'
import { StudiesOrder } from '../../lib/imports/messages.ts'
import { requestStudies } from '../../lib/services/request-studies.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

export const createHandler = (wire: Wire) =>
  batchHandler(
    {
      message: StudiesOrder,
      source: ({ studies }) => studies,
      isHeld: true,
      work: async (batch, { config, imports, ...tools }) => {
        const { imaging, asking } = config
        const orders = batch.map(({ message }) => message)
        const failed = await requestStudies({ ...tools, imaging, asking, imports: imports.queue }, orders)
        return failed.flatMap(({ index, error }) => {
          const messageId = batch[index]?.messageId
          return messageId === undefined ? [] : [{ messageId, error }]
        })
      },
    },
    wire,
  )

export const handler = createHandler(wireOnce)
