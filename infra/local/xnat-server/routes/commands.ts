// Commands and their wrappers (C:rest/CommandRestApi.java).
import * as z from 'zod'
import { isContainerManager, requireManagerInside } from '../containers/access.ts'
import { type Command, CommandBody, type Wrapper, WrapperBody } from '../containers/command.ts'
import {
  addCommand,
  addWrapper,
  commandJson,
  deleteCommand,
  fitsContext,
  isEnabledForProject,
  isEnabledForSite,
  isSwitchedOn,
  wrappersOf,
} from '../containers/wrappers.ts'
import type { Exchange } from '../exchange.ts'
import type { HttpFailure } from '../http-failure.ts'
import { canReadProject } from '../permissions.ts'
import type { Reply } from '../reply.ts'
import { bareReply, forbidden, pathNumber, readJson, requireUser, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'
import { isKnownType } from '../xsi-types.ts'

export const commandXapiRoutes = [
  xapiRoute('/commands', { GET: listCommands, POST: createCommand }),
  xapiRoute('/commands/available', { GET: (exchange) => listAvailable(exchange, exchange.query.get('project')) }),
  xapiRoute('/commands/available/site', { GET: listAvailableForSite }),
  xapiRoute('/projects/{PROJECT_ID}/commands/available', {
    GET: (exchange) => listAvailable(exchange, exchange.params['PROJECT_ID']),
  }),
  xapiRoute('/commands/{ID}', { GET: showCommand, POST: updateCommand, DELETE: removeCommand }),
  xapiRoute('/commands/{ID}/wrappers', { POST: createWrapper }),
  xapiRoute('/commands/{ID}/wrappers/{WRAPPER_ID}', { POST: updateWrapper }),
  xapiRoute('/wrappers/{WRAPPER_ID}', { DELETE: removeWrapper }),
]

const NewCommand = CommandBody.extend({ xnat: z.array(WrapperBody).exactOptional() })

function listCommands(exchange: Exchange): Reply {
  requireUser(exchange)
  const { query, xnat } = exchange
  const [image, name, version] = ['image', 'name', 'version'].map((key) => query.get(key))
  if (version !== undefined && name === undefined) {
    throw xapiFailure(400, 'Bad request:\nIf "version" is specified, must specify "name" as well.')
  }
  const isWanted = ({ body }: Command) =>
    (image === undefined || body.image === image) &&
    (name === undefined || body.name === name) &&
    (version === undefined || body.version === version)
  const isOn = (command: Command) => wrappersOf(xnat, command).some(({ id }) => isEnabledForSite(xnat, id))
  const found = xnat.state.containers.commands
    .all()
    .filter(isWanted)
    .filter((command) => !query.isTrue('restrictToEnabledForSite') || isOn(command))
  return xapiJson(found.filter((command) => isVisible(exchange, command)).map((each) => commandJson(xnat, each)))
}

function showCommand(exchange: Exchange): Reply {
  requireUser(exchange)
  const command = requireCommand(exchange)
  return isVisible(exchange, command) ? xapiJson(commandJson(exchange.xnat, command)) : bareReply(200)
}

async function createCommand(exchange: Exchange): Promise<Reply> {
  requireManagerInside(exchange)
  const { xnat, query } = exchange
  const sent = await readJson(exchange, NewCommand)
  const image = sent.image ?? query.get('image')
  const body = { ...sent, ...(image !== undefined && { image }) }
  requireValid(body)
  const twin = xnat.state.containers.commands.find(
    (command) => command.body.name === body.name && command.body.version === body.version,
  )
  if (twin !== undefined) {
    throw xapiFailure(400, `Bad request:\nCommand ${body.name} version ${body.version ?? ''} already exists.`)
  }
  return xapiJson(addCommand(xnat, body).id, 201)
}

async function updateCommand(exchange: Exchange): Promise<Reply> {
  requireManagerInside(exchange)
  const { xnat: _wrappers, ...body } = await readJson(exchange, NewCommand)
  const command = requireCommand(exchange)
  requireValid({ ...command.body, ...body })
  exchange.xnat.state.containers.commands.put({ ...command, body: { ...command.body, ...body } })
  return bareReply(200)
}

/** Deleting what is not there is no failure. */
function removeCommand(exchange: Exchange): Reply {
  requireManagerInside(exchange)
  const command = exchange.xnat.state.containers.commands.get(String(pathNumber(exchange, 'ID')))
  if (command !== undefined) deleteCommand(exchange.xnat, command)
  return bareReply(204)
}

async function createWrapper(exchange: Exchange): Promise<Reply> {
  requireManagerInside(exchange)
  const body = await readJson(exchange, WrapperBody)
  const command = requireCommand(exchange)
  requireNamed(body.name, 'wrapper')
  return xapiJson(addWrapper(exchange.xnat, command.id, body).id, 201)
}

async function updateWrapper(exchange: Exchange): Promise<Reply> {
  requireManagerInside(exchange)
  const { id: _id, ...body } = await readJson(exchange, WrapperBody)
  const wrapper = requireWrapper(exchange)
  exchange.xnat.state.containers.wrappers.put({ ...wrapper, body: { ...wrapper.body, ...body } })
  return bareReply(200)
}

function removeWrapper(exchange: Exchange): Reply {
  requireManagerInside(exchange)
  exchange.xnat.state.containers.wrappers.delete(String(requireWrapper(exchange).id))
  return bareReply(204)
}

function listAvailable(exchange: Exchange, projectId: string | undefined): Reply {
  const { xnat, user } = exchange
  const project = xnat.state.projects.get(projectId ?? '')
  if (project === undefined || !canReadProject(user, project)) throw forbidden()
  return xapiJson(summaries(exchange, project.projectId))
}

function listAvailableForSite(exchange: Exchange): Reply {
  requireUser(exchange)
  const projects = exchange.query.get('projects')?.split(',')
  if (projects === undefined) return xapiJson(summaries(exchange))
  // Container Service: those that are alike in all of them, and all of the next project's where none was left.
  const lists = projects.map((project) => summaries(exchange, project.trim()))
  return xapiJson(lists.reduce((common, list) => (common.length === 0 ? list : common.filter(isAmong(list))), []))
}

type Summary = ReturnType<typeof summaries>[number]

const isAmong = (list: readonly Summary[]) => (one: Summary) =>
  list.some((other) => JSON.stringify(other) === JSON.stringify(one))

/**
 * What takes the type that is asked for, enabled or not. Without a project, for the site, where a wrapper may do without
 * input (C:services/impl/CommandServiceImpl.java available).
 */
function summaries({ query, xnat }: Exchange, projectId?: string) {
  const xsiType = query.get('xsiType') ?? ''
  if (!/^xnat:(project|subject)Data$/.test(xsiType) && !isKnownType(xsiType)) {
    throw xapiFailure(400, `Bad XSI Type. Element not found: '${xsiType}'`)
  }
  return xnat.state.containers.commands.all().flatMap((command) =>
    wrappersOf(xnat, command)
      .filter(({ body }) => fitsContext(body.contexts, xsiType))
      .filter(({ body }) => projectId === undefined || body['external-inputs'].length > 0)
      .map((wrapper) => ({
        'command-id': command.id,
        'command-name': command.body.name,
        'command-label': command.body.label,
        'command-description': command.body.description,
        'wrapper-id': wrapper.id,
        'wrapper-name': wrapper.body.name,
        'wrapper-label': wrapper.body.label,
        'wrapper-description': wrapper.body.description,
        'wrapper-contexts': wrapper.body.contexts,
        'image-name': command.body.image,
        'image-type': command.body.type,
        enabled:
          projectId === undefined
            ? isEnabledForSite(xnat, wrapper.id)
            : isEnabledForProject(xnat, wrapper.id, projectId),
        'root-element-name': wrapper.body['external-inputs'][0]?.name ?? '',
      })),
  )
}

// Container Service: private commands are seen where one of their wrappers is enabled in a project one can read.
function isVisible({ xnat, user }: Exchange, command: Command): boolean {
  if (isContainerManager(user) || command.body.visibility !== 'private') return true
  const readable = xnat.state.projects.all().filter((project) => canReadProject(user, project))
  return wrappersOf(xnat, command).some(({ id }) => readable.some(({ projectId }) => isSwitchedOn(xnat, id, projectId)))
}

function requireValid({ name, image }: CommandBody): void {
  requireNamed(name, 'command')
  if (image === undefined || image.trim() === '') throw invalid('image name cannot be blank.')
}

function requireNamed(name: string | undefined, what: 'command' | 'wrapper'): void {
  if (name === undefined || name.trim() === '') throw invalid(`${what} name cannot be blank.`)
}

function invalid(fault: string): HttpFailure {
  return xapiFailure(400, `Invalid command:\n\t${fault}`)
}

function requireCommand(exchange: Exchange): Command {
  const id = pathNumber(exchange, 'ID')
  const command = exchange.xnat.state.containers.commands.get(String(id))
  if (command === undefined) throw xapiFailure(404, `Could not find entity with ID ${id}`)
  return command
}

function requireWrapper(exchange: Exchange): Wrapper {
  const id = pathNumber(exchange, 'WRAPPER_ID')
  const wrapper = exchange.xnat.state.containers.wrappers.get(String(id))
  if (wrapper === undefined) throw xapiFailure(404, `Could not find entity with ID ${id}`)
  return wrapper
}
