// What the simulation takes from the product, so that the two cannot drift apart.
import { loadConfig } from '../../lib/config.ts'
import { type LocalFunction, resolve } from '../local/run-functions/resolve-service.ts'
import type { ServiceModel } from '../local/run-functions/service-model.ts'

export interface ProductSettings {
  routeObjects: QueueSettings
  deliverFiles: QueueSettings
  maxOrderBytes: number
  /** What the way to XNAT carries at least. */
  bytesPerSecond: number
}

interface QueueSettings {
  concurrency: number
  batchSize: number
  windowSeconds: number
  memoryGb: number
}

/** As serverless.yml and the defaults of a deployment have it. */
export function productSettings(service: ServiceModel): ProductSettings {
  const { functions } = resolve(service, {
    region: 'eu-central-1',
    sqsUrl: 'http://127.0.0.1:9',
    // Looked up when it is deployed; no address is asked here.
    environment: { XNAT_URL: 'https://xnat.example.org' },
  })
  const find = (name: string) => {
    const found = functions.find((fn) => fn.name === name)
    if (found === undefined) throw new Error(`serverless.yml has no function ${name}`)
    return found
  }
  const deliverFiles = find('deliverFiles')
  return {
    routeObjects: queueSettings(find('routeObjects')),
    deliverFiles: queueSettings(deliverFiles),
    maxOrderBytes: loadConfig(deliverFiles.environment).delivery.maxBytes,
    bytesPerSecond: Number(deliverFiles.environment['DELIVERY_MB_PER_SECOND']) * 1e6,
  }
}

function queueSettings({ name, events, memorySizeMb }: LocalFunction): QueueSettings {
  const event = events.find(({ kind }) => kind === 'sqs')
  if (event?.kind !== 'sqs' || event.maximumConcurrency === undefined) {
    throw new Error(`${name} is not fed by a queue with a maximumConcurrency`)
  }
  const { maximumConcurrency: concurrency, batchSize, batchingWindowSeconds: windowSeconds } = event
  return { concurrency, batchSize, windowSeconds, memoryGb: memorySizeMb / 1024 }
}
