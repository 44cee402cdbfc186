// Subscriptions of the Event Service, for the site and per project (E:rest/EventServiceRestApi.java).
import type { EventFilter, Subscription } from '../events/records.ts'
import {
  newSubscription,
  ProjectSubscriptionCreation,
  SubscriptionCreation,
  SubscriptionUpdate,
  saveSubscription,
  withUpdate,
} from '../events/subscription-changes.ts'
import { faultIn, predicateFault } from '../events/validation.ts'
import type { Exchange, Methods } from '../exchange.ts'
import { canUseData, groupIn, isAdmin } from '../permissions.ts'
import type { User } from '../records.ts'
import { type Reply, textReply } from '../reply.ts'
import {
  bareReply,
  forbidden,
  pathNumber,
  readJson,
  requestFailure,
  requireAdmin,
  requireUser,
  xapiFailure,
  xapiJson,
  xapiRoute,
} from '../xapi.ts'

const one: Methods = { GET: showSubscription, PUT: changeSubscription, DELETE: deleteSubscription }

export const eventSubscriptionXapiRoutes = ['', '/projects/{PROJECT_ID}'].flatMap((place) => [
  xapiRoute(`${place}/events/subscription`, { POST: createSubscription }),
  xapiRoute(`${place}/events/subscriptions`, { GET: listSubscriptions }),
  xapiRoute(`${place}/events/subscription/{ID}`, one),
  xapiRoute(`${place}/events/subscription/{ID}/activate`, { POST: (exchange) => switchTo(exchange, true) }),
  xapiRoute(`${place}/events/subscription/{ID}/deactivate`, { POST: (exchange) => switchTo(exchange, false) }),
])
export const eventFilterXapiRoutes = [xapiRoute('/events/subscription/filter/validate', { POST: validateFilter })]

async function createSubscription(exchange: Exchange): Promise<Reply> {
  const { user, projectId } = requireAccess(exchange)
  const schema = projectId === undefined ? SubscriptionCreation : ProjectSubscriptionCreation
  const wanted = newSubscription(exchange.xnat, await readJson(exchange, schema), user.username)
  if (projectId !== undefined) requireOwner(wanted, user, projectId)
  requireOn(exchange)
  requireValid(exchange, wanted)
  const { name, id } = saveSubscription(exchange.xnat, wanted)
  return { ...textReply(`${name}:${id}`), status: 201 }
}

function listSubscriptions(exchange: Exchange): Reply {
  const { projectId } = requireAccess(exchange)
  const { events } = exchange.xnat.state
  // XNAT: while the service is off there is no list, which only the project's route cannot bear.
  if (!events.isEnabled) {
    if (projectId !== undefined) throw requestFailure(500, 'null')
    return bareReply(200)
  }
  const shown = events.subscriptions.all().filter(({ 'event-filter': filter }) => concerns(filter, projectId))
  return xapiJson(shown.map((subscription) => subscriptionJson(exchange, subscription)))
}

function showSubscription(exchange: Exchange): Reply {
  const { user, projectId } = requireAccess(exchange)
  requireOn(exchange)
  const subscription = requireSubscription(exchange)
  if (!concerns(subscription['event-filter'], projectId)) {
    throw unauthorized(`${user.username} not authorized to read subscriptions for other projects`)
  }
  return xapiJson(subscriptionJson(exchange, subscription))
}

// XNAT: rights are asked for the projects it had, not for those it gets (updateSubscription).
async function changeSubscription(exchange: Exchange): Promise<Reply> {
  const { user, projectId } = requireAccess(exchange)
  const update = await readJson(exchange, SubscriptionUpdate)
  requireOn(exchange)
  const present = requireSubscription(exchange)
  if (projectId !== undefined) requireOwner(present, user, projectId)
  const changed = withUpdate(present, update)
  requireValid(exchange, changed)
  saveSubscription(exchange.xnat, changed)
  return bareReply(200)
}

function deleteSubscription(exchange: Exchange): Reply {
  const { user, projectId } = requireAccess(exchange)
  requireOn(exchange)
  const present = requireSubscription(exchange)
  if (projectId !== undefined) requireOwner(present, user, projectId)
  exchange.xnat.state.events.subscriptions.delete(String(present.id))
  return bareReply(204)
}

// XNAT: the site's switch works while the service is off; the project's looks the subscription up first, which does not.
function switchTo(exchange: Exchange, active: boolean): Reply {
  const { user, projectId } = requireAccess(exchange)
  if (projectId !== undefined) requireOn(exchange)
  const present = requireSubscription(exchange)
  if (projectId !== undefined) requireOwner(present, user, projectId)
  saveSubscription(exchange.xnat, { ...present, active })
  return bareReply(200)
}

async function validateFilter(exchange: Exchange): Promise<Reply> {
  requireUser(exchange)
  let source = ''
  for await (const chunk of exchange.request) source += chunk
  const fault = predicateFault(source)
  if (fault !== undefined) throw xapiFailure(424, `JsonPath format failed to validate.\n${fault}`)
  return bareReply(200)
}

/** Administrators for the site; whoever may delete in the project for a project. */
export function requireAccess(exchange: Exchange): { user: User; projectId: string | undefined } {
  const projectId = exchange.params['PROJECT_ID']
  if (projectId === undefined) return { user: requireAdmin(exchange), projectId }
  const user = requireUser(exchange)
  const project = exchange.xnat.state.projects.get(projectId)
  const mayDelete = project !== undefined && canUseData(user, 'delete', project)
  if (!mayDelete && !isAdmin(user)) throw forbidden()
  return { user, projectId }
}

function requireOn({ xnat }: Exchange): void {
  if (!xnat.state.events.isEnabled) throw requestFailure(405, 'Event Service disabled.')
}

function requireSubscription(exchange: Exchange): Subscription {
  const id = pathNumber(exchange, 'ID')
  const subscription = exchange.xnat.state.events.subscriptions.get(String(id))
  if (subscription === undefined) throw requestFailure(404, `Could not find entity with ID ${id}`)
  return subscription
}

function requireOwner({ 'event-filter': filter }: Subscription, user: User, projectId: string): void {
  const projects = filter['project-ids'] ?? []
  const isOwner = isAdmin(user) || projects.every((each) => groupIn(user, each) === 'owner')
  if (projects.includes(projectId) && isOwner) return
  const named = projects.length === 0 ? 'Site' : projects.join(',')
  throw unauthorized(`${user.username} not authorized to modify subscriptions for project(s): ${named}`)
}

function requireValid({ xnat }: Exchange, subscription: Subscription): void {
  const fault = faultIn(xnat, subscription)
  if (fault !== undefined) throw xapiFailure(424, `Subscription format failed to validate.\n${fault}`)
}

function unauthorized(message: string) {
  return xapiFailure(401, `Unauthorized.\n${message}`)
}

function concerns(filter: EventFilter, projectId: string | undefined): boolean {
  const projects = filter['project-ids'] ?? []
  return projectId === undefined || projects.length === 0 || projects.includes(projectId)
}

/** XNAT: judged anew whenever it is read. */
function subscriptionJson({ xnat, params }: Exchange, { createdMs, ...subscription }: Subscription) {
  const fault = faultIn(xnat, subscription)
  const projects = subscription['event-filter']['project-ids'] ?? []
  const projectId = params['PROJECT_ID']
  return {
    ...subscription,
    valid: fault === undefined,
    ...(fault !== undefined && { 'validation-message': fault }),
    created: `${new Date(createdMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
    ...(projectId !== undefined && { editable: projects.length === 1 && projects[0] === projectId }),
  }
}
