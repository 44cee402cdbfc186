// The Event Service (1.8): subscriptions that run a command when something happens.
import * as z from 'zod'
import { XnatError } from '../errors.ts'
import { type CallOptions, jsonBody } from './call.ts'
import type { XnatClient } from './client.ts'
import { type XnatPath, xnatPath } from './path.ts'

const EventPrefs = z.object({ enabled: z.boolean() })

/** Whether the Event Service is on. It is off until somebody turns it on, and then no subscription can be made. */
export async function isEventServiceOn(client: XnatClient, options: CallOptions = {}): Promise<boolean> {
  return (await client.json(EventPrefs, { method: 'GET', path: xnatPath`/xapi/events/prefs`, ...options })).enabled
}

/** Turns the Event Service on or off for the whole site. Administrators only. */
export async function setEventServiceOn(
  client: XnatClient,
  enabled: boolean,
  options: CallOptions = {},
): Promise<void> {
  await client.send({ method: 'PUT', path: xnatPath`/xapi/events/prefs`, body: jsonBody({ enabled }), ...options })
}

const eventClasses = 'org.nrg.xnat.eventservice.events.'
const containerAction = 'org.nrg.containers.services.CommandActionProvider:'

export interface SubscriptionDescription {
  projectId: string
  name: string
  event: { type: 'SessionEvent' | 'ScanEvent' | 'SubjectEvent' | 'ResourceEvent'; status: string }
  wrapperId: number
  /** A JsonPath predicate on the event's object: `@.xsiType == "xnat:mrScanData"`. */
  payloadFilter?: string
  /** Further inputs of the command. */
  attributes?: Readonly<Record<string, string>>
  /** Default true. Inactive ones are kept, and fire nothing. */
  isActive?: boolean
}

const SubscriptionReply = z
  .object({
    id: z.number(),
    name: z.string().optional(),
    active: z.boolean().optional(),
    valid: z.boolean().optional(),
    'action-key': z.string(),
    attributes: z.record(z.string(), z.string()).optional(),
    'event-filter': z.object({
      'event-type': z.string(),
      status: z.string().optional(),
      'project-ids': z.array(z.string()).optional(),
      'payload-filter': z.string().optional(),
    }),
  })
  .transform((reply) => ({
    subscriptionId: reply.id,
    name: reply.name,
    isActive: reply.active ?? false,
    /** Judged anew at each reading: false once its wrapper is disabled. */
    isValid: reply.valid ?? true,
    actionKey: reply['action-key'],
    attributes: reply.attributes ?? {},
    eventType: reply['event-filter']['event-type'],
    eventStatus: reply['event-filter'].status,
    /** Empty: the whole site. */
    projectIds: reply['event-filter']['project-ids'] ?? [],
    payloadFilter: reply['event-filter']['payload-filter'],
  }))
export type Subscription = z.infer<typeof SubscriptionReply>

/** The subscriptions that concern a project, those of the whole site included. */
export async function listSubscriptions(
  client: XnatClient,
  { projectId }: { projectId: string },
  options: CallOptions = {},
): Promise<Subscription[]> {
  const path = xnatPath`/xapi/projects/${projectId}/events/subscriptions`
  return client.json(z.array(SubscriptionReply), { method: 'GET', path, ...options })
}

/**
 * Makes XNAT run a command on an event in one project, unless the very same subscription is there and active.
 *
 * @throws {XnatError} XNAT_REFUSED when the Event Service is off, or the wrapper is not enabled for the project.
 */
export async function ensureSubscription(
  client: XnatClient,
  wanted: SubscriptionDescription,
  options: CallOptions = {},
): Promise<{ kind: 'created' | 'already-there'; subscriptionId: number }> {
  // XNAT: while the service is off, listing fails with 500 and creating with 405 (E:rest/EventServiceRestApi.java).
  const path = xnatPath`/xapi/projects/${wanted.projectId}/events/subscription`
  if (!(await isEventServiceOn(client, options))) {
    const detail = 'the Event Service is off'
    throw new XnatError({ code: 'XNAT_REFUSED', method: 'POST', pathTemplate: path.template, detail })
  }
  // XNAT: names need not be unique and equal subscriptions all fire (EventServiceImpl.java), so look first.
  const found = (await listSubscriptions(client, wanted, options)).find(
    (each) => each.isActive && isSameSubscription(each, wanted),
  )
  if (found !== undefined) return { kind: 'already-there', subscriptionId: found.subscriptionId }
  return { kind: 'created', ...(await createSubscription(client, wanted, options)) }
}

/**
 * Makes a subscription, also beside one that is the very same: both then fire.
 *
 * @throws {XnatError} XNAT_REFUSED when the Event Service is off, or the wrapper is not enabled for the project.
 */
export async function createSubscription(
  client: XnatClient,
  wanted: SubscriptionDescription,
  options: CallOptions = {},
): Promise<{ subscriptionId: number }> {
  const path = xnatPath`/xapi/projects/${wanted.projectId}/events/subscription`
  const body = jsonBody({
    name: wanted.name,
    active: wanted.isActive ?? true,
    'action-key': `${containerAction}${wanted.wrapperId}`,
    attributes: wanted.attributes ?? {},
    'event-filter': {
      'event-type': `${eventClasses}${wanted.event.type}`,
      status: wanted.event.status,
      'project-ids': [wanted.projectId],
      'payload-filter': wanted.payloadFilter,
    },
  })
  const text = await client.text({ method: 'POST', path, body, ...options })
  return { subscriptionId: idAfterName(text, path) }
}

/** Whether a subscription does what is wanted, active or not, under whatever name. */
export function isSameSubscription(found: Subscription, wanted: SubscriptionDescription): boolean {
  const { projectId, event, wrapperId, payloadFilter, attributes } = wanted
  return (
    found.actionKey === `${containerAction}${wrapperId}` &&
    found.eventType === `${eventClasses}${event.type}` &&
    found.eventStatus === event.status &&
    found.projectIds.length === 1 &&
    found.projectIds[0] === projectId &&
    (found.payloadFilter ?? '') === (payloadFilter ?? '') &&
    sorted(found.attributes) === sorted(attributes ?? {})
  )
}

function sorted(attributes: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1)))
}

// XNAT: the answer is "name:id", and a name may hold colons (E:rest/EventServiceRestApi.java).
function idAfterName(text: string, path: XnatPath): number {
  const id = /:(\d+)$/.exec(text)?.[1]
  if (id === undefined) {
    throw new XnatError({ code: 'XNAT_UNEXPECTED_REPLY', method: 'POST', pathTemplate: path.template, status: 201 })
  }
  return Number(id)
}

export async function deleteSubscription(
  client: XnatClient,
  { projectId, subscriptionId }: { projectId: string; subscriptionId: number },
  options: CallOptions = {},
): Promise<{ kind: 'deleted' } | { kind: 'not-there' }> {
  const path = xnatPath`/xapi/projects/${projectId}/events/subscription/${subscriptionId}`
  const { status } = await client.send({ method: 'DELETE', path, accept: [404], ...options })
  return { kind: status === 404 ? 'not-there' : 'deleted' }
}

/** Has a subscription fire, or not. */
export async function setSubscriptionActive(
  client: XnatClient,
  { projectId, subscriptionId, isActive }: { projectId: string; subscriptionId: number; isActive: boolean },
  options: CallOptions = {},
): Promise<void> {
  const subscription = xnatPath`/xapi/projects/${projectId}/events/subscription/${subscriptionId}`
  const path = isActive ? xnatPath`${subscription}/activate` : xnatPath`${subscription}/deactivate`
  await client.send({ method: 'POST', path, idempotent: true, ...options })
}
