// Builds the parts that functions work with from their settings. Nothing is read, built or connected at import time.
import { createAws } from './aws/clients.ts'
import type { ObjectStore } from './aws/objects.ts'
import type { Queue } from './aws/queue.ts'
import type { QueueReader } from './aws/queue-reader.ts'
import { type Config, loadConfig } from './config.ts'
import { createDataAccess, type DataAccess } from './data-access/client.ts'
import { keepLastWordsShort } from './last-words.ts'
import { createLogger, type Logger } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import {
  type EnvelopeKeyRing,
  openSecret,
  type Secret,
  StoredEnvelopeKeys,
  StoredServiceKeys,
  XnatAccount,
} from './secrets.ts'
import { createHttpAgent, XnatClient } from './xnat/client.ts'
import { measureRequest } from './xnat-metrics.ts'

/** A queue that a function is fed from, and where its hopeless messages go. */
export interface SourceQueue {
  queue: Queue
  deadLetters: Queue
}

export interface Wired {
  config: Config
  log: Logger
  metrics: Metrics
  xnat: XnatClient
  incoming: ObjectStore
  state: ObjectStore
  /** The image tree that training clients mount. */
  images: ObjectStore
  uploads: SourceQueue
  deliveries: SourceQueue
  /** Projects whose cohorts are to be looked at, and what became of studies that were asked for. */
  imports: SourceQueue
  /** Studies to be asked for. */
  studies: SourceQueue
  exports: SourceQueue
  /** What turns cohort queries into accession numbers, where there is one. */
  dataAccess: DataAccess | undefined
  secrets: {
    /** Those that callers of the API may send. */
    serviceKeys: Secret<string[]>
    /** For values that are sealed for the hub. */
    envelopeKeys: Secret<EnvelopeKeyRing>
  }
  /** The queues of hopeless messages, to be looked into. */
  deadLetters: Readonly<Record<keyof Config['queues'], QueueReader>>
}

/** Gives the wired parts; the same ones each time. */
export type Wire = () => Wired

function wireFrom(config: Config): Wired {
  const aws = createAws(createHttpAgent())
  const source = (urls: Config['queues']['uploads']): SourceQueue => ({
    queue: aws.queue(urls.url),
    deadLetters: aws.queue(urls.deadLettersUrl),
  })
  const metrics = createMetrics({ namespace: config.metricsNamespace })
  const log = createLogger({ level: config.logLevel })
  const reading = { read: aws.readSecret, log }
  const account = openSecret(config.xnat.account, XnatAccount, reading)
  const secrets = {
    serviceKeys: openSecret(config.serviceKey.keys, StoredServiceKeys, reading),
    envelopeKeys: openSecret(config.envelope, StoredEnvelopeKeys, reading),
  }
  return {
    config,
    log,
    metrics,
    xnat: new XnatClient({
      url: config.xnat.url,
      credentials: async ({ isRefused }) => ({
        kind: 'password',
        ...(await (isRefused ? account.renewed() : account.get())),
      }),
      onRequest: (record) => measureRequest(metrics, record),
    }),
    incoming: aws.bucket(config.buckets.incoming),
    state: aws.bucket(config.buckets.state),
    images: aws.bucket(config.buckets.images),
    uploads: source(config.queues.uploads),
    deliveries: source(config.queues.deliveries),
    imports: source(config.queues.imports),
    studies: source(config.queues.studies),
    exports: source(config.queues.exports),
    dataAccess: dataAccessFrom(config, secrets),
    secrets,
    deadLetters: {
      uploads: aws.queueReader(config.queues.uploads.deadLettersUrl),
      deliveries: aws.queueReader(config.queues.deliveries.deadLettersUrl),
      imports: aws.queueReader(config.queues.imports.deadLettersUrl),
      studies: aws.queueReader(config.queues.studies.deadLettersUrl),
      exports: aws.queueReader(config.queues.exports.deadLettersUrl),
    },
  }
}

function dataAccessFrom({ dataAccess, serviceKey }: Config, secrets: Wired['secrets']): DataAccess | undefined {
  return (
    dataAccess &&
    createDataAccess({
      ...dataAccess,
      keyHeader: serviceKey.header,
      secrets: async () => ({
        serviceKey: (await secrets.serviceKeys.get())[0],
        envelope: await secrets.envelopeKeys.get(),
      }),
    })
  )
}

let wired: Wired | undefined

/** Wires on the first event of an execution environment, from its environment variables, and keeps what it built. */
export const wireOnce: Wire = () => {
  if (wired === undefined) {
    wired = wireFrom(loadConfig())
    keepLastWordsShort(wired.log)
  }
  return wired
}
