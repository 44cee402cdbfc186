// A project's import played on a movable clock: the planner and its helpers, a stand-in XNAT with its PACS, and queues
// that are emptied by hand.
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import type { StudyChoice } from '../../lib/imports/choose-study.ts'
import { askByName, ImportMessage, StudiesOrder, sweepMessage } from '../../lib/imports/messages.ts'
import { createLogger } from '../../lib/log.ts'
import { type ImportSettings, importCohort } from '../../lib/services/import-cohort.ts'
import { type ImportStatus, readImportStatus } from '../../lib/services/import-status.ts'
import { requestStudies } from '../../lib/services/request-studies.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import { createProject, setPrearchiveCode } from '../../lib/xnat/projects.ts'
import { type LocalAws, startLocalAws } from './local-aws.ts'
import { type MemoryQueue, memoryQueue } from './memory-queue.ts'

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs

export interface CohortScenario {
  standIn: XnatServer
  xnat: XnatClient
  state: ObjectStore
  projectId: string
  lines: Record<string, unknown>[]
  now(): Date
  /** Has these taken into the cohort and asked for. */
  name(accessionNumbers: readonly string[]): Promise<void>
  /** One round of the schedule, and all that follows from it at once. */
  sweep(): Promise<void>
  /** Lets time pass, a sweep every so often; `afterEach` is called behind each. */
  pass(ms: number, options?: { everyMs?: number; afterEach?: () => Promise<void> }): Promise<void>
  status(): Promise<ImportStatus>
  /** Sets preferences of DQR, as an administrator would. */
  configureDqr(preferences: Readonly<Record<string, string>>): Promise<void>
  /** How many requests DQR holds. */
  outstanding(): number
  stop(): Promise<void>
}

export const scenarioSettings: ImportSettings = {
  retryPlan: [...Array<number>(3).fill(5 * minuteMs), ...Array<number>(6).fill(30 * minuteMs)],
  stallAfterMs: 2 * hourMs,
  leftovers: { conflict: 'leave', error: 'delete-and-retry', emptySession: 'delete-and-retry' },
  mostOutstanding: 500,
  timeZone: 'UTC',
}

export async function startCohortScenario(
  options: { settings?: Partial<ImportSettings>; studyChoice?: StudyChoice; threads?: number } = {},
): Promise<CohortScenario> {
  const aws: LocalAws = await startLocalAws()
  const state = await aws.bucket('state')
  const begin = new Date('2026-01-05T00:00:00Z')
  const standIn = await startXnat({ now: () => begin })
  const { url, user, password } = standIn
  const xnat = new XnatClient({ url, credentials: { kind: 'password', user, password }, retry: { attempts: 1 } })
  const projectId = 'COHORT'
  await createProject(xnat, { projectId, name: projectId })
  await setPrearchiveCode(xnat, projectId, 4)
  standIn.pacs.register({ projects: [projectId], threads: options.threads ?? 4 })

  const lines: Record<string, unknown>[] = []
  const [imports, studies] = [memoryQueue(), memoryQueue()]
  const now = () => standIn.clock.now()
  const common = {
    xnat,
    state,
    log: createLogger({ level: 'info', write: (line) => lines.push(JSON.parse(line)) }),
    signal: new AbortController().signal,
    imaging: { fallbackPacsId: undefined, receiver: { aeTitle: 'XNAT', port: 8104 } },
    now,
  }
  const importing: ImportSettings = { ...scenarioSettings, ...options.settings }
  const asking = { concurrency: 16, perSecond: 10_000, studyChoice: options.studyChoice ?? ('exactly-one' as const) }

  const settle = async () => {
    for (;;) {
      const body = take(imports)
      if (body !== undefined) {
        await importCohort({ ...common, importing, studies }, ImportMessage.parse(JSON.parse(body)))
        continue
      }
      const orders = studies.sent.splice(0, 5).map((message) => StudiesOrder.parse(JSON.parse(message.body)))
      if (orders.length === 0) return
      const failed = await requestStudies({ ...common, imports, asking }, orders)
      if (failed[0] !== undefined) throw failed[0].error
    }
  }
  const sweep = async () => {
    await imports.send([sweepMessage(projectId, now().toISOString())])
    await settle()
  }
  return {
    standIn,
    xnat,
    state,
    projectId,
    lines,
    now,
    sweep,
    async name(accessionNumbers) {
      await askByName(imports, projectId, accessionNumbers)
      await settle()
    },
    async pass(ms, { everyMs = 5 * minuteMs, afterEach } = {}) {
      const until = now().getTime() + ms
      while (now().getTime() < until) {
        await standIn.clock.advance(Math.min(everyMs, until - now().getTime()))
        await sweep()
        await afterEach?.()
      }
    },
    status: () => readImportStatus({ ...common, importing }, { projectId }),
    async configureDqr(preferences) {
      const body = { text: JSON.stringify(preferences), contentType: 'application/json' }
      await xnat.post(xnatPath`/xapi/dqr/settings`, { body })
    },
    outstanding: () => standIn.state.dqr.queue.all().length,
    async stop() {
      await xnat.close()
      await standIn.stop()
      await aws.stop()
    },
  }
}

const take = (queue: MemoryQueue) => queue.sent.shift()?.body
