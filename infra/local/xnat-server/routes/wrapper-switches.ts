// Enabling wrappers, for the site and per project (C:rest/CommandConfigurationRestApi.java).
import { requireManager, requireProjectRight } from '../containers/access.ts'
import { isEnabledForSite, isSwitchedOn, wrappersOf } from '../containers/wrappers.ts'
import type { Exchange, Methods } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import { bareReply, pathNumber, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'

const byId = '/wrappers/{WRAPPER_ID}'
const byName = '/commands/{ID}/wrappers/{NAME}'
const site: Methods = { GET: showSiteSwitch, PUT: (exchange) => setSiteSwitch(exchange, true) }
const project: Methods = { GET: showProjectSwitch, PUT: (exchange) => setProjectSwitch(exchange, true) }

export const wrapperSwitchXapiRoutes = [byId, byName].flatMap((wrapper) => [
  xapiRoute(`${wrapper}/enabled`, site),
  xapiRoute(`${wrapper}/disabled`, { PUT: (exchange) => setSiteSwitch(exchange, false) }),
  xapiRoute(`/projects/{PROJECT_ID}${wrapper}/enabled`, project),
  xapiRoute(`/projects/{PROJECT_ID}${wrapper}/disabled`, { PUT: (exchange) => setProjectSwitch(exchange, false) }),
])
export const wrapperProjectXapiRoutes = [xapiRoute(`${byId}/projects`, { GET: listProjects })]

function showSiteSwitch(exchange: Exchange): Reply {
  requireManager(exchange)
  return xapiJson(isEnabledForSite(exchange.xnat, wrapperOf(exchange)))
}

function setSiteSwitch(exchange: Exchange, enabled: boolean): Reply {
  requireManager(exchange)
  exchange.xnat.state.containers.switches.put({ wrapperId: wrapperOf(exchange), enabled })
  return bareReply(200)
}

function showProjectSwitch(exchange: Exchange): Reply {
  const projectId = requireProjectRight(exchange, 'edit')
  const wrapperId = wrapperOf(exchange)
  return xapiJson({
    'enabled-for-site': isEnabledForSite(exchange.xnat, wrapperId),
    'enabled-for-project': isSwitchedOn(exchange.xnat, wrapperId, projectId),
    project: projectId,
  })
}

function setProjectSwitch(exchange: Exchange, enabled: boolean): Reply {
  const projectId = requireProjectRight(exchange, 'delete')
  exchange.xnat.state.containers.switches.put({ projectId, wrapperId: wrapperOf(exchange), enabled })
  return bareReply(200)
}

function listProjects(exchange: Exchange): Reply {
  requireManager(exchange)
  const wrapperId = pathNumber(exchange, 'WRAPPER_ID')
  const on = exchange.xnat.state.containers.switches
    .all()
    .filter((each) => each.wrapperId === wrapperId && each.enabled)
  return xapiJson(on.flatMap(({ projectId }) => projectId ?? []))
}

// Container Service: an ID is not looked up, a name is; a name of digits may be an ID.
function wrapperOf(exchange: Exchange): number {
  const { params, xnat } = exchange
  if (params['WRAPPER_ID'] !== undefined) return pathNumber(exchange, 'WRAPPER_ID')
  const id = pathNumber(exchange, 'ID')
  const name = params['NAME'] ?? ''
  const command = xnat.state.containers.commands.get(String(id))
  if (command === undefined) throw xapiFailure(404, `No command with id ${id}`)
  const wrapper = wrappersOf(xnat, command).find(({ id: own, body }) => body.name === name || String(own) === name)
  if (wrapper === undefined) throw xapiFailure(404, `Command ${id} has no wrapper ${name}`)
  return wrapper.id
}
