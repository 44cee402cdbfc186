// Every function in this process, on S3, a stand-in XNAT and a stand-in data-access-api that can be made to fail, with
// markers wherever patient data or secrets may be.
import { S3Client } from '@aws-sdk/client-s3'
import { type CohortServer, startCohortServer } from '../../infra/local/cohort-server.ts'
import { prepareSite } from '../../infra/local/prepare-site.ts'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import { agentHandler } from '../../lib/aws/agent-handler.ts'
import { createObjectStore } from '../../lib/aws/objects.ts'
import { createDataAccess, type DataAccess } from '../../lib/data-access/client.ts'
import { systemClock } from '../../lib/retry.ts'
import { createHttpAgent, XnatClient } from '../../lib/xnat/client.ts'
import { type FaultProxy, type Mishap, startFaultProxy } from './fault-proxy.ts'
import { type LocalAws, startLocalAws } from './local-aws.ts'
import type { Markers } from './markers.ts'
import { type MemoryQueue, memoryQueue } from './memory-queue.ts'
import { type TestWired, testEnvelope, testEnvironment, testWired } from './wired.ts'

type QueueName = 'uploads' | 'deliveries' | 'imports' | 'studies' | 'exports'
/** How often an order is tried here. */
export const deliveryTries = 3

export type Server = 'xnat' | 's3' | 'dataAccess'
const servers: readonly Server[] = ['xnat', 's3', 'dataAccess']

export interface CanaryRig {
  aws: LocalAws
  standIn: XnatServer
  wired: TestWired
  keyHeaders: Record<string, string>
  queues: Record<QueueName, { queue: MemoryQueue; deadLetters: MemoryQueue }>
  /** Lets everything pass. */
  heal(): void
  /** From its n-th request on the server answers so, but for sign-ins. Tells how often it did. */
  breakFrom(server: Server, nth: number, mishap: Mishap): () => number
  /** XNAT answers every sign-in so. */
  breakSignIns(mishap: Mishap): void
  /** How many requests each has had since it was healed or broken last, without sign-ins. */
  asked(): Record<Server, number>
  /** A client of XNAT that has not signed in. */
  newXnatClient(): XnatClient
  stop(): Promise<void>
}

/** `cohort`: the accession numbers that every query yields. */
export async function startCanaryRig(markers: Markers, cohort: string[]): Promise<CanaryRig> {
  const account = { user: markers.plant('XNAT user'), password: markers.plant('XNAT password') }
  const serviceKey = markers.plant('service key')
  markers.watch('AES key', testEnvironment.AES_KEY_BASE64)
  const [aws, standIn] = await Promise.all([startLocalAws(), startXnat(account)])
  await prepareSite(standIn)
  // Each session that was refused is followed by another.
  standIn.state.configure({ concurrentMaxSessions: 100_000 })
  const cohorts = await startCohorts(serviceKey, cohort)
  const proxies: Record<Server, FaultProxy> = {
    xnat: await startFaultProxy(standIn.url),
    s3: await startFaultProxy(aws.s3Server.url),
    dataAccess: await startFaultProxy(cohorts.url),
  }
  const counts: Record<Server, number> = { xnat: 0, s3: 0, dataAccess: 0 }
  const judge = (server: Server, mishapOf: (nth: number) => Mishap | undefined) => {
    proxies[server].judge = ({ path }) => {
      if (path.startsWith('/data/JSESSION')) return undefined
      counts[server] += 1
      return mishapOf(counts[server])
    }
  }
  const heal = () => {
    for (const server of servers) {
      counts[server] = 0
      judge(server, () => undefined)
    }
  }
  heal()

  const newXnatClient = () =>
    new XnatClient({
      url: proxies.xnat.url,
      credentials: { kind: 'password', ...account },
      retry: { attempts: 1 },
    })
  const s3 = new S3Client({
    endpoint: proxies.s3.url,
    region: aws.s3.config.region,
    credentials: aws.s3.config.credentials,
    requestHandler: agentHandler(createHttpAgent()),
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
  })
  for (const name of ['incoming', 'state', 'images']) await aws.bucket(name)
  const source = () => ({ queue: memoryQueue(), deadLetters: memoryQueue() })
  const queues = { uploads: source(), deliveries: source(), imports: source(), studies: source(), exports: source() }
  const dataAccess = dataAccessAt(proxies.dataAccess.url, serviceKey)
  const xnat = newXnatClient()
  const wired = testWired(
    {
      xnat,
      dataAccess,
      incoming: createObjectStore(s3, 'incoming'),
      state: createObjectStore(s3, 'state'),
      images: createObjectStore(s3, 'images'),
      ...queues,
    },
    {
      XNAT_URL: standIn.url,
      XNAT_SERVICE_USER: account.user,
      XNAT_SERVICE_PASSWORD: account.password,
      TRUST_INTERNAL_SERVICE_KEY: serviceKey,
      ANSWER_WITHIN_SECONDS: '0',
      STATUS_CACHE_SECONDS: '0',
      DELIVERY_TRIES: String(deliveryTries),
    },
  )

  return {
    aws,
    standIn,
    wired,
    keyHeaders: { 'x-trust-internal-service-key': serviceKey },
    queues,
    heal,
    breakFrom(server, nth, mishap) {
      heal()
      let hits = 0
      judge(server, (number) => {
        if (number < nth) return undefined
        hits += 1
        return mishap
      })
      return () => hits
    },
    breakSignIns(mishap) {
      proxies.xnat.judge = ({ path }) => (path.startsWith('/data/JSESSION') ? mishap : undefined)
    },
    asked: () => ({ ...counts }),
    newXnatClient,
    async stop() {
      heal()
      await xnat.close()
      s3.destroy()
      await dataAccess.agent.close()
      await Promise.all([...Object.values(proxies).map((proxy) => proxy.stop()), cohorts.stop()])
      await Promise.all([standIn.stop(), aws.stop()])
    },
  }
}

async function startCohorts(key: string, accessionNumbers: string[]): Promise<CohortServer> {
  const cohorts = await startCohortServer({
    serviceKey: { header: keyHeader, key },
    envelopeKeys: testEnvelope.keys,
    sampleCohort: () => accessionNumbers,
  })
  cohorts.configure({ threshold: 1 })
  return cohorts
}

const keyHeader = 'X-Trust-Internal-Service-Key'

const dataAccessAt = (url: string, serviceKey: string): DataAccess =>
  createDataAccess({
    url,
    keyHeader,
    secrets: async () => ({ serviceKey, envelope: testEnvelope }),
    sealedProjectId: 'xnat',
    timeoutMs: 20_000,
    clock: { ...systemClock, sleep: async () => undefined },
  })
