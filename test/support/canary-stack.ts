// The local stack with markers for its secrets, an XNAT that can be made to fail, and everything kept that it writes.
import { randomBytes } from 'node:crypto'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { startCohortServer } from '../../infra/local/cohort-server.ts'
import { prepareSite } from '../../infra/local/prepare-site.ts'
import type { ServiceModel } from '../../infra/local/run-functions/service-model.ts'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import type { Markers } from './markers.ts'

export interface CanaryStack {
  stack: Stack
  standIn: XnatServer
  xnatProxy: FaultProxy
  /** Stands before the data-access-api. */
  cohortProxy: FaultProxy
  s3: S3Client
  sqs: SQSClient
  serviceKey: { header: string; key: string }
  /** Of AES-256, in base64. */
  envelopeKey: string
  /** What functions and runner wrote, by the function's name in serverless.yml. */
  written: { functionName: string; line: string }[]
  stop(): Promise<void>
}

const header = 'X-Trust-Internal-Service-Key'

/** `cohort`: the accession numbers that every query yields. */
export async function startCanaryStack(
  markers: Markers,
  { service, cohort }: { service: ServiceModel; cohort: string[] },
): Promise<CanaryStack> {
  const started = new AsyncDisposableStack()
  const user = markers.plant('XNAT user')
  const password = markers.plant('XNAT password')
  const serviceKey = { header, key: markers.plant('service key') }
  const envelopeKey = randomBytes(32).toString('base64')
  markers.watch('AES key', envelopeKey)

  // What the PACS sends comes in as `admin`; the functions have an account of their own.
  const standIn = await startXnat()
  started.defer(() => standIn.stop())
  await prepareSite(standIn)
  const rights = { roles: ['Administrator', 'ContainerManager'], groups: ['ALL_DATA_ADMIN'] }
  standIn.state.addUser({ username: user, password, firstName: 'Service', lastName: 'Account', ...rights })
  const envelopeKeys = { shared: Buffer.from(envelopeKey, 'base64') }
  const cohorts = await startCohortServer({ serviceKey, envelopeKeys, sampleCohort: () => cohort })
  started.defer(() => cohorts.stop())
  cohorts.configure({ threshold: 1 })
  const xnatProxy = await startFaultProxy(standIn.url)
  started.defer(() => xnatProxy.stop())
  const cohortProxy = await startFaultProxy(cohorts.url)
  started.defer(() => cohortProxy.stop())

  const written: CanaryStack['written'] = []
  const stack = await startStack({
    service,
    xnat: { url: xnatProxy.url, user, password },
    log: (functionName, line) => written.push({ functionName, line }),
    environment: {
      TRUST_INTERNAL_SERVICE_KEY: serviceKey.key,
      AES_KEY_BASE64: envelopeKey,
      DATA_ACCESS_API_URL: cohortProxy.url,
      LOG_LEVEL: 'debug',
      // The first failure is the last: none is waited for.
      DELIVERY_TRIES: '1',
      STATUS_CACHE_SECONDS: '0',
    },
  })
  started.defer(() => stack.stop())
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.description.s3
  markers.watch('S3 secret key', secretAccessKey)
  const credentials = { accessKeyId, secretAccessKey }
  const s3 = new S3Client({ endpoint, region, credentials })
  const sqs = new SQSClient({ endpoint: stack.description.sqs.endpoint, region, credentials })
  started.defer(() => s3.destroy())
  started.defer(() => sqs.destroy())
  const stop = () => started.disposeAsync()
  return { stack, standIn, xnatProxy, cohortProxy, s3, sqs, serviceKey, envelopeKey, written, stop }
}
