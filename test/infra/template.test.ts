// Holds the packaged CloudFormation to its rules, whatever functions, queues and buckets there come to be.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { templateFaults } from '../../infra/check-template.ts'
import { authorizeRoutes } from '../../infra/deployment/authorize-routes.ts'
import { readSettings } from '../../infra/deployment/settings.ts'
import { functionsOf, queuesOf, type Resource, resourcesOf, type Template } from '../../infra/deployment/template.ts'
import { resolve } from '../../infra/local/run-functions/resolve-service.ts'
import { loadConfig, variableNames } from '../../lib/config.ts'
import { type PackagedService, packagedService } from '../support/packaged-service.ts'

let service: PackagedService
let template: Template
/** With everything that a parameter can switch on. */
let extended: Template
beforeAll(async () => {
  service = await packagedService()
  template = await service.template()
  extended = await service.template(
    'alarm-email=night@example.org',
    'authorizer=jwt',
    'jwt-issuer=https://id.example.org/',
    'jwt-audience=a,b',
    'vpc-subnets=subnet-1,subnet-2',
    'vpc-security-groups=sg-1',
    'batch-window-seconds=300',
  )
}, 120_000)
afterAll(() => service.remove())

const Statement = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
  Resource: z.json().transform((given) => (Array.isArray(given) ? given : [given]).map((one) => JSON.stringify(one))),
})
const Policies = z.array(z.object({ PolicyDocument: z.object({ Statement: z.array(Statement) }) }))

const resource = (id: string): Resource => {
  const found = template.Resources[id]
  if (found === undefined) throw new Error(`there is no ${id}`)
  return found
}
const statementsOf = (role: string) =>
  Policies.parse(resource(role).Properties['Policies']).flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
const arnOf = (id: string) => JSON.stringify({ 'Fn::GetAtt': [id, 'Arn'] })

/** What breaks a rule, by name: an empty list is the rule kept by all. */
const breaches = <T>(all: readonly T[], isKept: (one: T) => boolean, name: (one: T) => string) => {
  expect(all).not.toEqual([])
  return all.filter((one) => !isKept(one)).map(name)
}

const sources = (given = template) =>
  resourcesOf(given, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => {
    const at = (name: string) =>
      z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).parse(Properties[name])['Fn::GetAtt'][0]
    const id = at('FunctionName').replace(/LambdaFunction$/, '')
    const fn = functionsOf(given).find((each) => each.id === id)
    const queue = queuesOf(given).find(({ logicalId }) => logicalId === at('EventSourceArn'))
    if (fn === undefined || queue === undefined) throw new Error('an event source without its ends')
    return { fn, queue, Properties }
  })

const alarms = () =>
  resourcesOf(template, 'AWS::CloudWatch::Alarm').map(([id, { Properties }]) => ({
    id,
    metric: String(Properties['MetricName']),
    description: String(Properties['AlarmDescription']),
    dimensions: JSON.stringify(Properties['Dimensions'] ?? []),
    actions: Properties['AlarmActions'],
  }))
const watches = (metric: string, dimension: unknown) =>
  alarms().some((alarm) => alarm.metric === metric && alarm.dimensions.includes(JSON.stringify(dimension)))

describe('each queue', () => {
  const named = ({ logicalId }: { logicalId: string }) => logicalId
  const working = () => queuesOf(template).filter(({ isDeadLetters }) => !isDeadLetters)

  it('has its own dead letters, which are of its kind and kept no shorter', () => {
    const letters = working().map(({ deadLetters }) => deadLetters)
    expect(new Set(letters).size).toBe(letters.length)
    const isKept = ({ logicalId, deadLetters = '' }: ReturnType<typeof queuesOf>[number]) => {
      const [own, other] = [resource(logicalId).Properties, resource(deadLetters).Properties]
      const days = (properties: Resource['Properties']) => Number(properties['MessageRetentionPeriod'])
      return own['FifoQueue'] === other['FifoQueue'] && days(other) >= days(own)
    }
    expect(breaches(working(), isKept, named)).toEqual([])
  })

  it('with groups works on as many at a time as there are, and drops doubles within a group', () => {
    const grouped = working().filter(({ logicalId }) => resource(logicalId).Properties['FifoQueue'] === true)
    const isKept = ({ logicalId }: { logicalId: string }) => {
      const { FifoThroughputLimit, DeduplicationScope } = resource(logicalId).Properties
      return FifoThroughputLimit === 'perMessageGroupId' && DeduplicationScope === 'messageGroup'
    }
    expect(breaches(grouped, isKept, named)).toEqual([])
  })

  it('takes messages from the one bucket that it hears of, of this account, and from nobody else', () => {
    const policies = resourcesOf(template, 'AWS::SQS::QueuePolicy').map(([, { Properties }]) => Properties)
    const notifying = resourcesOf(template, 'AWS::S3::Bucket').filter(
      ([, { Properties }]) => 'NotificationConfiguration' in Properties,
    )
    expect(notifying.map(([id]) => id)).toEqual(['IncomingBucket'])
    expect(policies).toMatchObject([
      {
        Queues: [{ Ref: 'UploadsQueue' }],
        PolicyDocument: {
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 's3.amazonaws.com' },
              Action: 'sqs:SendMessage',
              Resource: { 'Fn::GetAtt': ['UploadsQueue', 'Arn'] },
              Condition: {
                ArnEquals: {
                  'aws:SourceArn': {
                    'Fn::Sub': `arn:\${AWS::Partition}:s3:::xnat-conduit-dev-incoming-\${AWS::AccountId}`,
                  },
                },
                StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
              },
            },
          ],
        },
      },
    ])
    expect(resource('IncomingBucket').Properties['BucketName']).toEqual({
      'Fn::Sub': `xnat-conduit-dev-incoming-\${AWS::AccountId}`,
    })
  })

  it('is encrypted', () => {
    const isKept = ({ logicalId }: { logicalId: string }) =>
      resource(logicalId).Properties['SqsManagedSseEnabled'] === true
    expect(breaches(queuesOf(template), isKept, named)).toEqual([])
  })

  it('wakes somebody when a message waits too long, or lies among its dead letters', () => {
    const isKept = ({ logicalId, isDeadLetters }: ReturnType<typeof queuesOf>[number]) =>
      watches(isDeadLetters ? 'ApproximateNumberOfMessagesVisible' : 'ApproximateAgeOfOldestMessage', {
        'Fn::GetAtt': [logicalId, 'QueueName'],
      })
    expect(breaches(queuesOf(template), isKept, named)).toEqual([])
  })

  // Lambda developer guide, "Configuring a queue to use with Lambda".
  it('feeds one function, and hides what that has for six times its time and the batch window at least', () => {
    expect(
      sources()
        .map(({ queue }) => queue.logicalId)
        .toSorted(),
    ).toEqual(working().map(named).toSorted())
    const isKept = ({ fn, queue, Properties }: ReturnType<typeof sources>[number]) =>
      queue.visibilitySeconds >= 6 * fn.timeoutSeconds + Number(Properties['MaximumBatchingWindowInSeconds'] ?? 0)
    expect(breaches(sources(), isKept, ({ queue }) => queue.logicalId)).toEqual([])
    expect(breaches(sources(extended), isKept, ({ queue }) => queue.logicalId)).toEqual([])
  })

  it('feeds so many runs at a time as XNAT takes, and hears of single messages that failed', () => {
    const isKept = ({ Properties }: ReturnType<typeof sources>[number]) =>
      JSON.stringify(Properties['FunctionResponseTypes']) === '["ReportBatchItemFailures"]' &&
      z.object({ MaximumConcurrency: z.number() }).safeParse(Properties['ScalingConfig']).success
    expect(breaches(sources(), isKept, ({ queue }) => queue.logicalId)).toEqual([])
  })
})

describe('each bucket', () => {
  const buckets = () => resourcesOf(template, 'AWS::S3::Bucket')

  it('is shut to the public, and encrypted', () => {
    const shut = { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true }
    const isKept = ([, { Properties }]: [string, Resource]) =>
      z.object(mapValues(shut, (value) => z.literal(value))).safeParse(Properties['PublicAccessBlockConfiguration'])
        .success && Properties['BucketEncryption'] !== undefined
    expect(breaches(buckets(), isKept, ([id]) => id)).toEqual([])
  })

  it('refuses what does not come over TLS, whoever asks for whatever', () => {
    const Refusal = z.object({
      Effect: z.literal('Deny'),
      Principal: z.literal('*'),
      Action: z.literal('s3:*'),
      Resource: z.array(z.json()).length(2),
      Condition: z.object({
        Bool: z.object({ 'aws:SecureTransport': z.union([z.literal('false'), z.literal(false)]) }),
      }),
    })
    const Policy = z.object({
      Bucket: z.object({ Ref: z.string() }),
      PolicyDocument: z.object({ Statement: z.array(Refusal).min(1) }),
    })
    const guarded = resourcesOf(template, 'AWS::S3::BucketPolicy').map(
      ([, { Properties }]) => Policy.parse(Properties).Bucket.Ref,
    )
    expect(guarded.toSorted()).toEqual(
      buckets()
        .map(([id]) => id)
        .toSorted(),
    )
  })

  it('outlives the stack, when it is ours', () => {
    const own = buckets().filter(([id]) => id !== 'ServerlessDeploymentBucket')
    const isKept = ([, bucket]: [string, Resource]) =>
      bucket['DeletionPolicy'] === 'Retain' && bucket['UpdateReplacePolicy'] === 'Retain'
    expect(breaches(own, isKept, ([id]) => id)).toEqual([])
  })

  it('ends by a rule what nobody would miss', () => {
    const Rules = z.object({ Rules: z.array(z.looseObject({ Id: z.string(), Status: z.literal('Enabled') })) })
    const rules = buckets().flatMap(([id, { Properties }]) =>
      id === 'ServerlessDeploymentBucket'
        ? []
        : Rules.parse(Properties['LifecycleConfiguration']).Rules.map(({ Id }) => `${id}: ${Id}`),
    )
    expect(rules.toSorted()).toEqual([
      'ImagesBucket: downloaded',
      'ImagesBucket: unfinished-downloads',
      'IncomingBucket: delivered',
      'IncomingBucket: unfinished-uploads',
      'StateBucket: downloads',
      'StateBucket: exports',
      'StateBucket: overwritten',
      'StateBucket: receipts',
      'StateBucket: uploads',
    ])
  })

  it('with our own records keeps what was written over', () => {
    expect(resource('StateBucket').Properties['VersioningConfiguration']).toEqual({ Status: 'Enabled' })
  })
})

describe('each function', () => {
  const functions = () => functionsOf(template)
  const named = ({ id }: { id: string }) => id

  it('runs on the current Node and on arm64, and carries its service and stage as tags', () => {
    const isKept = ({ id }: { id: string }) => {
      const { Runtime, Architectures, Tags } = resource(`${id}LambdaFunction`).Properties
      const tags = z.array(z.object({ Key: z.string(), Value: z.string() })).parse(Tags)
      const tagged = Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]))
      return (
        Runtime === `nodejs${process.versions.node.split('.')[0]}.x` &&
        JSON.stringify(Architectures) === '["arm64"]' &&
        tagged['service'] === 'xnat-conduit' &&
        tagged['stage'] === 'dev'
      )
    }
    expect(breaches(functions(), isKept, named)).toEqual([])
  })

  it('has a role of its own', () => {
    expect(new Set(functions().map(({ role }) => role)).size).toBe(functions().length)
    expect(
      resourcesOf(template, 'AWS::IAM::Role')
        .map(([id]) => id)
        .toSorted(),
    ).toEqual(
      functions()
        .map(({ role }) => role)
        .toSorted(),
    )
  })

  it('may do nothing to everything, but for traces, which X-Ray gives no narrower', () => {
    const isKept = ({ role }: { role: string }) =>
      statementsOf(role).every(
        ({ Effect, Action, Resource }) =>
          Effect === 'Allow' &&
          Action.every((action) => !action.includes('*')) &&
          (!Resource.some((arn) => arn === '"*"' || arn.startsWith('"arn:')) ||
            Action.every((action) => action.startsWith('xray:'))),
      )
    expect(breaches(functions(), isKept, named)).toEqual([])
  })

  it('names buckets, queues and secrets whole; what it leaves open is the key of an object or the suffix of a secret', () => {
    const open = functions()
      .flatMap(({ role }) => statementsOf(role))
      .flatMap(({ Resource }) => Resource)
    const wild = [...new Set(open.filter((arn) => /[*?]/.test(arn) && arn !== '"*"'))]
    const isKept = (arn: string) =>
      /^\{"Fn::Sub":"\$\{\w+Bucket\.Arn\}\/[\w/-]*\*"\}$/.test(arn) ||
      /:secret:[\w-]+\/[\w-]+\/[\w-]+-\?{6}"\}$/.test(arn)
    expect(breaches(wild, isKept, (arn) => arn)).toEqual([])
  })

  it('writes to its own log alone, which ends, and is traced', () => {
    const isKept = ({ id, role }: { id: string; role: string }) => {
      const logs = statementsOf(role).filter(({ Action }) => Action.some((action) => action.startsWith('logs:')))
      const traces = statementsOf(role).flatMap(({ Action }) => Action.filter((action) => action.startsWith('xray:')))
      return (
        JSON.stringify(logs.flatMap(({ Resource }) => Resource)) === JSON.stringify([arnOf(`${id}LogGroup`)]) &&
        Number(resource(`${id}LogGroup`).Properties['RetentionInDays']) > 0 &&
        JSON.stringify(resource(`${id}LambdaFunction`).Properties['TracingConfig']) === '{"Mode":"Active"}' &&
        traces.includes('xray:PutTraceSegments')
      )
    }
    expect(breaches(functions(), isKept, named)).toEqual([])
  })

  it('that a queue feeds may take messages from that queue, and no other may, but to redrive dead letters', () => {
    const takes = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']
    const isKept = ({ fn, queue }: ReturnType<typeof sources>[number]) =>
      takes.every((action) =>
        statementsOf(fn.role).some(
          ({ Action, Resource }) => Action.includes(action) && Resource.includes(arnOf(queue.logicalId)),
        ),
      )
    expect(breaches(sources(), isKept, ({ fn }) => fn.id)).toEqual([])

    const others = functions().filter(({ id }) => !sources().some(({ fn }) => fn.id === id))
    const taken = others.flatMap(({ role }) =>
      statementsOf(role).flatMap(({ Action, Resource }) => (Action.includes('sqs:ReceiveMessage') ? Resource : [])),
    )
    const deadLetters = queuesOf(template).flatMap(({ logicalId, isDeadLetters }) => (isDeadLetters ? [logicalId] : []))
    expect(taken.toSorted()).toEqual(deadLetters.map(arnOf).toSorted())
  })

  it('is given the variables that the settings read, no others, and all that they want', () => {
    const local = resolve(inject('service'), {
      region: 'eu-central-1',
      sqsUrl: 'http://127.0.0.1:9',
      environment: { XNAT_URL: 'https://xnat.example.org' },
    })
    expect(local.functions.map(({ name }) => name.toLowerCase()).toSorted()).toEqual(
      functions()
        .map(({ id }) => id.toLowerCase())
        .toSorted(),
    )
    // These are Node's own and the C library's.
    const ofTheProcess = ['NODE_OPTIONS', 'MALLOC_ARENA_MAX']
    const unknown = local.functions.flatMap(({ name, environment }) =>
      Object.keys(environment)
        .filter((variable) => ![...variableNames, ...ofTheProcess].includes(variable))
        .map((variable) => `${name}: ${variable}`),
    )
    expect(unknown).toEqual([])
    for (const { environment } of local.functions) expect(() => loadConfig(environment)).not.toThrow()
  })

  it('is given no secret, only where it is stored', () => {
    expect(JSON.stringify(template)).not.toMatch(/resolve:secretsmanager|resolve:ssm-secure/)
    const secret = ['XNAT_SERVICE_PASSWORD', 'TRUST_INTERNAL_SERVICE_KEY', 'AES_KEY_BASE64']
    const isKept = ({ id }: { id: string }) =>
      secret.every((name) => !JSON.stringify(resource(`${id}LambdaFunction`).Properties['Environment']).includes(name))
    expect(breaches(functions(), isKept, named)).toEqual([])
  })

  it('wakes somebody when it is throttled or dies', () => {
    const isKept = ({ name }: { name: string }) => ['Throttles', 'Errors'].every((metric) => watches(metric, name))
    expect(breaches(functions(), isKept, named)).toEqual([])
  })

  it('behind the API ends before API Gateway gives up on it', () => {
    const integrated = JSON.stringify(resourcesOf(template, 'AWS::ApiGatewayV2::Integration'))
    const behind = functions().filter(({ id }) => integrated.includes(`"${id}LambdaFunction"`))
    // API Gateway: an HTTP API waits 30 seconds at most.
    expect(breaches(behind, ({ timeoutSeconds }) => timeoutSeconds < 30, named)).toEqual([])
  })
})

describe('each alarm', () => {
  it('is told to the topic, and to an address when one is given', () => {
    const told = JSON.stringify([{ Ref: 'AlarmsTopic' }])
    expect(
      breaches(
        alarms(),
        ({ actions }) => JSON.stringify(actions) === told,
        ({ id }) => id,
      ),
    ).toEqual([])
    expect(resource('AlarmsTopic').Properties).not.toHaveProperty('Subscription')
    expect(extended.Resources['AlarmsTopic']?.Properties['Subscription']).toEqual([
      { Protocol: 'email', Endpoint: 'night@example.org' },
    ])
  })

  it('is explained in the runbook', () => {
    const runbook = readFileSync(join(import.meta.dirname, '../../infra/README.md'), 'utf8')
    const headings = [...runbook.matchAll(/^### (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase())
    const isKept = ({ description }: { description: string }) =>
      headings.includes(/Runbook: (.+)$/.exec(description)?.[1]?.toLowerCase() ?? '')
    expect(breaches(alarms(), isKept, ({ id, description }) => `${id}: ${description}`)).toEqual([])
  })

  it('is on the dashboard, which shows every queue and function', () => {
    const { DashboardBody } = z
      .object({ DashboardBody: z.object({ 'Fn::Sub': z.string() }) })
      .parse(resource('Dashboard').Properties)
    const shown = JSON.stringify(JSON.parse(DashboardBody['Fn::Sub']))
    const wanted = [
      ...alarms().map(({ id }) => `\${${id}.Arn}`),
      ...queuesOf(template).map(({ name }) => `"${name}"`),
      ...functionsOf(template).map(({ name }) => `"${name}"`),
    ]
    expect(
      breaches(
        wanted,
        (text) => shown.includes(text),
        (text) => text,
      ),
    ).toEqual([])
  })
})

describe('the API', () => {
  const routes = (given: Template) =>
    resourcesOf(given, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => ({
      key: String(Properties['RouteKey']),
      authorization: Properties['AuthorizationType'],
      authorizer: Properties['AuthorizerId'],
    }))

  it('is throttled, and its log holds neither query nor path', () => {
    const { DefaultRouteSettings, AccessLogSettings } = z
      .object({
        DefaultRouteSettings: z.object({ ThrottlingRateLimit: z.number(), ThrottlingBurstLimit: z.number() }),
        AccessLogSettings: z.object({ Format: z.string() }),
      })
      .parse(resource('HttpApiStage').Properties)
    expect(DefaultRouteSettings.ThrottlingRateLimit).toBeGreaterThan(0)
    const logged = Object.values(z.record(z.string(), z.string()).parse(JSON.parse(AccessLogSettings.Format)))
    expect(logged).toContain('$context.routeKey')
    expect(logged.filter((field) => /path|query|header|protocol|authorizer/i.test(field))).toEqual([])
  })

  it('is open to API Gateway unless an authorizer is asked for, which then guards all but /health', () => {
    expect(
      routes(template).filter(({ authorization }) => authorization !== 'NONE' && authorization !== undefined),
    ).toEqual([])
    const iam = authorizeRoutes(template, { kind: 'iam' })
    const isHealth = ({ key }: { key: string }) => key.startsWith('GET /health')
    for (const [given, type] of [
      [extended, 'JWT'],
      [iam, 'AWS_IAM'],
    ] as const) {
      const shut = routes(given).filter((route) => !isHealth(route))
      expect(
        breaches(
          shut,
          ({ authorization }) => authorization === type,
          ({ key }) => key,
        ),
      ).toEqual([])
      expect(
        breaches(
          routes(given).filter(isHealth),
          ({ authorization }) => authorization !== type,
          ({ key }) => key,
        ),
      ).toEqual([])
    }
    expect(extended.Resources['HttpApiAuthorizer']?.Properties['JwtConfiguration']).toEqual({
      Issuer: 'https://id.example.org/',
      Audience: ['a', 'b'],
    })
  }, 60_000)
})

describe('the stack', () => {
  it('is what CloudFormation takes, with and without all that parameters can switch on', () => {
    expect(templateFaults(template)).toEqual([])
    expect(templateFaults(extended)).toEqual([])
    expect(Object.keys(extended.Resources).length).toBeGreaterThan(Object.keys(template.Resources).length)
  })

  it('sweeps by the clock', () => {
    expect(resourcesOf(template, 'AWS::Events::Rule').map(([, { Properties }]) => Properties)).toMatchObject([
      {
        ScheduleExpression: 'rate(5 minutes)',
        State: 'ENABLED',
        Targets: [{ Arn: { 'Fn::GetAtt': ['SweepImportsLambdaFunction', 'Arn'] } }],
      },
    ])
  })

  it('says where the API and the buckets are, and where alarms are told', () => {
    const outputs = z.record(z.string(), z.json()).parse(template['Outputs'])
    const wanted = ['AlarmsTopicArn', 'HttpApiUrl', 'ImagesBucketName', 'IncomingBucketName', 'StateBucketName']
    expect(Object.keys(outputs)).toEqual(expect.arrayContaining(wanted))
  })
})

describe('in a VPC', () => {
  it('every function lies in its subnets and may make its network interfaces', () => {
    const VpcConfig = { SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] }
    const isKept = ({ id, role }: { id: string; role: string }) =>
      JSON.stringify(extended.Resources[`${id}LambdaFunction`]?.Properties['VpcConfig']) ===
        JSON.stringify(VpcConfig) &&
      JSON.stringify(extended.Resources[role]?.Properties['ManagedPolicyArns']).includes(
        'AWSLambdaVPCAccessExecutionRole',
      )
    expect(breaches(functionsOf(extended), isKept, ({ id }) => id)).toEqual([])
    expect(JSON.stringify(template)).not.toContain('VpcConfig')
  })
})

describe('the parameters of a deployment', () => {
  const none = {
    metricsNamespace: 'n',
    alarmEmail: '',
    queueAgeLimit: 1,
    unverifiedLimit: '2',
    stalledLimit: 3,
    authorizer: { kind: 'none' },
    vpc: { subnets: '', securityGroups: '' },
  }

  it.each([
    [
      'an authorizer without an issuer',
      { authorizer: { kind: 'jwt', issuer: '', audience: 'a' } },
      /authorizer\.issuer/,
    ],
    [
      'an authorizer for nobody',
      { authorizer: { kind: 'jwt', issuer: 'https://x', audience: '' } },
      /authorizer\.audience/,
    ],
    ['an authorizer of an unknown kind', { authorizer: { kind: 'password' } }, /authorizer/],
    ['subnets without a security group', { vpc: { subnets: 'subnet-1', securityGroups: '' } }, /go together/],
    ['a limit that is no number', { stalledLimit: 'many' }, /stalledLimit/],
  ])('are refused with %s', (_, given, words) => {
    expect(() => readSettings(none)).not.toThrow()
    expect(() => readSettings({ ...none, ...given })).toThrow(words)
  })
})

function mapValues<Value, Result>(
  record: Record<string, Value>,
  map: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))
}
