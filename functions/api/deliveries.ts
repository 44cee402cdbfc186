import * as z from 'zod'
import { DeliveryId } from '../../lib/delivery/order.ts'
import { Receipt } from '../../lib/delivery/receipt.ts'
import { ReceiptSummary } from '../../lib/delivery/receipt-index.ts'
import { apiHandler, route } from '../../lib/handler.ts'
import { Backfill, backfillDeliveries } from '../../lib/services/backfill-deliveries.ts'
import { getDelivery } from '../../lib/services/get-delivery.ts'
import { listDeliveries } from '../../lib/services/list-deliveries.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

const deliveryId = '8232774399999-0123456789abcdef'

const DeliveryReceipt = Receipt.meta({
  id: 'Receipt',
  description: 'The proof of one delivery, or the reason why there is none.',
  example: {
    deliveryId,
    outcome: 'verified',
    target: { projectId: 'P1', subject: 'S1', experiment: 'MR1', scanId: '3', resourceLabel: 'DICOM' },
    experimentId: 'XNAT_E00001',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:01.500Z',
    files: [
      {
        path: '1.dcm',
        sizeBytes: 3,
        md5: '900150983cd24fb0d6963f7d28e17f72',
        outcome: 'stored',
        verifiedBy: 'md5',
      },
    ],
  },
})

const readDelivery = route({
  method: 'GET',
  path: '/deliveries/{delivery_id}',
  operationId: 'getDelivery',
  summary: 'Reads the receipt of a delivery from S3 to XNAT that has ended.',
  request: z.object({ path: z.object({ delivery_id: DeliveryId.meta({ example: deliveryId }) }) }),
  answer: DeliveryReceipt,
  errors: { 404: 'No delivery of this id has ended yet.', 503: 'Storage is busy.' },
  run: ({ path }, tools) => getDelivery(tools, path.delivery_id),
})

export const DeliveryPage = z
  .object({
    deliveries: z.array(ReceiptSummary),
    cursor: DeliveryId.optional().meta({
      description: 'Where the next page starts; absent when this is the last one.',
    }),
  })
  .meta({
    id: 'DeliveryPage',
    description: 'Receipts in brief. A page may hold fewer than asked for, even none, and still have a cursor.',
    example: {
      deliveries: [
        {
          deliveryId,
          outcome: 'verified',
          projectId: 'P1',
          experimentId: 'XNAT_E00001',
          files: 1,
          bytes: 3,
          orderedAt: '2026-01-01T00:00:00.000Z',
          finishedAt: '2026-01-01T00:00:01.500Z',
        },
      ],
      cursor: deliveryId,
    },
  })

const Time = z.iso.datetime({ offset: true })

const readDeliveries = route({
  method: 'GET',
  path: '/deliveries',
  operationId: 'listDeliveries',
  summary: 'Lists the receipts of deliveries that have ended, the newest object first.',
  request: z.object({
    // A filter that is misspelt would list all.
    query: z.strictObject({
      project_id: z
        .string()
        .regex(/^[A-Za-z0-9:._-]{1,255}$/)
        .optional()
        .meta({ description: "XNAT's id of the project.", example: 'P1' }),
      outcome: ReceiptSummary.shape.outcome.optional().meta({ example: 'failed' }),
      code: z
        .string()
        .regex(/^[A-Z0-9_]{1,64}$/)
        .optional()
        .meta({ description: 'Why it failed.', example: 'EXPERIMENT_NOT_FOUND' }),
      since: Time.optional().meta({ description: 'From this time on.', example: '2026-01-01T00:00:00Z' }),
      until: Time.optional().meta({ description: 'Before this time.', example: '2026-02-01T00:00:00Z' }),
      cursor: DeliveryId.optional().meta({ description: 'Of the page before.', example: deliveryId }),
      limit: z.coerce.number().int().min(1).max(1000).default(100).meta({ example: 100 }),
    }),
  }),
  answer: DeliveryPage,
  errors: { 503: 'Storage is busy.' },
  run: ({ query }, { state, signal }) => {
    const { project_id: projectId, outcome, code, cursor: after, limit } = query
    const [since, until] = [query.since, query.until].map((time) => (time === undefined ? time : new Date(time)))
    return listDeliveries({ state, signal }, { projectId, outcome, code, since, until, after, limit })
  },
})

const ObjectPrefix = z
  .string()
  .max(1024)
  .regex(/^projects\/./)

const startBackfill = route({
  method: 'POST',
  path: '/deliveries/backfill',
  operationId: 'backfillDeliveries',
  summary: 'Sends every object below a prefix of the incoming bucket on the way that uploads take.',
  request: z.object({
    body: z
      .strictObject({
        prefix: ObjectPrefix.meta({ description: 'What the keys begin with.' }),
        cursor: ObjectPrefix.optional().meta({ description: 'Of the answer before.' }),
      })
      .meta({ id: 'BackfillRequest', example: { prefix: 'projects/P1/subjects/S1/' } }),
  }),
  answer: Backfill.meta({ id: 'Backfill', example: { objects: 500 } }),
  errors: { 503: 'Storage is busy.' },
  run: ({ body }, { incoming, uploads, signal }) =>
    backfillDeliveries({ incoming, uploads: uploads.queue, signal }, body),
})

export const routes = [readDelivery, readDeliveries, startBackfill]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
