// What serverless.yml says, as `osls print` resolves it: the one list of functions, triggers, queues and buckets.
// CloudFormation references are still in it; resolve-service.ts fills them in.

import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import * as z from 'zod'
import { type FunctionEvent, readEvents } from './function-events.ts'
import { Template, Templates } from './intrinsics.ts'

export interface FunctionModel {
  /** The key in serverless.yml. */
  name: string
  /** What AWS calls it: service, stage and name. */
  deployedName: string
  /** `api/health` for the handler `dist/api/health/index.handler`. */
  module: string
  exportName: string
  timeoutSeconds: number
  memorySizeMb: number
  reservedConcurrency: number | undefined
  /** The logical id of its role; absent where the framework makes one. */
  role: string | undefined
  environment: Templates
  events: FunctionEvent[]
}

export interface ResourceModel {
  logicalId: string
  properties: Templates
}

export interface ServiceModel {
  name: string
  stage: string
  /** Applies to every function; a function's own environment wins. */
  environment: Templates
  functions: FunctionModel[]
  queues: ResourceModel[]
  buckets: ResourceModel[]
  roles: ResourceModel[]
  /** Defaults of the CloudFormation parameters. */
  parameters: Templates
}

const FunctionConfig = z.object({
  handler: z.string(),
  name: z.string(),
  timeout: z.number().optional(),
  memorySize: z.number().optional(),
  reservedConcurrency: z.number().optional(),
  role: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }).optional(),
  environment: Templates.optional(),
  events: z.array(Templates).default([]),
})
type FunctionConfig = z.infer<typeof FunctionConfig>

const CloudFormation = z.object({
  Parameters: z.record(z.string(), z.object({ Default: Template.optional() })).default({}),
  Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: Templates.default({}) })).default({}),
})

const ServiceConfig = z.object({
  service: z.string(),
  provider: z.object({
    stage: z.string(),
    timeout: z.number().optional(),
    memorySize: z.number().optional(),
    environment: Templates.default({}),
  }),
  functions: z.record(z.string(), FunctionConfig).default({}),
  // With several files under `resources:` the printed value is a list of documents.
  resources: z.union([z.array(CloudFormation), CloudFormation.transform((document) => [document])]).default([]),
})
type Provider = z.infer<typeof ServiceConfig>['provider']

/**
 * Reads `serverless.yml` in `projectDir` with the same resolver that deploys it.
 *
 * @throws when the file is missing or invalid, or holds an event this runner cannot imitate.
 */
export async function readService(projectDir: string): Promise<ServiceModel> {
  return parseService(JSON.parse(await printService(projectDir)))
}

async function printService(projectDir: string): Promise<string> {
  const osls = createRequire(import.meta.url).resolve('osls/bin/serverless.js')
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [osls, 'print', '--format', 'json'], {
      cwd: projectDir,
      maxBuffer: 16 * 1024 * 1024,
    })
    return stdout
  } catch (cause) {
    const output = z.object({ stderr: z.string(), stdout: z.string() }).safeParse(cause)
    const reason = output.success ? `${output.data.stderr}${output.data.stdout}`.trim() : String(cause)
    throw new Error(`Cannot read serverless.yml in ${projectDir}: ${reason}`, { cause })
  }
}

/** The model behind a printed `serverless.yml`. */
export function parseService(printed: unknown): ServiceModel {
  const parsed = ServiceConfig.safeParse(printed)
  if (!parsed.success) throw new Error(`serverless.yml does not fit: ${z.prettifyError(parsed.error)}`)
  const { service, provider, functions, resources } = parsed.data
  return {
    name: service,
    stage: provider.stage,
    environment: provider.environment,
    functions: Object.entries(functions).map(([name, config]) => functionModel(name, config, provider)),
    queues: resourcesOfType(resources, 'AWS::SQS::Queue'),
    buckets: resourcesOfType(resources, 'AWS::S3::Bucket'),
    roles: resourcesOfType(resources, 'AWS::IAM::Role'),
    parameters: parameterDefaults(resources),
  }
}

function functionModel(name: string, config: FunctionConfig, provider: Provider): FunctionModel {
  const handler = /^dist\/(?<module>.+)\/index\.(?<exportName>\w+)$/.exec(config.handler)?.groups
  if (handler === undefined) {
    throw new Error(`Function ${name}: the handler must look like dist/<module>/index.<export>, not ${config.handler}`)
  }
  const { module = '', exportName = '' } = handler
  return {
    name,
    deployedName: config.name,
    module,
    exportName,
    // The framework's defaults, not Lambda's (osls lib/plugins/aws/package/compile/functions.js).
    timeoutSeconds: config.timeout ?? provider.timeout ?? 6,
    memorySizeMb: config.memorySize ?? provider.memorySize ?? 1024,
    reservedConcurrency: config.reservedConcurrency,
    role: config.role?.['Fn::GetAtt'][0],
    environment: config.environment ?? {},
    events: readEvents(name, config.events),
  }
}

function resourcesOfType(documents: z.infer<typeof CloudFormation>[], type: string): ResourceModel[] {
  return documents
    .flatMap((document) => Object.entries(document.Resources))
    .filter(([, resource]) => resource.Type === type)
    .map(([logicalId, resource]) => ({ logicalId, properties: resource.Properties }))
}

function parameterDefaults(documents: z.infer<typeof CloudFormation>[]): Templates {
  const defaults: Templates = {}
  for (const [name, parameter] of documents.flatMap((document) => Object.entries(document.Parameters))) {
    if (parameter.Default !== undefined) defaults[name] = parameter.Default
  }
  return defaults
}
