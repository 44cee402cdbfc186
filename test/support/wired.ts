import { S3Client } from '@aws-sdk/client-s3'
import { createObjectStore } from '../../lib/aws/objects.ts'
import { loadConfig } from '../../lib/config.ts'
import { createLogger } from '../../lib/log.ts'
import { createMetrics } from '../../lib/metrics.ts'
import { EnvelopeKeyRing, openSecret, StoredEnvelopeKeys, StoredServiceKeys } from '../../lib/secrets.ts'
import type { Wired } from '../../lib/wire.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { emptyQueueReader, memoryQueue } from './memory-queue.ts'

export const testEnvironment = {
  XNAT_URL: 'http://127.0.0.1:9',
  XNAT_SERVICE_USER: 'service',
  XNAT_SERVICE_PASSWORD: 'fake-password',
  TRUST_INTERNAL_SERVICE_KEY: 'fake-key',
  AES_KEY_BASE64: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  INCOMING_BUCKET: 'incoming',
  STATE_BUCKET: 'state',
  IMAGES_BUCKET: 'images',
  UPLOADS_QUEUE_URL: 'http://127.0.0.1:9/0/uploads',
  UPLOADS_DEAD_LETTERS_URL: 'http://127.0.0.1:9/0/uploads-dead-letters',
  DELIVERIES_QUEUE_URL: 'http://127.0.0.1:9/0/deliveries.fifo',
  DELIVERIES_DEAD_LETTERS_URL: 'http://127.0.0.1:9/0/deliveries-dead-letters.fifo',
  IMPORTS_QUEUE_URL: 'http://127.0.0.1:9/0/imports.fifo',
  IMPORTS_DEAD_LETTERS_URL: 'http://127.0.0.1:9/0/imports-dead-letters.fifo',
  STUDIES_QUEUE_URL: 'http://127.0.0.1:9/0/studies',
  STUDIES_DEAD_LETTERS_URL: 'http://127.0.0.1:9/0/studies-dead-letters',
  EXPORTS_QUEUE_URL: 'http://127.0.0.1:9/0/exports.fifo',
  EXPORTS_DEAD_LETTERS_URL: 'http://127.0.0.1:9/0/exports-dead-letters.fifo',
}

/** The AES keys of the test environment. */
export const testEnvelope = EnvelopeKeyRing.parse(testEnvironment.AES_KEY_BASE64)

export interface TestWired extends Wired {
  lines: Record<string, unknown>[]
  /** What was measured, a document for each line. */
  measured: Record<string, unknown>[]
}

/** Wired parts that reach nothing, but for those that are given. What is logged and measured is kept. */
export function testWired(parts: Partial<Wired> = {}, environment: Record<string, string> = {}): TestWired {
  const lines: Record<string, unknown>[] = []
  const measured: Record<string, unknown>[] = []
  const nowhere = new S3Client({
    endpoint: 'http://127.0.0.1:9',
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  })
  const config = loadConfig({ ...testEnvironment, ...environment })
  const { XNAT_SERVICE_USER: user, XNAT_SERVICE_PASSWORD: password } = { ...testEnvironment, ...environment }
  const log = createLogger({ level: 'debug', write: (line) => lines.push(JSON.parse(line)) })
  const unread = () => Promise.reject(new Error('tests give secrets as they are'))
  const source = () => ({ queue: memoryQueue(), deadLetters: memoryQueue() })
  return {
    config,
    lines,
    measured,
    log,
    metrics: createMetrics({ namespace: 'test', write: (line) => measured.push(JSON.parse(line)) }),
    xnat: new XnatClient({
      url: config.xnat.url,
      credentials: { kind: 'password', user, password },
      retry: { attempts: 1 },
    }),
    incoming: createObjectStore(nowhere, config.buckets.incoming),
    state: createObjectStore(nowhere, config.buckets.state),
    images: createObjectStore(nowhere, config.buckets.images),
    uploads: source(),
    deliveries: source(),
    imports: source(),
    studies: source(),
    exports: source(),
    dataAccess: undefined,
    secrets: {
      serviceKeys: openSecret(config.serviceKey.keys, StoredServiceKeys, { read: unread, log }),
      envelopeKeys: openSecret(config.envelope, StoredEnvelopeKeys, { read: unread, log }),
    },
    deadLetters: {
      uploads: emptyQueueReader,
      deliveries: emptyQueueReader,
      imports: emptyQueueReader,
      studies: emptyQueueReader,
      exports: emptyQueueReader,
    },
    ...parts,
  }
}
