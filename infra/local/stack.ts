// The whole product on one machine: S3, SQS and XNAT on 127.0.0.1, and the functions of serverless.yml between them.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import * as z from 'zod'
import { buildPage } from '../build-page.ts'
import { startCohortServer } from './cohort-server.ts'
import { prepareSite } from './prepare-site.ts'
import { type LocalBucket, resolve } from './run-functions/resolve-service.ts'
import { type RunningFunctions, runFunctions } from './run-functions/run-functions.ts'
import { readService, type ServiceModel } from './run-functions/service-model.ts'
import { type S3Server, startS3 } from './s3-server/server.ts'
import { type SqsServer, startSqs } from './sqs-server.ts'
import { startXnat } from './xnat-server/server.ts'

const region = 'eu-central-1'
const projectDir = join(import.meta.dirname, '../..')
const consoleDir = join(projectDir, 'functions/api/console')

/** How to reach everything: what tools and people need. Written to `.local/stack.json`. */
export interface StackDescription {
  api: string
  s3: {
    endpoint: string
    region: string
    accessKeyId: string
    secretAccessKey: string
    /** Names by role: `incoming`, `state`, `images`. */
    buckets: Record<string, string>
  }
  sqs: {
    endpoint: string
    region: string
    /** URLs by role: `uploads`, `uploadsDeadLetters`, `deliveries`, ... */
    queues: Record<string, string>
  }
  xnat: { url: string; user: string; password: string; isStandIn: boolean }
  /** The stand-in for FLIP's data-access-api. */
  dataAccess: { url: string }
  serviceKey: { header: string; key: string }
  /** Of AES-256, in base64: seals ids of projects as the hub does. */
  envelopeKey: string
}

export interface StackOptions {
  /** Buckets, queues and the stand-in's archive live on in this folder. Left out: they end with the stack. */
  keepDir?: string
  /** A real XNAT in place of the stand-in. */
  xnat?: { url: string; user: string; password: string }
  /** Where the API listens; an error when it is taken. Left out: 3000, or the next that is free. */
  apiPort?: number
  /** Runs what `npm run build` made instead of the sources. */
  bundles?: boolean
  /** Whose `dist/` that is. Left out: this project's. */
  bundlesDir?: string
  /** Settings of the functions, over those that the stack makes up. */
  environment?: Record<string, string>
  /** Takes what the functions write. */
  log?: (functionName: string, line: string) => void
  /** serverless.yml as read before, to spare reading it again. */
  service?: ServiceModel
}

export interface Stack {
  description: StackDescription
  functions: RunningFunctions
  stop(): Promise<void>
}

/** Starts everything and returns when the API answers. Whatever fails, what had been started is stopped. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const started = new AsyncDisposableStack()
  try {
    return await assemble(options, started)
  } catch (error) {
    await started.disposeAsync()
    throw error
  }
}

async function assemble(options: StackOptions, started: AsyncDisposableStack): Promise<Stack> {
  const reading = options.service === undefined ? readService(projectDir) : Promise.resolve(options.service)
  // Met where it is awaited; until then the servers start beside it.
  reading.catch(() => undefined)
  const building = options.bundles === true ? Promise.resolve() : buildPage(consoleDir, join(consoleDir, 'dist'))
  building.catch(() => undefined)
  const dataDir = options.keepDir ?? (await temporaryFolder(started))
  const keys = await localKeys(dataDir)

  const s3 = await startS3({ dataDir: join(dataDir, 's3'), region, credentials: keys.s3 })
  started.defer(() => s3.stop())
  const sqs = await startSqs({ region, dataDir: join(dataDir, 'sqs') })
  started.defer(() => sqs.stop())
  const { xnat, pacsAccessionNumbers } = await openXnat(options, join(dataDir, 'xnat'), started)
  const serviceKey = { header: 'X-Trust-Internal-Service-Key', key: keys.serviceKey }
  const envelopeKey = options.environment?.['AES_KEY_BASE64'] ?? keys.envelopeKey
  const cohorts = await startCohortServer({
    serviceKey,
    envelopeKeys: { shared: Buffer.from(envelopeKey, 'base64') },
    sampleCohort: pacsAccessionNumbers,
  })
  started.defer(() => cohorts.stop())

  const environment = {
    XNAT_URL: xnat.url,
    // There is no Secrets Manager here: secrets are given as they are.
    XNAT_SECRET: '',
    SERVICE_KEY_SECRET: '',
    ENVELOPE_KEY_SECRET: '',
    XNAT_SERVICE_USER: xnat.user,
    XNAT_SERVICE_PASSWORD: xnat.password,
    TRUST_INTERNAL_SERVICE_KEY: serviceKey.key,
    TRUST_INTERNAL_SERVICE_KEY_HEADER: serviceKey.header,
    AES_KEY_BASE64: envelopeKey,
    DATA_ACCESS_API_URL: cohorts.url,
    AWS_ACCESS_KEY_ID: keys.s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.s3.secretAccessKey,
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    ...options.environment,
  }
  const service = await reading
  await building
  const { queues, buckets } = resolve(service, { region, sqsUrl: sqs.url, environment })
  for (const queue of queues) await sqs.createQueue(queue.name, queue.attributes)
  await sqs.releaseInFlight()

  const functions = await runFunctions({
    service,
    projectDir: options.bundlesDir ?? projectDir,
    sqs: { url: sqs.url, region },
    environment,
    ...(options.apiPort !== undefined && { apiPort: options.apiPort }),
    ...(options.bundles !== undefined && { bundles: options.bundles }),
    ...(options.log && { log: options.log }),
  })
  started.defer(() => functions.stop())
  await connectBuckets(s3, sqs, buckets, started)

  const description: StackDescription = {
    api: functions.apiUrl,
    s3: { endpoint: s3.url, region, ...keys.s3, buckets: byRole(buckets, 'Bucket', ({ name }) => name) },
    sqs: { endpoint: sqs.url, region, queues: byRole(queues, 'Queue', ({ url }) => url) },
    xnat,
    dataAccess: { url: cohorts.url },
    serviceKey,
    envelopeKey,
  }
  return { description, functions, stop: () => started.disposeAsync() }
}

async function temporaryFolder(started: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'xnat-conduit-'))
  started.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const Keys = z.object({
  serviceKey: z.string(),
  /** AES-256, in base64. */
  envelopeKey: z.string(),
  s3: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
})

/** Keys of this stack alone; the same again when its data is kept, so that tools set up for it go on working. */
async function localKeys(dataDir: string): Promise<z.infer<typeof Keys>> {
  const file = join(dataDir, 'keys.json')
  if (existsSync(file)) return Keys.parse(JSON.parse(await readFile(file, 'utf8')))
  const keys = {
    serviceKey: `local-${randomBytes(12).toString('hex')}`,
    envelopeKey: randomBytes(32).toString('base64'),
    s3: { accessKeyId: 'LOCALSTACKKEY', secretAccessKey: `local-${randomBytes(12).toString('hex')}` },
  }
  await mkdir(dataDir, { recursive: true })
  await writeFile(file, JSON.stringify(keys), { mode: 0o600 })
  return keys
}

interface OpenXnat {
  xnat: StackDescription['xnat']
  /** What the PACS behind it holds, as far as that is known here. */
  pacsAccessionNumbers: () => string[]
}

async function openXnat(options: StackOptions, dataDir: string, started: AsyncDisposableStack): Promise<OpenXnat> {
  if (options.xnat !== undefined) {
    return { xnat: { ...options.xnat, isStandIn: false }, pacsAccessionNumbers: () => [] }
  }
  const standIn = await startXnat({ dataDir })
  started.defer(() => standIn.stop())
  await prepareSite(standIn)
  const { url, user, password, state } = standIn
  return {
    xnat: { url, user, password, isStandIn: true },
    pacsAccessionNumbers: () => state.dqr.pacsStudies.all().map(({ accessionNumber }) => accessionNumber),
  }
}

/** Makes the buckets and sends their events to the queues, as S3 does: one message per event. */
async function connectBuckets(
  s3: S3Server,
  sqs: SqsServer,
  buckets: readonly LocalBucket[],
  started: AsyncDisposableStack,
): Promise<void> {
  const client = new SQSClient({
    endpoint: sqs.url,
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
  started.defer(() => client.destroy())
  for (const bucket of buckets) {
    await s3.createBucket(bucket.name)
    const targets = bucket.notifications.map(({ event, prefix, suffix, queue }, index) => ({
      id: `${bucket.logicalId}-${index}`,
      events: [event],
      prefix,
      suffix,
      deliver: async (notification: unknown) => {
        await client.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: JSON.stringify(notification) }))
      },
    }))
    await s3.setNotifications(bucket.name, targets)
  }
}

/** `UploadsQueue` plays the role `uploads`, `UploadsDeadLetters` the role `uploadsDeadLetters`. */
function byRole<T extends { logicalId: string }>(
  resources: readonly T[],
  kind: string,
  value: (resource: T) => string,
): Record<string, string> {
  return Object.fromEntries(
    resources.map((resource) => {
      const name = resource.logicalId.replace(new RegExp(`${kind}$`), '')
      return [name.charAt(0).toLowerCase() + name.slice(1), value(resource)]
    }),
  )
}
