// The Container Service's commands (3.6 and 3.7): where they may run, and running one.
import * as z from 'zod'
import { type CallOptions, jsonBody } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'

const WrapperReply = z.object({ id: z.number(), name: z.string(), contexts: z.array(z.string()).optional() })
const CommandReply = z
  .object({
    id: z.number(),
    name: z.string(),
    image: z.string().optional(),
    version: z.string().optional(),
    xnat: z.array(WrapperReply).optional(),
  })
  .transform(({ id, xnat, ...command }) => ({
    commandId: id,
    ...command,
    /** The ways XNAT can run it. Their IDs are what subscriptions and launches name. */
    wrappers: (xnat ?? []).map(({ id: wrapperId, name, contexts }) => ({ wrapperId, name, contexts: contexts ?? [] })),
  }))
export type Command = z.infer<typeof CommandReply>

/** The commands the account can see; `image` must be equal to the stored one, tag included. */
export async function listCommands(
  client: XnatClient,
  { image, ...options }: CallOptions & { image?: string } = {},
): Promise<Command[]> {
  return client.json(z.array(CommandReply), {
    method: 'GET',
    path: xnatPath`/xapi/commands`,
    query: { image },
    ...options,
  })
}

export interface WrapperRef {
  commandId: number
  wrapperName: string
}

/**
 * Enables a wrapper for a project; without a project, for the site. It runs in a project only when enabled for both.
 *
 * @throws {XnatError} XNAT_FORBIDDEN, XNAT_NOT_FOUND
 */
export async function enableWrapper(
  client: XnatClient,
  { commandId, wrapperName, projectId }: WrapperRef & { projectId?: string },
  options: CallOptions = {},
): Promise<void> {
  // By name: by ID XNAT does not look whether there is such a wrapper (C:services/ContainerConfigService.java).
  const place = projectId === undefined ? xnatPath`/xapi` : xnatPath`/xapi/projects/${projectId}`
  const path = xnatPath`${place}/commands/${commandId}/wrappers/${wrapperName}/enabled`
  await client.send({ method: 'PUT', path, ...options })
}

const WrapperState = z
  .object({ 'enabled-for-site': z.boolean(), 'enabled-for-project': z.boolean() })
  .transform((state) => ({ forSite: state['enabled-for-site'], forProject: state['enabled-for-project'] }))

/** Whether a wrapper is enabled, for the site and for the project: it runs when both are so. */
export async function wrapperState(
  client: XnatClient,
  { commandId, wrapperName, projectId }: WrapperRef & { projectId: string },
  options: CallOptions = {},
): Promise<z.infer<typeof WrapperState>> {
  const path = xnatPath`/xapi/projects/${projectId}/commands/${commandId}/wrappers/${wrapperName}/enabled`
  return client.json(WrapperState, { method: 'GET', path, ...options })
}

const AvailableWrapper = z
  .object({ 'command-id': z.number(), 'wrapper-id': z.number(), 'wrapper-name': z.string(), enabled: z.boolean() })
  .transform((summary) => ({
    commandId: summary['command-id'],
    wrapperId: summary['wrapper-id'],
    wrapperName: summary['wrapper-name'],
    isEnabled: summary.enabled,
  }))
export type AvailableWrapper = z.infer<typeof AvailableWrapper>

/**
 * The wrappers that take objects of this data type, and whether each is enabled for the site.
 *
 * @throws {XnatError} XNAT_REFUSED for a type the site does not have.
 */
export async function listSiteWrappers(
  client: XnatClient,
  xsiType: string,
  options: CallOptions = {},
): Promise<AvailableWrapper[]> {
  const path = xnatPath`/xapi/commands/available/site`
  return client.json(z.array(AvailableWrapper), { method: 'GET', path, query: { xsiType }, ...options })
}

const ContainerHost = z.object({ ping: z.boolean() })

/** Whether XNAT reaches what runs its containers; `undefined` when none was named. */
export async function findContainerHost(
  client: XnatClient,
  options: CallOptions = {},
): Promise<{ isReachable: boolean } | undefined> {
  // Container Service: asks the host before it answers (C:services/impl/DockerServiceImpl.java getServer).
  const call = { method: 'GET', path: xnatPath`/xapi/docker/server`, isSlow: true, ...options } as const
  const host = await client.find(ContainerHost, call)
  return host && { isReachable: host.ping }
}

const LaunchReport = z
  .object({ status: z.string(), 'workflow-id': z.union([z.string(), z.number()]).optional() })
  .transform((report) => ({ status: report.status, workflowId: report['workflow-id']?.toString() }))

export interface Launch {
  projectId: string
  wrapperId: number
  /** The wrapper's external input, such as `session`. */
  rootElement: string
  /** Values of inputs; that of the root is an archive address: `/archive/experiments/XNAT_E00001`. */
  inputs: Readonly<Record<string, string>>
}

/** Queues a command. What fails later fails in its workflow, not here. */
export async function launchCommand(
  client: XnatClient,
  { projectId, wrapperId, rootElement, inputs }: Launch,
  options: CallOptions = {},
): Promise<z.infer<typeof LaunchReport>> {
  const path = xnatPath`/xapi/projects/${projectId}/wrappers/${wrapperId}/root/${rootElement}/launch`
  return client.json(LaunchReport, { method: 'POST', path, body: jsonBody(inputs), ...options })
}
