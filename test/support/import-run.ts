// The functions of an import between real queues, on the clock of the import rig.
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { createHandler as createRetrieval } from '../../functions/api/retrieval.ts'
import { createHandler as createSweep } from '../../functions/schedules/sweep-imports.ts'
import { createHandler as createPlanner } from '../../functions/workers/import-cohort.ts'
import { createHandler as createAsker } from '../../functions/workers/import-studies.ts'
import type { LoggedRequest } from '../../infra/local/xnat-server/request-log.ts'
import { type Ledger, readLedger } from '../../lib/imports/ledger.ts'
import { registerImport } from '../../lib/provisioning/registration.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { type ApiReply, type ApiRequest, apiEvent } from './api-requests.ts'
import { lambdaContext, sqsEvent } from './events.ts'
import { type ImportRig, type ImportRigOptions, startImportRig } from './import-rig.ts'
import { type MemoryQueue, memoryQueue } from './memory-queue.ts'
import { type TestWired, testWired } from './wired.ts'

export interface ImportRun extends ImportRig {
  wired: TestWired
  /** What could never be done: messages of both queues, by their code. */
  letters(): (string | undefined)[]
  /** Asks the retrieval API. */
  ask(
    request: Pick<ApiRequest, 'method' | 'path'> & { query?: Record<string, string>; body?: unknown },
  ): Promise<ApiReply>
  /** One round of the schedule, without what follows from it. */
  sweep(): Promise<void>
  /** Runs planner and asker until neither has a message; the number of messages that were handed back. */
  settle(): Promise<number>
  /** One run of the planner, or of the asker, if there is a message for it. */
  step(queue: 'imports' | 'studies'): Promise<'done' | 'handed back' | 'nothing there'>
  /** The project as a hub without a hub project leaves it: registered with a query. */
  register(query: string, projectId?: string): Promise<void>
  /** Another project that may import. */
  addProject(projectId: string): Promise<void>
  ledger(projectId?: string): Promise<Ledger>
  /** Where each of the cohort stands, by the API: `state reason`. */
  standings(projectId?: string): Promise<Record<string, string>>
  /** What XNAT was asked of this kind since it was last forgotten. */
  asked(what: RegExp): LoggedRequest[]
}

/** How studies are asked for. */
export const questions = /^POST \/xapi\/dqr\/query\/studies$/
/** How their import is requested. */
export const importRequests = /^POST \/xapi\/dqr\/import$/

export async function startImportRun(
  environment: Record<string, string> = {},
  options: ImportRigOptions = {},
): Promise<ImportRun> {
  const rig = await startImportRig(options)
  const { aws, standIn, projectId } = rig
  const fifo = await aws.queue('imports.fifo', { FifoQueue: 'true' })
  const standard = await aws.queue('studies')
  const letters: Record<'imports' | 'studies', MemoryQueue> = { imports: memoryQueue(), studies: memoryQueue() }
  const parts = testWired(
    {
      xnat: rig.xnat,
      state: rig.state,
      dataAccess: rig.dataAccess,
      imports: { queue: fifo.queue, deadLetters: letters.imports },
      studies: { queue: standard.queue, deadLetters: letters.studies },
    },
    { PACS_FINDS_PER_SECOND: '1000', STATUS_CACHE_SECONDS: '0', ...environment },
  )
  // Handlers pass on all that they are wired with, a clock too.
  const wired = { ...parts, now: rig.now }
  const wire = () => wired
  const functions = {
    imports: { url: fifo.url, batchSize: 1, handler: createPlanner(wire) },
    studies: { url: standard.url, batchSize: 5, handler: createAsker(wire) },
  }
  const [api, sweeper] = [createRetrieval(wire), createSweep(wire)]

  const step: ImportRun['step'] = async (name) => {
    const { url, batchSize, handler } = functions[name]
    const received = await receive(rig, { url, batchSize })
    if (received.Records.length === 0) return 'nothing there'
    const answer: SQSBatchResponse = await handler(received, lambdaContext())
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
    for (const { messageId, receiptHandle } of received.Records) {
      if (failed.has(messageId)) continue
      await aws.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receiptHandle }))
    }
    return failed.size === 0 ? 'done' : 'handed back'
  }

  const ask: ImportRun['ask'] = async ({ body, path, ...request }) => {
    const [, route, id = ''] = /^(.+)\/([^/]+)$/.exec(path) ?? []
    const event = apiEvent({
      ...request,
      path: `${route}/${id}`,
      pathParameters: { project_id: id },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const { statusCode: status = 0, headers = {}, body: text = '' } = await api(event, lambdaContext())
    return {
      status,
      headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, String(value)])),
      text,
      body: JSON.parse(text),
    }
  }

  return {
    ...rig,
    wired: parts,
    letters: () => [...letters.imports.sent, ...letters.studies.sent].map(({ attributes }) => attributes?.['code']),
    ask,
    step,
    async sweep() {
      await sweeper({ time: rig.now().toISOString() }, lambdaContext())
    },
    async settle() {
      let handedBack = 0
      for (;;) {
        const ends = [await step('imports'), await step('studies')]
        handedBack += ends.filter((end) => end === 'handed back').length
        if (ends.every((end) => end === 'nothing there')) return handedBack
      }
    },
    async register(query, of = projectId) {
      await registerImport(rig.state, { projectId: of, query, secondaryId: `${of}-hub` }, rig.now)
    },
    async addProject(id) {
      await createProject(rig.xnat, { projectId: id, secondaryId: `${id}-hub`, name: id })
      standIn.pacs.register({ projects: [id] })
    },
    async ledger(of = projectId) {
      const stored = await readLedger(rig.state, of)
      if (stored.kind === 'none') throw new Error('there is no ledger')
      return stored.ledger
    },
    async standings(of = projectId) {
      const { body } = await ask({ method: 'GET', path: `/retrieval/import_status/${of}`, query: { limit: '10000' } })
      const { studies } = body as { studies: { accession_number: string; state: string; reason: string | null }[] }
      return Object.fromEntries(
        studies.map(({ accession_number, state, reason }) => [
          accession_number,
          reason === null ? state : `${state} ${reason}`,
        ]),
      )
    },
    asked: (what) => standIn.requests.list().filter(({ method, path }) => what.test(`${method} ${path.split('?')[0]}`)),
  }
}

/** As Lambda's event source mapping hands messages in. */
async function receive({ aws }: ImportRig, { url, batchSize }: { url: string; batchSize: number }): Promise<SQSEvent> {
  const { Messages = [] } = await aws.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: batchSize,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
    }),
  )
  const { Records } = sqsEvent(Messages.map(({ Body = '' }) => Body))
  return {
    Records: Records.map((record, index) => {
      const { MessageId = '', ReceiptHandle = '', Attributes = {} } = Messages[index] ?? {}
      return {
        ...record,
        messageId: MessageId,
        receiptHandle: ReceiptHandle,
        attributes: { ...record.attributes, ...Attributes },
      }
    }),
  }
}
