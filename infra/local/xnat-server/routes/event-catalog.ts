// Which events and actions there are, and the service's switch (E:rest/EventServiceRestApi.java).

import type { Wrapper } from '../containers/command.ts'
import { fitsContext, isEnabledForProject, isEnabledForSite } from '../containers/wrappers.ts'
import { type EventType, eventTypes, findEventType } from '../events/event-types.ts'
import { EventPreferences } from '../events/records.ts'
import { containerAction, loggingAction } from '../events/validation.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import { bareReply, readJson, requestFailure, requireAdmin, requireUser, xapiJson, xapiRoute } from '../xapi.ts'
import { requireAccess } from './event-subscriptions.ts'

export const eventCatalogXapiRoutes = [
  xapiRoute('/events/prefs', { GET: showPreferences, PUT: setPreferences }),
  xapiRoute('/events/events', { GET: (exchange) => listEvents(exchange, eventTypes) }),
  xapiRoute('/projects/{PROJECT_ID}/events/events', {
    GET: (exchange) =>
      listEvents(
        exchange,
        eventTypes.filter(({ scope }) => scope.includes('PROJECT')),
      ),
  }),
  xapiRoute('/events/event', { GET: showEvent }),
  xapiRoute('/events/actions', { GET: listActions }),
  xapiRoute('/projects/{PROJECT_ID}/events/actions', { GET: listActions }),
  xapiRoute('/events/actionsbyevent', { GET: listActionsByEvent }),
  xapiRoute('/projects/{PROJECT_ID}/events/actionsbyevent', { GET: listActionsByEvent }),
  xapiRoute('/events/allactions', { GET: listAllActions }),
]

function showPreferences(exchange: Exchange): Reply {
  requireUser(exchange)
  return xapiJson({ enabled: exchange.xnat.state.events.isEnabled })
}

async function setPreferences(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  exchange.xnat.state.events.preferences.put(await readJson(exchange, EventPreferences))
  return bareReply(200)
}

function listEvents(exchange: Exchange, events: readonly EventType[]): Reply {
  requireUser(exchange)
  return xapiJson(events.map(eventJson))
}

function showEvent(exchange: Exchange): Reply {
  requireUser(exchange)
  const type = exchange.query.get('event-type') ?? ''
  const event = findEventType(type)
  if (event === undefined) throw requestFailure(500, 'null')
  return xapiJson(eventJson(event))
}

function listActions(exchange: Exchange): Reply {
  const { projectId } = requireAccess(exchange)
  const xsiType = exchange.query.get('xnattype')
  return xapiJson(
    actions(exchange, {
      projects: projectsOf(exchange, projectId),
      xsiTypes: xsiType === undefined ? undefined : [xsiType],
    }),
  )
}

function listActionsByEvent(exchange: Exchange): Reply {
  const { projectId } = requireAccess(exchange)
  const event = findEventType(exchange.query.get('event-type') ?? '')
  if (event === undefined) throw requestFailure(500, 'null')
  return xapiJson(actions(exchange, { projects: projectsOf(exchange, projectId), xsiTypes: xsiTypesOf(event) }))
}

/** Whether they are enabled or not. */
function listAllActions(exchange: Exchange): Reply {
  requireUser(exchange)
  return xapiJson([...exchange.xnat.state.containers.wrappers.all().map(wrapperAction), logAction])
}

function projectsOf({ query }: Exchange, projectId: string | undefined): string[] {
  if (projectId !== undefined) return [projectId]
  const named = query.get('project') ?? ''
  return named === '' ? [] : named.split(',')
}

interface Wanted {
  projects: readonly string[]
  /** undefined: any. */
  xsiTypes: readonly string[] | undefined
}

function actions({ xnat }: Exchange, { projects, xsiTypes }: Wanted) {
  const isOn = ({ id }: Wrapper) =>
    projects.length === 0
      ? isEnabledForSite(xnat, id)
      : projects.every((projectId) => isEnabledForProject(xnat, id, projectId))
  const fits = ({ body }: Wrapper) => xsiTypes?.some((type) => fitsContext(body.contexts, type)) ?? true
  const wrappers = xnat.state.containers.wrappers.all().filter((wrapper) => isOn(wrapper) && fits(wrapper))
  return [...wrappers.map(wrapperAction), logAction]
}

function xsiTypesOf({ displayName }: EventType): string[] {
  const types: Record<string, string[]> = {
    Session: ['xnat:imageSessionData', 'xnat:mrSessionData', 'xnat:ctSessionData', 'xnat:petSessionData'],
    Scan: ['xnat:imageScanData', 'xnat:mrScanData', 'xnat:ctScanData', 'xnat:petScanData'],
    Subject: ['xnat:subjectData'],
    Project: ['xnat:projectData'],
    Resource: ['xnat:resourceCatalog'],
  }
  return types[displayName] ?? []
}

function wrapperAction({ id, body }: Wrapper) {
  return {
    id: String(id),
    'action-key': `${containerAction}:${id}`,
    'display-name': body.name,
    description: body.description,
  }
}

const logAction = {
  id: loggingAction,
  'action-key': `${loggingAction}:${loggingAction}`,
  'display-name': 'Logging Action',
  description: 'Simple action for EventService Event that logs event details.',
  attributes: Object.fromEntries(
    ['param1', 'param2'].map((name) => [
      name,
      {
        description: 'Sample description of attribute.',
        type: 'string',
        'default-value': 'default-value',
        required: false,
      },
    ]),
  ),
}

function eventJson({ type, statuses, displayName, description, isXsiType, scope }: EventType) {
  return {
    type,
    statuses,
    'display-name': displayName,
    description,
    'is-xsi-type': isXsiType,
    'event-scope': scope,
  }
}
