import type { Change } from '../journal.ts'
import { Table } from '../table.ts'
import { Groups, Lines } from '../table-indexes.ts'
import { PacsStudy } from './pacs-study.ts'
import {
  DqrPreference,
  DqrProjectSettings,
  ExecutedRequest,
  Pacs,
  PacsAvailability,
  PacsPing,
  QueuedRequest,
  Receiver,
  StudyRouting,
  StudyScript,
} from './records.ts'
import type { DqrThread } from './threads.ts'

export type DqrCounter =
  | 'pacs'
  | 'pacsAvailability'
  | 'pacsPing'
  | 'dqrProjectSettings'
  | 'dqrQueue'
  | 'dqrHistory'
  | 'receiver'

/** The records of DQR, of XNAT's receivers, and of the simulated PACS behind them. */
export class DqrTables {
  readonly pacs: Table<Pacs>
  readonly availability: Table<PacsAvailability>
  readonly pings: Table<PacsPing>
  readonly projectSettings: Table<DqrProjectSettings>
  readonly queue: Table<QueuedRequest>
  readonly history: Table<ExecutedRequest>
  readonly routings: Table<StudyRouting>
  readonly scripts: Table<StudyScript>
  readonly receivers: Table<Receiver>
  readonly preferences: Table<{ name: string; value: string }>
  readonly pacsStudies: Table<PacsStudy>

  /** What waits to be taken out of the queue, one line per PACS. DQR: by priority, then by age; what failed waits too. */
  readonly waiting = new Lines<QueuedRequest>({
    lineOf: (request) => (isWaiting(request) ? String(request.pacsId) : undefined),
    compare: (one, other) =>
      one.priority - other.priority || one.queuedTimeMs - other.queuedTimeMs || one.id - other.id,
  })
  /** The same in one line, by age. */
  readonly waitingByAge = new Lines<QueuedRequest>({
    lineOf: (request) => (isWaiting(request) ? '' : undefined),
    compare: (one, other) => one.queuedTimeMs - other.queuedTimeMs || one.id - other.id,
  })
  /** In lower case. */
  readonly pacsStudiesByAccession = new Groups<PacsStudy>(byStudy, ({ accessionNumber }) => [
    accessionNumber.trim().toLowerCase(),
  ])

  /** Retrieves under way. */
  threads: DqrThread[] = []
  /** When threads were last started. */
  checkedAtMs = 0

  constructor(save: (change: Change) => void) {
    const keyOf = ({ id }: { id: number }) => String(id)
    this.pacs = new Table({ name: 'pacs', schema: Pacs, keyOf }, save)
    this.availability = new Table({ name: 'pacsAvailability', schema: PacsAvailability, keyOf }, save)
    this.pings = new Table({ name: 'pacsPings', schema: PacsPing, keyOf }, save)
    this.projectSettings = new Table(
      { name: 'dqrProjectSettings', schema: DqrProjectSettings, keyOf: ({ projectId }) => projectId },
      save,
    )
    const queued = [this.waiting, this.waitingByAge]
    this.queue = new Table({ name: 'dqrQueue', schema: QueuedRequest, keyOf, indexes: queued }, save)
    this.history = new Table({ name: 'dqrHistory', schema: ExecutedRequest, keyOf, groupOf: byStudy }, save)
    this.routings = new Table({ name: 'studyRoutings', schema: StudyRouting, keyOf: byStudy }, save)
    this.scripts = new Table({ name: 'studyScripts', schema: StudyScript, keyOf: byStudy }, save)
    this.receivers = new Table({ name: 'receivers', schema: Receiver, keyOf }, save)
    this.preferences = new Table({ name: 'dqrPreferences', schema: DqrPreference, keyOf: ({ name }) => name }, save)
    this.pacsStudies = new Table(
      { name: 'pacsStudies', schema: PacsStudy, keyOf: byStudy, indexes: [this.pacsStudiesByAccession] },
      save,
    )
  }

  all() {
    return [
      this.pacs,
      this.availability,
      this.pings,
      this.projectSettings,
      this.queue,
      this.history,
      this.routings,
      this.scripts,
      this.receivers,
      this.preferences,
      this.pacsStudies,
    ]
  }
}

function byStudy({ studyInstanceUid }: { studyInstanceUid: string }): string {
  return studyInstanceUid
}

function isWaiting({ status }: QueuedRequest): boolean {
  return status === 'QUEUED' || status === 'FAILED'
}
