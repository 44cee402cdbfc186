// The triggers a function may have, in the framework's own spellings, checked by the limits AWS sets.

import * as z from 'zod'
import { Template, type Templates } from './intrinsics.ts'

export interface HttpApiEvent {
  kind: 'httpApi'
  /** Upper case, or `ANY`. */
  method: string
  /** A path such as `/projects/{project_id}`, or `$default` for whatever no other route takes. */
  path: string
}

export interface SqsEvent {
  kind: 'sqs'
  queueArn: Template
  batchSize: number
  batchingWindowSeconds: number
  maximumConcurrency: number | undefined
  reportsItemFailures: boolean
  enabled: boolean
}

export interface ScheduleEvent {
  kind: 'schedule'
  everyMs: number
  enabled: boolean
  /** Replaces EventBridge's own event. */
  input: Template | undefined
}

export type FunctionEvent = HttpApiEvent | SqsEvent | ScheduleEvent

// Strict on purpose: an option that is not imitated (an authorizer, a filter) must not be dropped without a word.
const HttpApi = z.union([
  z.literal('*').transform(() => ({ method: 'ANY', path: '*' })),
  z.templateLiteral([z.string(), ' ', z.string()]).transform((route) => {
    const [method = '', path = ''] = route.split(' ')
    return { method, path }
  }),
  z.strictObject({ method: z.string().default('ANY'), path: z.string() }),
])

const Sqs = z.preprocess(
  (config) => (typeof config === 'string' ? { arn: config } : config),
  z
    .strictObject({
      arn: Template,
      batchSize: z.number().default(10),
      maximumBatchingWindow: z.number().default(0),
      maximumConcurrency: z.number().optional(),
      functionResponseType: z.literal('ReportBatchItemFailures').optional(),
      enabled: z.boolean().default(true),
    })
    // Lambda: refused at deployment (CreateEventSourceMapping, BatchSize).
    .refine((sqs) => sqs.batchSize <= 10 || sqs.maximumBatchingWindow >= 1, {
      message: 'a batchSize above 10 needs a maximumBatchingWindow of at least 1',
    }),
)

const Schedule = z.preprocess(
  (config) => (typeof config === 'string' ? { rate: config } : config),
  z.strictObject({
    rate: z.union([z.array(z.string()), z.string().transform((rate) => [rate])]),
    enabled: z.boolean().default(true),
    input: Template.optional(),
    name: Template.optional(),
    description: z.string().optional(),
    method: z.literal('eventBus').optional(),
  }),
)

/** @throws naming the function when an event is of a kind or has an option that is not imitated. */
export function readEvents(functionName: string, events: readonly Templates[]): FunctionEvent[] {
  return events.flatMap((event) =>
    Object.entries(event).flatMap(([kind, config]) => {
      try {
        return readEvent(kind, config)
      } catch (cause) {
        const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)
        throw new Error(`Function ${functionName}: this ${kind} event cannot be run locally: ${reason}`, { cause })
      }
    }),
  )
}

function readEvent(kind: string, config: Template): FunctionEvent[] {
  switch (kind) {
    case 'httpApi': {
      const { method, path } = HttpApi.parse(config)
      if (path === '*') return [{ kind, method: 'ANY', path: '$default' }]
      return [{ kind, method: method === '*' ? 'ANY' : method.toUpperCase(), path }]
    }
    case 'sqs': {
      const { arn, maximumBatchingWindow, functionResponseType, ...rest } = Sqs.parse(config)
      const reportsItemFailures = functionResponseType !== undefined
      const { batchSize, maximumConcurrency, enabled } = rest
      const batchingWindowSeconds = maximumBatchingWindow
      return [
        { kind, queueArn: arn, batchSize, batchingWindowSeconds, maximumConcurrency, reportsItemFailures, enabled },
      ]
    }
    case 'schedule': {
      const { rate, enabled, input } = Schedule.parse(config)
      return rate.map((expression) => ({ kind, everyMs: rateMs(expression), enabled, input }))
    }
    default:
      throw new Error('only httpApi, sqs and schedule are known')
  }
}

const UNIT_MS = new Map([
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
])

function rateMs(expression: string): number {
  const [, count, unit = ''] = /^rate\(([1-9]\d*) (minute|hour|day)s?\)$/.exec(expression) ?? []
  const unitMs = UNIT_MS.get(unit)
  if (unitMs === undefined) {
    throw new Error(`${expression} is not of the form rate(n minutes), rate(n hours) or rate(n days)`)
  }
  return Number(count) * unitMs
}
