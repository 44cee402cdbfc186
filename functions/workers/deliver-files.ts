// Trigger: deliveries.fifo, one order at a time per XNAT resource or DICOM session. Leaves: files in XNAT, read back, and
// a receipt. Gives up to: the deliveries dead-letter queue, with the error code; the objects stay. Uploads by training
// clients end in their own records.
import * as z from 'zod'
import { AnyOrder } from '../../lib/delivery/order.ts'
import { recordFailure } from '../../lib/delivery/receipt.ts'
import { queueHandler, type Tools } from '../../lib/handler.ts'
import { markChanged } from '../../lib/images/session-change.ts'
import { UploadOrder } from '../../lib/images/upload.ts'
import { deliverFiles } from '../../lib/services/deliver-files.ts'
import { deliverSession } from '../../lib/services/deliver-session.ts'
import { forwardToProject, hubProjectOf } from '../../lib/services/forward-to-project.ts'
import { uploadImages } from '../../lib/services/upload-images.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

async function handOn(order: UploadOrder | AnyOrder, tools: Tools): Promise<void> {
  if (!('jobId' in order)) return deliver(order, tools)
  const outcome = await uploadImages(
    {
      ...tools,
      // One less than the queue's: what dies in the last of them is told by the next.
      tries: Math.max(tools.config.deliveryTries - 1, 1),
      deliver: (files, source) => counted(deliverFiles({ ...tools, incoming: source }, files), tools),
    },
    order,
  )
  const code = outcome.kind === 'failed' ? outcome.code : undefined
  tools.log.info('upload ended', { uploadId: order.uploadId, outcome: outcome.kind, code })
}

async function counted(delivery: ReturnType<typeof deliverFiles>, { metrics }: Tools) {
  const tally = await delivery
  metrics.add('FilesDelivered', tally.files - tally.unchanged - tally.superseded)
  metrics.add('FilesVerified', tally.verified)
  metrics.add('FilesHealed', tally.healed)
  metrics.add('BytesDelivered', tally.bytes)
  return tally
}

async function deliver(order: AnyOrder, tools: Tools): Promise<void> {
  const { config, deliveries, log, metrics } = tools
  const { deliveryId } = order
  const hubProjectId = hubProjectOf(order)
  if (hubProjectId !== undefined) {
    const forwarded = await forwardToProject({ ...tools, deliveries: deliveries.queue }, order, hubProjectId)
    log.info('order forwarded', { deliveryId, ...forwarded })
    return
  }
  if ('source' in order) {
    const tally = await deliverSession({ ...tools, ...config.delivery }, order)
    log.info('session delivered', { deliveryId, ...tally })
    metrics.add('FilesDelivered', tally.files)
    metrics.add('FilesVerified', tally.verified)
    metrics.add('BytesDelivered', tally.bytes)
  } else {
    const tally = await counted(deliverFiles({ ...tools, ...config.delivery }, order), tools)
    log.info('files delivered', { deliveryId, ...tally })
  }
  const { projectId, experiment } = order.target
  if (experiment !== undefined) await markChanged(tools, { projectId, experiment })
}

export const createHandler = (wire: Wire) =>
  queueHandler(
    {
      message: z.union([UploadOrder, AnyOrder]),
      source: ({ deliveries }) => deliveries,
      tries: ({ config }) => config.deliveryTries,
      isHeld: true,
      work: handOn,
      giveUp: async ({ message, ...failure }, { state }) => {
        // An upload counts its tries in its own record, and ends there with the reason before it comes to this.
        if (!('jobId' in message)) await recordFailure(state, message, failure)
      },
    },
    wire,
  )

export const handler = createHandler(wireOnce)
