import type { Xnat } from '../exchange.ts'
import { type Command, type CommandBody, switchKey, type Wrapper, type WrapperBody } from './command.ts'

type State = Pick<Xnat, 'state'>

export function wrappersOf({ state }: State, command: Command): Wrapper[] {
  return state.containers.wrappers.group(String(command.id))
}

/** IDs that came with a command are dropped; it gets its own (C:rest/CommandRestApi.java createCommand). */
export function addCommand(xnat: State, { xnat: wrappers, ...body }: CommandBody & { xnat?: WrapperBody[] }): Command {
  const { containers } = xnat.state
  const { id: _id, ...kept } = body
  const command = containers.commands.put({ id: xnat.state.next('command'), body: kept })
  for (const wrapper of wrappers ?? []) addWrapper(xnat, command.id, wrapper)
  return command
}

export function addWrapper({ state }: State, commandId: number, { id: _id, ...body }: WrapperBody): Wrapper {
  return state.containers.wrappers.put({ id: state.next('wrapper'), commandId, body })
}

export function deleteCommand(xnat: State, command: Command): void {
  for (const { id } of wrappersOf(xnat, command)) xnat.state.containers.wrappers.delete(String(id))
  xnat.state.containers.commands.delete(String(command.id))
}

export function isEnabledForSite({ state }: State, wrapperId: number): boolean {
  return state.containers.switches.get(switchKey({ wrapperId }))?.enabled ?? false
}

/** A project's own switch does nothing as long as the site's is off (C:services/ContainerConfigService.java). */
export function isEnabledForProject(xnat: State, wrapperId: number, projectId: string): boolean {
  return isEnabledForSite(xnat, wrapperId) && isSwitchedOn(xnat, wrapperId, projectId)
}

export function isSwitchedOn({ state }: State, wrapperId: number, projectId: string): boolean {
  return state.containers.switches.get(switchKey({ projectId, wrapperId }))?.enabled ?? false
}

// XNAT: whatever type a context stands for, wrappers for it take all that are derived from it (CommandSummaryForContext).
export function fitsContext(contexts: readonly string[], xsiType: string): boolean {
  return contexts.some((context) => {
    if (context === xsiType) return true
    if (context === 'xnat:imageSessionData') return /^xnat:\w+SessionData$/.test(xsiType)
    if (context === 'xnat:imageScanData') return /^xnat:\w+ScanData$/.test(xsiType)
    return context === 'xnat:experimentData' && /^xnat:\w+SessionData$/.test(xsiType)
  })
}

export function commandJson(xnat: State, command: Command) {
  const { body, id } = command
  const wrappers = wrappersOf(xnat, command).map((wrapper) => ({ id: wrapper.id, ...wrapper.body }))
  return { id, visibility: 'public', ...body, xnat: wrappers }
}
