import * as z from 'zod'
import { DeliveryId } from '../../lib/delivery/order.ts'
import { Receipt } from '../../lib/delivery/receipt.ts'
import { apiHandler, route } from '../../lib/handler.ts'
import { getDelivery } from '../../lib/services/get-delivery.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

const DeliveryReceipt = Receipt.meta({
  id: 'Receipt',
  description: 'The proof of one delivery, or the reason why there is none.',
  example: {
    deliveryId: '8232774399999-0123456789abcdef',
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
  request: z.object({
    path: z.object({ delivery_id: DeliveryId.meta({ example: '8232774399999-0123456789abcdef' }) }),
  }),
  answer: DeliveryReceipt,
  errors: { 404: 'No delivery of this id has ended yet.', 503: 'Storage is busy.' },
  run: ({ path }, tools) => getDelivery(tools, path.delivery_id),
})

export const routes = [readDelivery]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
