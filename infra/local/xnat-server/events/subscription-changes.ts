// Making and changing subscriptions (E:model/Subscription.java, SubscriptionUpdate.java, EventFilter.java).
import * as z from 'zod'
import type { Xnat } from '../exchange.ts'
import { findEventType } from './event-types.ts'
import { EventFilter, type Subscription } from './records.ts'
import { containerAction } from './validation.ts'

const creation = {
  name: z.string().exactOptional(),
  active: z.boolean().default(true),
  'action-key': z.string(),
  attributes: z.record(z.string(), z.string()).default({}),
}

export const SubscriptionCreation = z.object({
  ...creation,
  'event-filter': EventFilter,
  'act-as-event-user': z.boolean().default(false),
})
export type SubscriptionCreation = z.infer<typeof SubscriptionCreation>

/** For one project: it must say which, and never acts as whoever caused the event. */
export const ProjectSubscriptionCreation = z
  .object({ ...creation, 'event-filter': EventFilter.extend({ 'project-ids': z.array(z.string()) }) })
  .transform((subscription) => ({ ...subscription, 'act-as-event-user': false }))

export const SubscriptionUpdate = z.object({
  name: z.string().exactOptional(),
  active: z.boolean().exactOptional(),
  'action-key': z.string().exactOptional(),
  attributes: z.record(z.string(), z.string()).exactOptional(),
  'act-as-event-user': z.boolean().exactOptional(),
  'event-filter': EventFilter.extend({ 'event-type': z.string().exactOptional() }).exactOptional(),
})
export type SubscriptionUpdate = z.infer<typeof SubscriptionUpdate>

export function newSubscription(xnat: Xnat, creation: SubscriptionCreation, owner: string): Subscription {
  return {
    ...creation,
    id: 0,
    name: creation.name ?? '',
    'subscription-owner': owner,
    createdMs: xnat.now().getTime(),
  }
}

export function saveSubscription(xnat: Xnat, subscription: Subscription): Subscription {
  const { subscriptions } = xnat.state.events
  const name = subscription.name === '' ? freeName(xnat, subscription) : subscription.name
  const id = subscription.id === 0 ? xnat.state.next('subscription') : subscription.id
  return subscriptions.put({ ...subscription, id, name })
}

/** XNAT: what is absent is kept, but attributes are emptied, "act as" is false, and a filter loses projects and schedule. */
export function withUpdate(present: Subscription, update: SubscriptionUpdate): Subscription {
  const { 'event-filter': filter, ...rest } = update
  const changed = { ...present, ...rest, attributes: update.attributes ?? {} }
  const asEventUser = update['act-as-event-user'] ?? false
  if (filter === undefined) return { ...changed, 'act-as-event-user': asEventUser }
  const {
    'project-ids': _projects,
    schedule: _schedule,
    'schedule-description': _description,
    ...kept
  } = present['event-filter']
  return { ...changed, 'act-as-event-user': asEventUser, 'event-filter': { ...kept, ...filter } }
}

/** XNAT: generated names alone are unique. */
function freeName(xnat: Xnat, { 'action-key': key, 'event-filter': filter }: Subscription): string {
  const projects = filter['project-ids'] ?? []
  const [only, ...others] = projects
  const place = only === undefined ? 'Site' : others.length > 0 ? 'Multiple Projects' : only
  const event = findEventType(filter['event-type'])?.displayName ?? 'Event'
  const status = filter.status === undefined ? '' : ` ${filter.status}`
  const name = `${actionName(xnat, key)} on ${event}${status} for ${place}`
  const taken = new Set(xnat.state.events.subscriptions.all().map((each) => each.name))
  let free = name
  for (let version = 2; taken.has(free); version += 1) free = `${name} v${version}`
  return free
}

export function actionName({ state }: Xnat, key: string): string {
  const [provider, id = ''] = key.split(':')
  if (provider !== containerAction) return 'Logging Action'
  return state.containers.wrappers.get(id)?.body.name ?? 'Action'
}
