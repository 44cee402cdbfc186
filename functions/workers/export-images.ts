// Trigger: exports.fifo, one download at a time per folder of the image tree. Leaves: the files in the images bucket with
// their marker, last; how it ended in the job's record. Gives up to: the exports dead-letter queue, what died too often.
import { queueHandler, type Tools } from '../../lib/handler.ts'
import { DownloadOrder } from '../../lib/images/download.ts'
import { exportImages } from '../../lib/services/export-images.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

async function work(order: DownloadOrder, { config, log, ...tools }: Tools): Promise<void> {
  const outcome = await exportImages({ ...tools, freshMs: config.images.freshMs }, order)
  const code = outcome.kind === 'failed' ? outcome.code : undefined
  log.info('download ended', { downloadId: order.downloadId, outcome: outcome.kind, code })
}

export const createHandler = (wire: Wire) =>
  queueHandler({ message: DownloadOrder, source: ({ exports }) => exports, isHeld: true, work }, wire)

export const handler = createHandler(wireOnce)
