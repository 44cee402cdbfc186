import * as z from 'zod'
import { DeliveryId } from '../../lib/delivery/order.ts'
import { Receipt } from '../../lib/delivery/receipt.ts'
import { apiHandler, route } from '../../lib/handler.ts'
import { getDelivery } from '../../lib/services/get-delivery.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

const readDelivery = route({
  method: 'GET',
  path: '/deliveries/{delivery_id}',
  request: z.object({ path: z.object({ delivery_id: DeliveryId }) }),
  answer: Receipt,
  run: ({ path }, tools) => getDelivery(tools, path.delivery_id),
})

export const createHandler = (wire: Wire) => apiHandler([readDelivery], wire)

export const handler = createHandler(wireOnce)
