// The service's queues and buckets under their local names, URLs and ARNs.

import * as z from 'zod'
import { type References, resolveTemplate, resolveText, type Templates } from './intrinsics.ts'
import type { ResourceModel, ServiceModel } from './service-model.ts'

export const LOCAL_ACCOUNT_ID = '000000000000'

export interface ResourceLocals {
  region: string
  /** Where SQS listens, without a trailing slash. */
  sqsUrl: string
}

export interface LocalQueue {
  logicalId: string
  name: string
  url: string
  arn: string
  fifo: boolean
  visibilityTimeoutSeconds: number
  /** As CreateQueue takes them; references resolved. */
  attributes: Record<string, string>
  /** The queue that messages go to after `maxReceiveCount`. */
  deadLetterQueueName: string | undefined
}

export interface BucketNotification {
  /** Such as `s3:ObjectCreated:*`. */
  event: string
  prefix: string
  suffix: string
  queue: LocalQueue
}

export interface LocalBucket {
  logicalId: string
  name: string
  notifications: BucketNotification[]
}

export interface LocalResources {
  queues: LocalQueue[]
  buckets: LocalBucket[]
  /** For whatever else in the service refers to them. */
  references: References
}

/**
 * What must be there before a function runs.
 *
 * @throws naming the place when a reference cannot stand for anything local.
 */
export function resolveResources(model: ServiceModel, locals: ResourceLocals): LocalResources {
  const names = resourceNames(model, locals)
  const references = localReferences(model, locals, names)
  const queues = model.queues.map((queue) => localQueue(queue, nameOf(names, queue), references, locals))
  const buckets = model.buckets.map((bucket) => localBucket(bucket, nameOf(names, bucket), queues, references))
  return { queues, buckets, references }
}

/** Names first, since everything else may refer to them. They may use pseudo parameters but not each other. */
function resourceNames(model: ServiceModel, locals: ResourceLocals): Map<string, string> {
  const pseudo: References = { ref: (name) => pseudoParameter(name, model, locals), getAtt: () => undefined }
  const names = new Map<string, string>()
  for (const { logicalId, properties } of model.queues) {
    const suffix = isFifo(properties) ? '.fifo' : ''
    const name = properties['QueueName'] ?? `${model.name}-${model.stage}-${logicalId}${suffix}`
    names.set(logicalId, resolveText(name, `${logicalId}.QueueName`, pseudo))
  }
  for (const { logicalId, properties } of model.buckets) {
    const name = properties['BucketName'] ?? `${model.name}-${model.stage}-${logicalId}`.toLowerCase()
    names.set(logicalId, resolveText(name, `${logicalId}.BucketName`, pseudo))
  }
  return names
}

function nameOf(names: ReadonlyMap<string, string>, { logicalId }: ResourceModel): string {
  return names.get(logicalId) ?? logicalId
}

function isFifo(properties: Templates): boolean {
  return String(properties['FifoQueue']) === 'true'
}

function localReferences(model: ServiceModel, locals: ResourceLocals, names: ReadonlyMap<string, string>): References {
  const queueIds = new Set(model.queues.map((queue) => queue.logicalId))
  return {
    ref(id) {
      const name = names.get(id)
      if (name === undefined) return pseudoParameter(id, model, locals)
      return queueIds.has(id) ? queueUrl(name, locals) : name
    },
    getAtt(id, attribute) {
      const name = names.get(id)
      if (name === undefined) return undefined
      if (!queueIds.has(id)) return attribute === 'Arn' ? `arn:aws:s3:::${name}` : undefined
      const attributes = new Map([
        ['Arn', queueArn(name, locals)],
        ['QueueName', name],
        ['QueueUrl', queueUrl(name, locals)],
      ])
      return attributes.get(attribute)
    },
  }
}

function pseudoParameter(name: string, model: ServiceModel, locals: ResourceLocals): string | undefined {
  const values = new Map([
    ['AWS::AccountId', LOCAL_ACCOUNT_ID],
    ['AWS::Partition', 'aws'],
    ['AWS::Region', locals.region],
    ['AWS::StackName', `${model.name}-${model.stage}`],
    ['AWS::URLSuffix', 'amazonaws.com'],
  ])
  const parameter = z.union([z.string(), z.number()]).safeParse(model.parameters[name])
  return values.get(name) ?? (parameter.success ? String(parameter.data) : undefined)
}

function queueUrl(name: string, { sqsUrl }: ResourceLocals): string {
  return `${sqsUrl}/${LOCAL_ACCOUNT_ID}/${name}`
}

function queueArn(name: string, { region }: ResourceLocals): string {
  return `arn:aws:sqs:${region}:${LOCAL_ACCOUNT_ID}:${name}`
}

// What changes how a queue behaves. Encryption, access and tags have no meaning here.
const QUEUE_ATTRIBUTES = [
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'DelaySeconds',
  'FifoQueue',
  'FifoThroughputLimit',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'VisibilityTimeout',
]

// SQS: what a queue has that says nothing.
const DEFAULT_VISIBILITY_SECONDS = 30

const RedrivePolicy = z.object({ deadLetterTargetArn: z.string() })

function localQueue(
  { logicalId, properties }: ResourceModel,
  name: string,
  references: References,
  locals: ResourceLocals,
) {
  const attributes: Record<string, string> = {}
  for (const key of QUEUE_ATTRIBUTES) {
    const property = properties[key]
    if (property === undefined) continue
    const value = resolveTemplate(property, `${logicalId}.${key}`, references)
    attributes[key] = typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
  const redrive = attributes['RedrivePolicy']
  const deadLetterArn = redrive === undefined ? undefined : RedrivePolicy.parse(JSON.parse(redrive)).deadLetterTargetArn
  const queue: LocalQueue = {
    logicalId,
    name,
    url: queueUrl(name, locals),
    arn: queueArn(name, locals),
    fifo: isFifo(properties),
    visibilityTimeoutSeconds: Number(attributes['VisibilityTimeout'] ?? DEFAULT_VISIBILITY_SECONDS),
    attributes,
    deadLetterQueueName: deadLetterArn?.split(':').at(-1),
  }
  return queue
}

const Notifications = z.object({
  QueueConfigurations: z
    .array(
      z.object({
        Event: z.string(),
        Queue: z.string(),
        Filter: z
          .object({ S3Key: z.object({ Rules: z.array(z.object({ Name: z.string(), Value: z.string() })) }) })
          .optional(),
      }),
    )
    .default([]),
})

function localBucket(
  { logicalId, properties }: ResourceModel,
  name: string,
  queues: LocalQueue[],
  references: References,
): LocalBucket {
  const where = `${logicalId}.NotificationConfiguration`
  const resolved = resolveTemplate(properties['NotificationConfiguration'] ?? {}, where, references)
  const notifications = Notifications.parse(resolved).QueueConfigurations.map(({ Event, Queue, Filter }) => {
    const rules = new Map(Filter?.S3Key.Rules.map((rule) => [rule.Name.toLowerCase(), rule.Value]))
    const prefix = rules.get('prefix') ?? ''
    return { event: Event, prefix, suffix: rules.get('suffix') ?? '', queue: queueByArn(queues, Queue, where) }
  })
  return { logicalId, name, notifications }
}

/** @throws naming `where` when no queue of the service has this ARN. */
export function queueByArn(queues: LocalQueue[], arn: string, where: string): LocalQueue {
  const queue = queues.find((candidate) => candidate.arn === arn)
  if (queue === undefined) throw new Error(`${where}: no queue of this service has the ARN ${arn}`)
  return queue
}
