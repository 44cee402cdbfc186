// How long it takes to find 10,000 failed studies due and to ask for all of them again, how long one look at a cohort of
// 100,000 takes, and how long the sweep needs to put 10,000 projects before the planner.
import { createQueueReader } from '../../lib/aws/queue-reader.ts'
import { registerImport } from '../../lib/provisioning/registration.ts'
import { eventOf } from '../support/events.ts'
import { startLocalAws } from '../support/local-aws.ts'
import { testEnvironment } from '../support/wired.ts'
import { type BenchLambda, invokeWorker, startLambda } from './lambda.ts'
import { type LargeImport, minuteMs, startLargeImport } from './large-import.ts'

const studies = 10_000
const manyStudies = 100_000
const projects = 10_000

export async function run(): Promise<void> {
  await retryAll()
  await lookAtMany()
  await sweepProjects()
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const mebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MiB RSS`
const line = (what: string, ...figures: string[]) => console.log(`  ${what.padEnd(46)} ${figures.join(', ')}`)

/** With the bounds that spare XNAT and the PACS out of the way. */
const unbounded = { DQR_MAX_OUTSTANDING: '100000', PACS_FIND_CONCURRENCY: '16', PACS_FINDS_PER_SECOND: '1000' }

async function retryAll(): Promise<void> {
  const site = await startLargeImport(6 * 60 * minuteMs)
  const imports = await site.aws.queue('imports.fifo', { FifoQueue: 'true' })
  const orders = await site.aws.queue('studies')
  const env = { ...site.environment, ...unbounded, IMPORTS_QUEUE_URL: imports.url, STUDIES_QUEUE_URL: orders.url }
  const [planner, requester] = await Promise.all([
    startLambda('workers/import-cohort', env),
    startLambda('workers/import-studies', env),
  ])
  try {
    const declared = site.declare(studies)
    for (const study of declared) {
      const { id } = site.executed(study, 'FAILED')
      const seenAtMs = site.now().getTime() - 6 * 60 * minuteMs
      site.remember(study, { code: 'REQUESTED', seen: [[study.studyInstanceUid, id, 'FAILED', seenAtMs, false]] })
      site.ledger.historyReadTo = id
    }
    await site.write(declared.map(({ accessionNumber }) => accessionNumber))

    console.log(`${studies} studies, all failed and due`)
    const startedAt = performance.now()
    const look = await counted(site, () => invokeWorker(planner, eventOf([lookAt(site.projectId)])))
    line(
      'one run of import-cohort',
      seconds(look.ms),
      `${look.requests} requests to XNAT`,
      mebibytes(look.peakRssBytes),
    )
    const reader = createQueueReader(site.aws.sqs, orders.url)
    const asked = await drain(reader, 10, (bodies) => counted(site, () => invokeWorker(requester, eventOf(bodies))))
    line('import-studies, one run after the other', ...figuresOf(asked))
    const planned = await drain(createQueueReader(site.aws.sqs, imports.url), 1, (bodies) =>
      counted(site, () => invokeWorker(planner, eventOf(bodies))),
    )
    line('import-cohort, told what became of each order', ...figuresOf(planned))
    line('all of it', seconds(performance.now() - startedAt))
    const queued = site.standIn.state.dqr.queue.all().length
    if (queued !== studies) throw new Error(`DQR holds ${queued} requests`)
  } finally {
    await Promise.all([planner.stop(), requester.stop()])
    await site.stop()
  }
}

const lookAt = (projectId: string) => ({ kind: 'look', cause: 'sweep', projectId })

interface Counted {
  ms: number
  requests: number
  peakRssBytes: number
}

async function counted(site: LargeImport, act: () => Promise<Omit<Counted, 'requests'>>): Promise<Counted> {
  site.standIn.requests.clear()
  const { ms, peakRssBytes } = await act()
  return { ms, peakRssBytes, requests: site.standIn.requests.count() }
}

function figuresOf(runs: readonly Counted[]): string[] {
  const sum = (pick: (run: Counted) => number) => runs.reduce((total, run) => total + pick(run), 0)
  const peak = Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes))
  return [
    seconds(sum(({ ms }) => ms)),
    `${runs.length} runs`,
    `${sum(({ requests }) => requests)} requests to XNAT`,
    mebibytes(peak),
  ]
}

/** Hands the messages of a queue over, so many at a time, until there are none. */
async function drain(
  reader: ReturnType<typeof createQueueReader>,
  batchSize: number,
  take: (bodies: object[]) => Promise<Counted>,
): Promise<Counted[]> {
  const runs: Counted[] = []
  for (;;) {
    const messages = await reader.receive({ hiddenSeconds: 600 })
    if (messages.length === 0) return runs
    for (let start = 0; start < messages.length; start += batchSize) {
      const batch = messages.slice(start, start + batchSize)
      runs.push(await take(batch.map(({ body }) => JSON.parse(body))))
    }
    await reader.remove(messages.map(({ receiptHandle }) => receiptHandle))
  }
}

/** A tenth of them due, and no more of them asked for than usual. */
async function lookAtMany(): Promise<void> {
  const site = await startLargeImport(6 * 60 * minuteMs)
  const imports = await site.aws.queue('imports.fifo', { FifoQueue: 'true' })
  const orders = await site.aws.queue('studies')
  const env = { ...site.environment, IMPORTS_QUEUE_URL: imports.url, STUDIES_QUEUE_URL: orders.url }
  const planner = await startLambda('workers/import-cohort', env)
  try {
    const accessionNumbers = Array.from({ length: manyStudies }, (_, index) => `ACC${String(index).padStart(8, '0')}`)
    for (const [index, accessionNumber] of accessionNumbers.entries()) {
      const study = { accessionNumber, studyInstanceUid: `2.25.3389275013428417${index}` }
      const isDue = index % 10 === 0
      site.remember(study, isDue ? { code: 'NOT_ON_PACS' } : { code: 'VERIFIED', verified: [`XNAT_E${index}`] })
    }
    await site.write(accessionNumbers)
    const ledger = await site.state.find(`ledgers/${site.projectId}.json`)
    console.log(`a cohort of ${manyStudies}, its ledger ${((ledger?.sizeBytes ?? 0) / 1e6).toFixed(1)} MB`)
    const look = await counted(site, () => invokeWorker(planner, eventOf([lookAt(site.projectId)])))
    line(
      'one look of import-cohort',
      seconds(look.ms),
      `${look.requests} requests to XNAT`,
      mebibytes(look.peakRssBytes),
    )
  } finally {
    await planner.stop()
    await site.stop()
  }
}

async function sweepProjects(): Promise<void> {
  const aws = await startLocalAws()
  const state = await aws.bucket('state')
  const imports = await aws.queue('imports.fifo', { FifoQueue: 'true' })
  const { accessKeyId, secretAccessKey } = await aws.s3.config.credentials()
  let sweep: BenchLambda | undefined
  try {
    for (let start = 0; start < projects; start += 100) {
      const ids = Array.from({ length: 100 }, (_, index) => `P${start + index}`)
      await Promise.all(ids.map((projectId) => registerImport(state, { projectId }, () => new Date())))
    }
    sweep = await startLambda('schedules/sweep-imports', {
      ...testEnvironment,
      IMPORTS_QUEUE_URL: imports.url,
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_S3: aws.s3Server.url,
      AWS_ENDPOINT_URL_SQS: aws.sqsServer.url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    })
    const { ms, peakRssBytes } = await sweep.invoke({ time: new Date().toISOString().replace(/\.\d+/, '') })
    const sent = aws.sqsServer.messageCounts('imports.fifo').ready
    if (sent !== projects) throw new Error(`${sent} messages were sent`)
    console.log(`${projects} registered projects`)
    line('sweep-imports', seconds(ms), mebibytes(peakRssBytes))
  } finally {
    await sweep?.stop()
    await aws.stop()
  }
}
