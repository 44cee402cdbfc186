// Models of services built by hand, on the handlers in fixtures/service.
import { fileURLToPath } from 'node:url'
import type { FunctionEvent, SqsEvent } from '../../../infra/local/run-functions/function-events.ts'
import type { FunctionModel, ServiceModel } from '../../../infra/local/run-functions/service-model.ts'

export const FIXTURE_SERVICE = fileURLToPath(new URL('./fixtures/service', import.meta.url))
export const REGION = 'eu-central-1'

type QueueProperties = ServiceModel['queues'][number]['properties']

export function functionModel(module: string, settings: Partial<FunctionModel> = {}): FunctionModel {
  const name = module.split('/').at(-1) ?? module
  return {
    name,
    deployedName: `fixture-test-${name}`,
    module,
    exportName: 'handler',
    timeoutSeconds: 6,
    memorySizeMb: 512,
    reservedConcurrency: undefined,
    role: undefined,
    environment: {},
    events: [],
    ...settings,
  }
}

export function route(method: string, path: string): FunctionEvent {
  return { kind: 'httpApi', method, path }
}

export function queueEvent(queue: string, settings: Partial<SqsEvent> = {}): FunctionEvent {
  return {
    kind: 'sqs',
    queueArn: { 'Fn::GetAtt': [queue, 'Arn'] },
    batchSize: 10,
    batchingWindowSeconds: 0,
    maximumConcurrency: 2,
    reportsItemFailures: true,
    enabled: true,
    ...settings,
  }
}

export function serviceModel(functions: FunctionModel[], queues: Record<string, QueueProperties> = {}): ServiceModel {
  return {
    name: 'fixture',
    stage: 'test',
    environment: {},
    functions,
    queues: Object.entries(queues).map(([logicalId, properties]) => ({ logicalId, properties })),
    buckets: [],
    roles: [],
    parameters: {},
  }
}
