// The service with local values in the place of CloudFormation references: what runs here, and with which settings.

import type { FunctionEvent, HttpApiEvent, ScheduleEvent, SqsEvent } from './function-events.ts'
import { type Grant, grantsOf } from './grants.ts'
import { resolveText } from './intrinsics.ts'
import {
  type LocalBucket,
  type LocalQueue,
  type LocalResources,
  queueByArn,
  type ResourceLocals,
  resolveResources,
} from './resolve-resources.ts'
import type { FunctionModel, ServiceModel } from './service-model.ts'

export type { LocalBucket, LocalQueue }

export interface Locals extends ResourceLocals {
  /** Given to every function as they are; what the service says under these names is not even looked at. */
  environment?: Readonly<Record<string, string>>
}

export type LocalSqsEvent = Omit<SqsEvent, 'queueArn'> & { queue: LocalQueue }
export type LocalEvent = HttpApiEvent | LocalSqsEvent | ScheduleEvent

export interface LocalFunction extends Omit<FunctionModel, 'environment' | 'events' | 'role'> {
  /** What its role allows; absent without a role. */
  grants: Grant[] | undefined
  environment: Record<string, string>
  events: LocalEvent[]
}

export interface LocalService {
  functions: LocalFunction[]
  queues: LocalQueue[]
  buckets: LocalBucket[]
}

/** @throws naming the place when a reference cannot stand for anything local. */
export function resolve(model: ServiceModel, locals: Locals): LocalService {
  const resources = resolveResources(model, locals)
  const functions = model.functions.map((fn) => localFunction(fn, model, resources, locals))
  return { functions, queues: resources.queues, buckets: resources.buckets }
}

function localFunction(
  fn: FunctionModel,
  model: ServiceModel,
  resources: LocalResources,
  locals: Locals,
): LocalFunction {
  const overrides = locals.environment ?? {}
  const environment: Record<string, string> = {}
  for (const [key, template] of Object.entries({ ...model.environment, ...fn.environment })) {
    if (key in overrides) continue
    environment[key] = resolveText(template, `Function ${fn.name}, environment ${key}`, resources.references)
  }
  const { role: roleId, ...rest } = fn
  const role = model.roles.find(({ logicalId }) => logicalId === roleId)
  if (roleId !== undefined && role === undefined) throw new Error(`Function ${fn.name}: there is no role ${roleId}`)
  return {
    ...rest,
    grants: role && grantsOf(role, resources.references),
    environment: { ...environment, ...overrides },
    events: fn.events.map((event) => localEvent(event, fn, resources)),
  }
}

function localEvent(event: FunctionEvent, fn: FunctionModel, { queues, references }: LocalResources): LocalEvent {
  if (event.kind !== 'sqs') return event
  const { queueArn, ...rest } = event
  const where = `Function ${fn.name}, sqs event`
  const queue = queueByArn(queues, resolveText(queueArn, where, references), where)
  // Lambda: all three are refused at deployment (CreateEventSourceMapping).
  if (queue.fifo && (rest.batchSize > 10 || rest.batchingWindowSeconds > 0)) {
    throw new Error(`${where}: a FIFO queue takes a batchSize of at most 10 and no maximumBatchingWindow`)
  }
  if (queue.visibilityTimeoutSeconds < fn.timeoutSeconds) {
    const { visibilityTimeoutSeconds, logicalId } = queue
    throw new Error(
      `${where}: the visibility timeout of ${logicalId}, ${visibilityTimeoutSeconds} s, is less than the function's ` +
        `timeout, ${fn.timeoutSeconds} s`,
    )
  }
  return { ...rest, queue }
}
