// Whether a subscription could work (E:services/impl/EventSubscriptionEntityServiceImpl.java validate).
import { isEnabledForProject, isEnabledForSite } from '../containers/wrappers.ts'
import type { Xnat } from '../exchange.ts'
import { findEventType, unregisteredTypes } from './event-types.ts'
import { compilePredicate, PredicateError } from './predicate.ts'
import type { EventFilter, Subscription } from './records.ts'

export const containerAction = 'org.nrg.containers.services.CommandActionProvider'
export const loggingAction = 'org.nrg.xnat.eventservice.actions.EventServiceLoggingAction'

type Checked = Pick<Subscription, 'action-key' | 'event-filter' | 'subscription-owner'>

/** What is wrong with it, in XNAT's words and order; undefined when nothing is. */
export function faultIn(xnat: Xnat, subscription: Checked): string | undefined {
  const { 'event-filter': filter, 'subscription-owner': owner } = subscription
  if (xnat.state.users.get(owner) === undefined) return `Could not load Subscription Owner for userID: ${owner}`
  return eventFault(filter) ?? filterFault(filter) ?? cronFault(filter) ?? actionFault(xnat, subscription)
}

// XNAT: of its sentence only the class name is left, because + binds before the question mark.
function eventFault({ 'event-type': type }: EventFilter): string | undefined {
  if (unregisteredTypes.has(type)) return 'Could not compile jsonPath filter. null'
  return findEventType(type) === undefined ? type : undefined
}

function filterFault({ 'payload-filter': filter = '' }: EventFilter): string | undefined {
  if (filter === '') return undefined
  if (filter.startsWith('$') || filter.includes('$[?')) {
    const reason = 'Payload JsonPath filter contains $ or $[?. Filter string should include only predicate path.'
    return `Could not compile jsonPath filter. "${reason}"`
  }
  const fault = predicateFault(filter)
  return fault === undefined ? undefined : `Could not compile jsonPath filter. ${fault}`
}

/** What is wrong with a predicate; undefined when nothing is. */
export function predicateFault(source: string): string | undefined {
  try {
    compilePredicate(source)
    return undefined
  } catch (error) {
    if (error instanceof PredicateError) return error.message
    throw error
  }
}

function cronFault({ schedule = '', status }: EventFilter): string | undefined {
  if (schedule === '' || status !== 'CRON') return undefined
  const fields = schedule.split(' ')
  if (fields.length !== 6) {
    return `Invalid Cron Expression. Invalid cron expression. Expected 6 fields but found: ${fields.length}`
  }
  const isFixed = (field: string | undefined) => field !== undefined && !/[*/,-]/.test(field)
  if (isFixed(fields[0]) && isFixed(fields[1])) return undefined
  return 'Invalid Cron Expression. Cron expression must not have a wildcard(*), range(-), step value(/), or list(,) in the second or minute field.'
}

function actionFault(xnat: Xnat, { 'action-key': key, 'event-filter': filter }: Checked): string | undefined {
  const [provider, id = ''] = key.split(':')
  const fault = (detail: string) => `Could not validate Action: ${key}\n${detail}`
  if (provider === loggingAction) return undefined
  if (provider !== containerAction) return fault(`Could not load Action Provider for key:${key}`)
  const projects = filter['project-ids'] ?? []
  const wrapperId = Number(id)
  const isThere = xnat.state.containers.wrappers.get(id) !== undefined
  const isOn =
    projects.length === 0
      ? isEnabledForSite(xnat, wrapperId)
      : projects.every((projectId) => isEnabledForProject(xnat, wrapperId, projectId))
  return isThere && isOn ? undefined : fault(key)
}
