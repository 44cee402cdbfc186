// From events to actions (E:services/impl/EventServiceImpl.java processEvent, ActionManagerImpl.java).
import type { Chore } from '../background.ts'
import type { Xnat } from '../exchange.ts'
import { compilePredicate } from './predicate.ts'
import type { Delivery, Subscription } from './records.ts'
import type { EventObject, Trigger } from './triggers.ts'
import { containerAction, faultIn } from './validation.ts'

/** XNAT: asynchronously, after what caused them is saved. */
export const deliverEvents: Chore = {
  dueAt: ({ state, now }) => (state.events.pending.length === 0 ? undefined : now().getTime()),
  async run(xnat) {
    for (const trigger of xnat.state.events.pending.splice(0)) {
      for (const subscription of xnat.state.events.subscriptions.all()) {
        if (subscription.active && fits(subscription, trigger)) deliver(xnat, subscription, trigger)
      }
    }
  },
}

function fits({ 'event-filter': filter }: Subscription, { type, status, projectId }: Trigger): boolean {
  const { 'event-type': wantedType, 'project-ids': projects = [], status: wantedStatus = '' } = filter
  const isInProject = projects.length === 0 || projects.includes(projectId)
  return type === wantedType && (wantedStatus.trim() === '' || wantedStatus === status) && isInProject
}

function deliver(xnat: Xnat, subscription: Subscription, trigger: Trigger): void {
  const { state, now } = xnat
  const { attributes, 'subscription-owner': owner, 'act-as-event-user': asEventUser } = subscription
  const object = trigger.object()
  let delivery: Delivery = {
    id: state.next('delivery'),
    subscriptionId: subscription.id,
    subscriptionName: subscription.name,
    eventType: trigger.type,
    eventStatus: trigger.status,
    username: asEventUser ? trigger.username : owner,
    projectId: trigger.projectId,
    // XNAT: Java's own way to write a map.
    inputs: `{${Object.entries(attributes)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ')}}`,
    xnatType: object.xsiType,
    uri: object.uri,
    label: object.label || object.id,
    statuses: [],
  }
  for (const [status, message] of steps(xnat, subscription, object)) {
    const step = { status, message, atMs: now().getTime() }
    delivery = { ...delivery, statuses: [...delivery.statuses, step] }
  }
  const isLogged = !subscription['action-key'].startsWith(containerAction)
  state.events.deliveries.put({ ...delivery, ...(isLogged && { payload: { ...object } }) })
}

function* steps(
  xnat: Xnat,
  subscription: Subscription,
  object: EventObject,
): Generator<[status: string, message: string]> {
  yield ['EVENT_TRIGGERED', 'Event triggered.']
  yield ['EVENT_DETECTED', 'Event detected.']
  yield ['SUBSCRIPTION_TRIGGERED', 'Subscription Service process started.']
  yield ['OBJECT_SERIALIZED', 'Payload Object Serialized.']
  const { 'payload-filter': filter = '' } = subscription['event-filter']
  if (filter !== '') {
    // XNAT: single quotation marks become double ones here, and only here (performJsonFilter).
    if (!compilePredicate(filter.replaceAll("'", '"'))(object)) {
      yield ['OBJECT_FILTER_MISMATCH_HALT', 'Event objected failed filter test.']
      return
    }
    yield ['OBJECT_FILTERED', 'Event objected passed filter test.']
  }
  const fault = faultIn(xnat, subscription)
  if (fault !== undefined) {
    yield ['FAILED', `Invalid subscription.\n${fault}`]
    return
  }
  yield ['RESOLVING_ATTRIBUTES', 'Resolving subscription event/action attributes.']
  if (subscription['action-key'].startsWith(containerAction)) {
    yield ['ACTION_CALLED', 'Event passed to Action Provider: Container Service']
    // Container Service: said even when the launch that follows fails (CommandActionProvider.java).
    yield ['ACTION_STEP', 'Container queued.']
  } else {
    yield ['ACTION_CALLED', 'Event passed to Action Provider: Logging Action']
    yield ['ACTION_STEP', 'Filterable Event Payload Type: XnatModelObject']
    yield ['ACTION_COMPLETE', 'Logging action completed successfully.']
  }
}
