import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { resolve } from '../../../infra/local/run-functions/resolve-service.ts'
import { parseService, readService } from '../../../infra/local/run-functions/service-model.ts'
import { FIXTURE_SERVICE, functionModel, queueEvent, serviceModel } from './function-models.ts'

const LOCALS = { region: 'eu-central-1', sqsUrl: 'http://127.0.0.1:4566' }

/** A printed serverless.yml with one function. */
const printed = (fn: object, more: object = {}) => ({
  service: 'fixture',
  provider: { stage: 'test' },
  functions: { worker: { name: 'fixture-test-worker', handler: 'dist/worker/index.handler', ...fn } },
  ...more,
})

const eventOf = (event: object) => parseService(printed({ events: [event] })).functions[0]?.events[0]

describe('serverless.yml', () => {
  it('is read by the framework and filled in with local names', async () => {
    const service = await readService(FIXTURE_SERVICE)
    const { functions, queues, buckets } = resolve(service, LOCALS)
    const [echo, behave, collect] = functions

    expect(echo).toMatchObject({
      name: 'echo',
      deployedName: 'fixture-dev-echo',
      module: 'echo',
      exportName: 'handler',
      timeoutSeconds: 6,
      memorySizeMb: 1024,
      environment: {
        ORDERS_QUEUE_URL: 'http://127.0.0.1:4566/000000000000/fixture-dev-OrdersQueue',
        INCOMING_BUCKET: 'fixture-dev-incomingbucket',
        SECRET: '{{resolve:secretsmanager:fixture:SecretString:password}}',
        ORDERS_QUEUE_NAME: 'fixture-dev-OrdersQueue',
        BUCKET_FILES: 'arn:aws:s3:::fixture-dev-incomingbucket/*',
        ENDPOINT: 'sqs.eu-central-1.amazonaws.com',
        GREETING: expect.stringMatching(/^everyone of fixture-dev, not \$\{who\}$/),
      },
      events: [
        { kind: 'httpApi', method: 'GET', path: '/echo/{id}' },
        { kind: 'httpApi', method: 'POST', path: '/echo' },
        { kind: 'httpApi', method: 'ANY', path: '$default' },
      ],
    })
    expect(behave).toMatchObject({ timeoutSeconds: 2, memorySizeMb: 512 })
    expect(behave?.events).toMatchObject([
      { kind: 'schedule', everyMs: 900_000, enabled: true },
      { kind: 'schedule', everyMs: 86_400_000, enabled: true },
      { kind: 'schedule', everyMs: 3_600_000, enabled: false, input: { why: 'hourly' } },
    ])
    expect(collect).toMatchObject({ module: 'workers/collect', timeoutSeconds: 60 })
    expect(collect?.events).toMatchObject([
      {
        kind: 'sqs',
        queue: { logicalId: 'OrdersQueue' },
        batchSize: 100,
        batchingWindowSeconds: 5,
        maximumConcurrency: 3,
        reportsItemFailures: true,
      },
      { queue: { logicalId: 'LedgerQueue' }, batchSize: 10, batchingWindowSeconds: 0, reportsItemFailures: false },
    ])
    const dead = 'arn:aws:sqs:eu-central-1:000000000000:fixture-dev-orders-dead'
    expect(queues).toEqual([
      {
        logicalId: 'OrdersQueue',
        name: 'fixture-dev-OrdersQueue',
        url: 'http://127.0.0.1:4566/000000000000/fixture-dev-OrdersQueue',
        arn: 'arn:aws:sqs:eu-central-1:000000000000:fixture-dev-OrdersQueue',
        fifo: false,
        visibilityTimeoutSeconds: 360,
        attributes: {
          VisibilityTimeout: '360',
          RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead, maxReceiveCount: 3 }),
        },
        deadLetterQueueName: 'fixture-dev-orders-dead',
      },
      expect.objectContaining({ name: 'fixture-dev-orders-dead', arn: dead, attributes: {} }),
      expect.objectContaining({
        name: 'fixture-dev-LedgerQueue.fifo',
        fifo: true,
        attributes: { FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '120' },
      }),
    ])
    expect(buckets).toEqual([
      {
        logicalId: 'IncomingBucket',
        name: 'fixture-dev-incomingbucket',
        notifications: [{ event: 's3:ObjectCreated:*', prefix: 'projects/', suffix: '.zip', queue: queues[0] }],
      },
    ])
  })

  it('is refused with the framework’s own words when it is wrong', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'service-model-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const yml = 'service: x\nconfigValidationMode: error\nprovider: { name: aws, runtime: nodejs1.x }\n'
    await writeFile(join(folder, 'serverless.yml'), yml)
    await expect(readService(folder)).rejects.toThrow(/Cannot read serverless\.yml in .*runtime/s)
  })
})

describe('an event of a function', () => {
  it.each([
    [{ httpApi: '*' }, { method: 'ANY', path: '$default' }],
    [{ httpApi: { path: '*' } }, { method: 'ANY', path: '$default' }],
    [{ httpApi: { method: '*', path: '/a' } }, { method: 'ANY', path: '/a' }],
    [{ httpApi: 'delete /a/{id}' }, { method: 'DELETE', path: '/a/{id}' }],
    [{ schedule: 'rate(1 minute)' }, { everyMs: 60_000, enabled: true }],
    [{ schedule: { rate: 'rate(2 hours)', enabled: false } }, { everyMs: 7_200_000, enabled: false }],
    [{ sqs: 'arn:aws:sqs:eu-central-1:000000000000:q' }, { batchSize: 10, reportsItemFailures: false, enabled: true }],
  ])('may be written as %j', (event, expected) => {
    expect(eventOf(event)).toMatchObject(expected)
  })

  it.each([
    ['a cron expression', { schedule: 'cron(0 12 * * ? *)' }, 'cron(0 12 * * ? *) is not of the form rate('],
    ['a rate of nothing', { schedule: 'rate(0 minutes)' }, 'rate(0 minutes) is not of the form'],
    ['the other scheduler', { schedule: { rate: 'rate(1 day)', method: 'scheduler' } }, 'method'],
    ['an authorizer', { httpApi: { method: 'GET', path: '/a', authorizer: 'jwt' } }, 'authorizer'],
    ['a filter', { sqs: { arn: 'a', filterPatterns: [{}] } }, 'filterPatterns'],
    ['a big batch without a window', { sqs: { arn: 'a', batchSize: 11 } }, 'needs a maximumBatchingWindow'],
    ['another kind of event', { s3: 'bucket' }, 'only httpApi, sqs and schedule are known'],
  ])('is refused, with the function’s name, when it has %s', (_title, event, reason) => {
    expect(() => eventOf(event)).toThrow('Function worker: this ')
    expect(() => eventOf(event)).toThrow(reason)
  })

  it.each([
    [
      'a FIFO queue has a window',
      { FifoQueue: true, VisibilityTimeout: 60 },
      { batchingWindowSeconds: 1 },
      'a FIFO queue takes',
    ],
    [
      'a message comes back while it is worked on',
      { VisibilityTimeout: 5 },
      {},
      'the visibility timeout of Orders, 5 s',
    ],
    [
      'the queue is not of this service',
      {},
      { queueArn: 'arn:aws:sqs:eu-central-1:1:other' },
      'has the ARN arn:aws:sqs',
    ],
  ])('is refused when %s, as at deployment', (_title, properties, event, reason) => {
    const service = serviceModel([functionModel('worker', { events: [queueEvent('Orders', event)] })], {
      Orders: properties,
    })
    expect(() => resolve(service, LOCALS)).toThrow(`Function worker, sqs event: `)
    expect(() => resolve(service, LOCALS)).toThrow(reason)
  })
})

describe('a reference', () => {
  const withValue = (value: object) =>
    serviceModel([functionModel('worker', { environment: { VALUE: value as never } })])

  it.each([
    ['arguments of a wrong shape', { 'Fn::Join': 'a,b' }, 'Fn::Join cannot be read: "a,b"'],
    ['Fn::ImportValue', { 'Fn::ImportValue': 'x' }, 'Fn::ImportValue is not understood'],
    ['a resource that is not run here', { Ref: 'ApiRole' }, 'Ref ApiRole refers to nothing that exists locally'],
    [
      'an attribute that is not there',
      { 'Fn::GetAtt': ['ApiRole', 'Arn'] },
      'Fn::GetAtt ApiRole.Arn refers to nothing',
    ],
    ['a variable in a text', { 'Fn::Sub': ['$', '{Nobody}/x'].join('') }, '{Nobody} refers to nothing'],
  ])('is an error that says where it stands: %s', (_title, value, reason) => {
    const resolving = () => resolve(withValue(value), LOCALS)
    expect(resolving).toThrow('Function worker, environment VALUE: ')
    expect(resolving).toThrow(reason)
  })

  it('is not looked at when the variable is given locally', () => {
    const locals = { ...LOCALS, environment: { VALUE: 'local' } }
    expect(resolve(withValue({ Ref: 'ApiRole' }), locals).functions[0]?.environment).toEqual({ VALUE: 'local' })
  })

  it('resolves in both spellings of GetAtt and within lists', () => {
    const service = serviceModel([], { Dead: {}, Orders: {} })
    const policy = { deadLetterTargetArn: { 'Fn::GetAtt': 'Dead.Arn' }, maxReceiveCount: 2 }
    const queues = [
      { logicalId: 'Dead', properties: {} },
      { logicalId: 'Orders', properties: { RedrivePolicy: policy } },
    ]
    expect(resolve({ ...service, queues }, LOCALS).queues[1]?.deadLetterQueueName).toBe('fixture-test-Dead')
  })
})

describe('a function’s settings', () => {
  it('fall back to the provider’s, and then to the framework’s', () => {
    const provider = { stage: 'test', timeout: 29, memorySize: 256 }
    const settings = (fn: object, more: object = {}) => parseService(printed(fn, more)).functions[0]
    expect(settings({ timeout: 900, memorySize: 512 }, { provider })).toMatchObject({
      timeoutSeconds: 900,
      memorySizeMb: 512,
    })
    expect(settings({}, { provider })).toMatchObject({ timeoutSeconds: 29, memorySizeMb: 256 })
    expect(settings({})).toMatchObject({ timeoutSeconds: 6, memorySizeMb: 1024 })
  })

  it('are refused when the handler is not a bundle of ours', () => {
    expect(() => parseService(printed({ handler: 'src/worker.handler' }))).toThrow(
      'Function worker: the handler must look like dist/<module>/index.<export>, not src/worker.handler',
    )
  })

  it('may come with resources from several files', () => {
    const queue = (name: string) => ({ Resources: { [name]: { Type: 'AWS::SQS::Queue' }, Alarm: { Type: 'AWS::X' } } })
    const service = parseService(printed({}, { resources: [queue('One'), queue('Two')] }))
    expect(service.queues.map(({ logicalId }) => logicalId)).toEqual(['One', 'Two'])
  })
})
