// What became of events (E:rest/EventServiceRestApi.java, E:model/SubscriptionDelivery.java).
import * as z from 'zod'
import { findEventType } from '../events/event-types.ts'
import type { Delivery } from '../events/records.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import { pathNumber, readJson, requestFailure, xapiJson, xapiRoute } from '../xapi.ts'
import { requireAccess } from './event-subscriptions.ts'

export const eventDeliveryXapiRoutes = ['', '/projects/{PROJECT_ID}'].flatMap((place) => [
  xapiRoute(`${place}/events/delivered`, { POST: listDeliveries }),
  xapiRoute(`${place}/events/delivered/count`, { GET: countDeliveries }),
  xapiRoute(`${place}/events/delivered/{ID}`, { GET: showDelivery }),
])

const Page = z.object({
  page: z.number().default(1),
  size: z.number().default(50),
  sort_dir: z.string().default('desc'),
})

async function listDeliveries(exchange: Exchange): Promise<Reply> {
  const found = deliveries(exchange)
  const hasBody = Number(exchange.request.headers['content-length'] ?? 0) > 0
  const { page, size, sort_dir } = hasBody ? await readJson(exchange, Page) : Page.parse({})
  const direction = sort_dir.toLowerCase() === 'asc' ? 1 : -1
  const sorted = found.toSorted((one, other) => direction * (one.id - other.id))
  const first = (Math.max(page, 1) - 1) * size
  const withChildren = !exchange.query.isFalse('load-children')
  return xapiJson(sorted.slice(first, first + size).map((delivery) => deliveryJson(exchange, delivery, withChildren)))
}

function countDeliveries(exchange: Exchange): Reply {
  return xapiJson(deliveries(exchange).length)
}

function showDelivery(exchange: Exchange): Reply {
  const { projectId } = requireAccess(exchange)
  const id = pathNumber(exchange, 'ID')
  const delivery = exchange.xnat.state.events.deliveries.get(String(id))
  if (delivery === undefined) throw requestFailure(404, `Could not find entity with ID ${id}`)
  if (projectId !== undefined && delivery.projectId !== projectId) {
    throw requestFailure(404, 'No history item with matching id and projectID')
  }
  return xapiJson(deliveryJson(exchange, delivery, true))
}

/** Those that a filter held back are left out, unless they are asked for. */
function deliveries(exchange: Exchange): Delivery[] {
  const { query, xnat } = exchange
  const { projectId = query.get('project') } = requireAccess(exchange)
  const subscriptionId = query.get('subscription-id')
  return xnat.state.events.deliveries
    .all()
    .filter((delivery) => projectId === undefined || delivery.projectId === projectId)
    .filter((delivery) => subscriptionId === undefined || String(delivery.subscriptionId) === subscriptionId)
    .filter(
      ({ statuses }) =>
        query.isTrue('include-filter-mismatch') || statuses.at(-1)?.status !== 'OBJECT_FILTER_MISMATCH_HALT',
    )
}

function deliveryJson({ xnat }: Exchange, delivery: Delivery, withChildren: boolean) {
  const last = delivery.statuses.at(-1)
  const subscription = xnat.state.events.subscriptions.get(String(delivery.subscriptionId))
  return {
    id: delivery.id,
    'event-type': delivery.eventType,
    timestamp: last?.atMs,
    subscription: subscription ?? { id: delivery.subscriptionId, name: delivery.subscriptionName },
    user: delivery.username,
    project: delivery.projectId,
    inputs: delivery.inputs,
    trigger: {
      'event-name': findEventType(delivery.eventType)?.displayName,
      status: delivery.eventStatus,
      'is-xsi-type': true,
      'xnat-type': delivery.xnatType,
      URI: delivery.uri,
      label: delivery.label,
    },
    ...(withChildren && {
      status: delivery.statuses.map(({ status, atMs, message }) => ({ status, timestamp: atMs, message })),
    }),
    'status-message': last?.message,
    ...(withChildren && delivery.payload !== undefined && { payload: delivery.payload }),
    error: /FAULT|ERROR|FAILED/.test(last?.status ?? ''),
  }
}
