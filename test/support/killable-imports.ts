// An import whose functions can be killed: those that are to be run as processes of their own, each of whose requests
// passes a proxy, and the others in this one. What one leaves in the queues is handed to the next by hand.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { createHandler as createPlanner } from '../../functions/workers/import-cohort.ts'
import { createHandler as createRequester } from '../../functions/workers/import-studies.ts'
import { ImportMessage, StudiesOrder } from '../../lib/imports/messages.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { type Death, invokeWithDeath, type RequestCount } from './dying-function.ts'
import { eventOf, lambdaContext } from './events.ts'
import { type FaultProxy, type PassingRequest, startFaultProxy } from './fault-proxy.ts'
import { type ImportRig, startImportRig } from './import-rig.ts'
import { bundleWorkers, type KillableFunction, startFunction } from './killable-function.ts'
import { memoryQueue } from './memory-queue.ts'
import { testEnvironment, testWired } from './wired.ts'

/** One run of a function in a process, with at most one death, after which it is run once more. */
export interface Trial {
  death?: Death | undefined
  /** What happens between the death and the next try. */
  meanwhile?: () => Promise<void>
  /** Is told how many requests it took. */
  onEnd: (requests: RequestCount) => void
}

export interface KillableImports extends ImportRig {
  proxies: { s3: FaultProxy; sqs: FaultProxy; xnat: FaultProxy }
  /** A further project that may import. */
  addProject(projectId: string): Promise<void>
  /** Has import-cohort take a message. */
  plan(message: ImportMessage, trial?: Trial): Promise<void>
  /** Has import-studies carry out orders. */
  ask(orders: readonly StudiesOrder[], trial?: Trial): Promise<void>
  /** A process of its own. */
  start(name: 'import-cohort' | 'import-studies'): Promise<KillableFunction>
  /** Takes the orders that wait. */
  takeOrders(): Promise<StudiesOrder[]>
  /** Takes the messages that wait for the planner. */
  takeMessages(): Promise<ImportMessage[]>
  /** Carries out what waits, until nothing does. */
  settle(): Promise<void>
}

/** `settings` of the functions, beside those of `testEnvironment`. */
export async function startKillableImports(settings: Record<string, string>): Promise<KillableImports> {
  const folder = await mkdtemp(join(tmpdir(), 'killable-imports-'))
  await bundleWorkers(folder, ['import-cohort', 'import-studies'])
  const rig = await startImportRig()
  const imports = await rig.aws.queue('imports.fifo', { FifoQueue: 'true' })
  const studies = await rig.aws.queue('studies')
  const [s3, sqs, xnat] = await Promise.all([
    startFaultProxy(rig.aws.s3Server.url),
    startFaultProxy(rig.aws.sqsServer.url),
    startFaultProxy(rig.standIn.url),
  ])
  const { accessKeyId, secretAccessKey } = await rig.aws.s3.config.credentials()
  // The SDK takes the queue's host from its URL.
  const through = (url: string) => sqs.url + new URL(url).pathname
  const environment = {
    ...testEnvironment,
    XNAT_URL: xnat.url,
    XNAT_SERVICE_USER: rig.standIn.user,
    XNAT_SERVICE_PASSWORD: rig.standIn.password,
    IMPORTS_QUEUE_URL: through(imports.url),
    STUDIES_QUEUE_URL: through(studies.url),
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    LOG_LEVEL: 'error',
    ...settings,
  }
  const start: KillableImports['start'] = (name) => startFunction({ folder, name }, environment)
  const survivors = { 'import-cohort': await start('import-cohort'), 'import-studies': await start('import-studies') }

  const source = (queue: typeof imports.queue) => ({ queue, deadLetters: memoryQueue() })
  const parts = { xnat: rig.xnat, state: rig.state, imports: source(imports.queue), studies: source(studies.queue) }
  const wired = testWired(parts, settings)
  const handlers = { 'import-cohort': createPlanner(() => wired), 'import-studies': createRequester(() => wired) }

  const takeAll = async (QueueUrl: string): Promise<unknown[]> => {
    const bodies: unknown[] = []
    for (;;) {
      const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 })
      const { Messages = [] } = await rig.aws.sqs.send(command)
      if (Messages.length === 0) return bodies
      bodies.push(...Messages.map(({ Body = '' }) => JSON.parse(Body)))
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
      await rig.aws.sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
    }
  }
  const run = async (name: keyof typeof handlers, bodies: readonly object[], trial?: Trial) => {
    const event = eventOf(bodies)
    if (trial === undefined) {
      const { batchItemFailures } = await handlers[name](event, lambdaContext())
      if (batchItemFailures.length > 0) throw new Error(`${name} failed: ${JSON.stringify(wired.lines.at(-1))}`)
      return
    }
    const { death, meanwhile, onEnd } = trial
    const requests = await invokeWithDeath(event, {
      death,
      start: () => start(name),
      survivor: async () => survivors[name],
      proxies: [s3, sqs, xnat],
      standIn: rig.standIn,
      isRead,
      ...(meanwhile && { meanwhile }),
    })
    onEnd(requests)
  }

  const killable: KillableImports = {
    ...rig,
    proxies: { s3, sqs, xnat },
    async addProject(projectId) {
      await createProject(rig.xnat, { projectId, secondaryId: `hub-${projectId}`, name: projectId })
      rig.standIn.pacs.register({ projects: [projectId] })
    },
    plan: (message, trial) => run('import-cohort', [message], trial),
    ask: (orders, trial) => run('import-studies', orders, trial),
    start,
    takeOrders: async () => (await takeAll(studies.url)).map((body) => StudiesOrder.parse(body)),
    takeMessages: async () => (await takeAll(imports.url)).map((body) => ImportMessage.parse(body)),
    async settle() {
      for (;;) {
        const [orders, messages] = [await killable.takeOrders(), await killable.takeMessages()]
        if (orders.length + messages.length === 0) return
        if (orders.length > 0) await killable.ask(orders)
        for (const message of messages) await killable.plan(message)
      }
    },
    async stop() {
      await Promise.all(Object.values(survivors).map((each) => each.stop()))
      await Promise.all([s3, sqs, xnat].map((proxy) => proxy.stop()))
      await rig.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return killable
}

/** XNAT is also read by questions that have a body. */
const isRead = ({ method, path }: PassingRequest) =>
  method === 'GET' || /^\/xapi\/(direct-archive|dqr\/query\/studies)$/.test(path)
