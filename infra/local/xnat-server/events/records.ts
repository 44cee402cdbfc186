// What the Event Service keeps (E:entities).
import * as z from 'zod'

export const EventFilter = z.object({
  name: z.string().exactOptional(),
  'event-type': z.string(),
  /** Absent or empty: the whole site. */
  'project-ids': z.array(z.string()).exactOptional(),
  status: z.string().exactOptional(),
  schedule: z.string().exactOptional(),
  'schedule-description': z.string().exactOptional(),
  'payload-filter': z.string().exactOptional(),
  'filter-nodes': z.record(z.string(), z.unknown()).exactOptional(),
})
export type EventFilter = z.infer<typeof EventFilter>

export const Subscription = z.object({
  id: z.number(),
  name: z.string(),
  active: z.boolean(),
  'action-key': z.string(),
  attributes: z.record(z.string(), z.string()),
  'event-filter': EventFilter,
  'act-as-event-user': z.boolean(),
  'subscription-owner': z.string(),
  createdMs: z.number(),
})
export type Subscription = z.infer<typeof Subscription>

/** One event that met one subscription, and how far it came. */
export const Delivery = z.object({
  id: z.number(),
  subscriptionId: z.number(),
  subscriptionName: z.string(),
  eventType: z.string(),
  eventStatus: z.string(),
  username: z.string(),
  projectId: z.string(),
  inputs: z.string(),
  xnatType: z.string(),
  uri: z.string(),
  label: z.string(),
  payload: z.record(z.string(), z.unknown()).exactOptional(),
  statuses: z.array(z.object({ status: z.string(), atMs: z.number(), message: z.string() })),
})
export type Delivery = z.infer<typeof Delivery>

export const EventPreferences = z.object({ enabled: z.boolean() })
