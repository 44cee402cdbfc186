// The CloudFormation template as osls has made it, as far as it is looked at here.
import * as z from 'zod'

const Properties = z.record(z.string(), z.json())

const Resource = z.looseObject({ Type: z.string(), Properties: Properties.default({}) })
export type Resource = z.infer<typeof Resource>

const Template = z.looseObject({ Resources: z.record(z.string(), Resource) })
export type Template = z.infer<typeof Template>

/** As it will be written: osls leaves `undefined` in places. */
export const readTemplate = (given: unknown): Template => Template.parse(JSON.parse(JSON.stringify(given)))

/** Resources of one type with their logical ids, in the order of the template. */
export const resourcesOf = (template: Template, type: string): [logicalId: string, resource: Resource][] =>
  Object.entries(template.Resources).filter(([, resource]) => resource.Type === type)

const Arn = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }).transform((arn) => arn['Fn::GetAtt'][0])
const Queue = z.object({
  QueueName: z.string(),
  VisibilityTimeout: z.coerce.number().default(30),
  RedrivePolicy: z.object({ deadLetterTargetArn: Arn, maxReceiveCount: z.coerce.number() }).optional(),
})

export interface QueueResource {
  logicalId: string
  name: string
  visibilitySeconds: number
  /** The logical id of its dead-letter queue. */
  deadLetters: string | undefined
  isDeadLetters: boolean
}

export function queuesOf(template: Template): QueueResource[] {
  const queues = resourcesOf(template, 'AWS::SQS::Queue').map(([logicalId, { Properties }]) => {
    const { QueueName, VisibilityTimeout, RedrivePolicy } = Queue.parse(Properties)
    const deadLetters = RedrivePolicy?.deadLetterTargetArn
    return { logicalId, name: QueueName, visibilitySeconds: VisibilityTimeout, deadLetters }
  })
  const targets = new Set(queues.map(({ deadLetters }) => deadLetters))
  return queues.map((queue) => ({ ...queue, isDeadLetters: targets.has(queue.logicalId) }))
}

const LambdaFunction = z.looseObject({
  FunctionName: z.string(),
  Role: Arn,
  Timeout: z.number(),
  MemorySize: z.number(),
})

export interface FunctionResource {
  /** In serverless.yml's spelling, with a capital: `DeliverFiles`. */
  id: string
  name: string
  /** The logical id of its role. */
  role: string
  timeoutSeconds: number
}

export const functionsOf = (template: Template): FunctionResource[] =>
  resourcesOf(template, 'AWS::Lambda::Function').map(([logicalId, { Properties }]) => {
    const { FunctionName, Role, Timeout } = LambdaFunction.parse(Properties)
    return { id: logicalId.replace(/LambdaFunction$/, ''), name: FunctionName, role: Role, timeoutSeconds: Timeout }
  })
