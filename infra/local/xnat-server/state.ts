import { join } from 'node:path'
import * as z from 'zod'
import { AliasToken } from './alias-tokens.ts'
import { type ContainerCounter, ContainerTables } from './containers/tables.ts'
import { DirectArchiveRow, directArchiveKey, folderKey } from './direct-archive/row.ts'
import { DownloadCatalogs } from './download-catalogs.ts'
import { type DqrCounter, DqrTables } from './dqr/tables.ts'
import { type EventCounter, EventTables } from './events/tables.ts'
import { watchForEvents } from './events/watch.ts'
import { FailedLogins } from './failed-logins.ts'
import { Tracking } from './import/tracking.ts'
import { type Change, Journal } from './journal.ts'
import { waitingSessions } from './prearchive/due.ts'
import { entryKey, PrearchiveEntry } from './prearchive/entry.ts'
import {
  defaultSettings,
  Experiment,
  Project,
  Resource,
  type ResourceParent,
  Scan,
  SiteSettings,
  Subject,
  User,
} from './records.ts'
import type { Sessions } from './sessions.ts'
import { noSwitches, Switches } from './switches.ts'
import { Table } from './table.ts'
import { Groups } from './table-indexes.ts'

const DeletedProject = z.object({ projectId: z.string() })
const SiteProperty = z.object({ name: z.string(), value: z.unknown() })
const Sequence = z.object({ name: z.string(), value: z.number() })
type Counter =
  | 'user'
  | 'subject'
  | 'experiment'
  | 'scan'
  | 'resource'
  | 'event'
  | 'received'
  | 'aliasToken'
  | DqrCounter
  | ContainerCounter
  | EventCounter

/** Everything the stand-in knows apart from files. Every change is in the journal before the call returns. */
export class State {
  readonly users: Table<User>
  readonly projects: Table<Project>
  readonly subjects: Table<Subject>
  readonly experiments: Table<Experiment>
  readonly scans: Table<Scan>
  readonly resources: Table<Resource>
  readonly deletedProjects: Table<z.infer<typeof DeletedProject>>
  readonly aliasTokens: Table<AliasToken>
  /** What administrators set that the stand-in has no use of its own for. */
  readonly siteProperties: Table<z.infer<typeof SiteProperty>>
  readonly failedLogins = new FailedLogins()
  readonly dqr: DqrTables
  readonly containers: ContainerTables
  readonly events: EventTables
  readonly tracking = new Tracking()
  readonly downloads = new DownloadCatalogs()
  /** Live logins. They are lost in a restart. */
  readonly sessions: Sessions
  readonly prearchive: Table<PrearchiveEntry>
  readonly prearchiveWaiting = waitingSessions<PrearchiveEntry>()
  readonly directArchive: Table<DirectArchiveRow>
  readonly directArchiveWaiting = waitingSessions<DirectArchiveRow>()
  /** By `folderKey`. */
  readonly directArchiveFolders = new Groups<DirectArchiveRow>(directArchiveKey, (row) => [folderKey(row)])
  /** By `labelKey`, in every project that shows them. */
  readonly subjectLabels = new Groups<Subject>(({ subjectId }) => subjectId, labelKeys)
  readonly experimentLabels = new Groups<Experiment>(({ experimentId }) => experimentId, labelKeys)
  readonly #settings: Table<SiteSettings>
  readonly #switches: Table<Switches>
  readonly #sequences: Table<z.infer<typeof Sequence>>
  readonly #journal: Journal

  constructor(dataDir: string, sessions: Sessions) {
    this.sessions = sessions
    this.#journal = new Journal(join(dataDir, 'records.jsonl'))
    const save = (change: Change) => this.#journal.append(change)
    this.users = new Table({ name: 'users', schema: User, keyOf: (user) => user.username }, save)
    this.projects = new Table({ name: 'projects', schema: Project, keyOf: (project) => project.projectId }, save)
    this.subjects = new Table(
      {
        name: 'subjects',
        schema: Subject,
        keyOf: (subject) => subject.subjectId,
        groupOf: (subject) => subject.projectId,
        indexes: [this.subjectLabels],
      },
      save,
    )
    this.experiments = new Table(
      {
        name: 'experiments',
        schema: Experiment,
        keyOf: (experiment) => experiment.experimentId,
        groupOf: (experiment) => experiment.projectId,
        indexes: [this.experimentLabels],
      },
      save,
    )
    this.scans = new Table(
      { name: 'scans', schema: Scan, keyOf: (scan) => String(scan.rowId), groupOf: (scan) => scan.sessionId },
      save,
    )
    this.resources = new Table(
      {
        name: 'resources',
        schema: Resource,
        keyOf: (resource) => String(resource.resourceId),
        groupOf: (resource) => parentKey(resource.parent),
      },
      save,
    )
    this.deletedProjects = new Table(
      { name: 'deletedProjects', schema: DeletedProject, keyOf: (project) => project.projectId },
      save,
    )
    this.aliasTokens = new Table({ name: 'aliasTokens', schema: AliasToken, keyOf: (token) => token.alias }, save)
    this.siteProperties = new Table(
      { name: 'siteProperties', schema: SiteProperty, keyOf: (property) => property.name },
      save,
    )
    const byStudy = ({ studyInstanceUid }: { studyInstanceUid: string }) => studyInstanceUid
    this.prearchive = new Table(
      {
        name: 'prearchive',
        schema: PrearchiveEntry,
        keyOf: entryKey,
        groupOf: byStudy,
        indexes: [this.prearchiveWaiting],
      },
      save,
    )
    this.directArchive = new Table(
      {
        name: 'directArchive',
        schema: DirectArchiveRow,
        keyOf: directArchiveKey,
        groupOf: byStudy,
        indexes: [this.directArchiveWaiting, this.directArchiveFolders],
      },
      save,
    )
    this.#switches = new Table({ name: 'switches', schema: Switches, keyOf: () => 'site' }, save)
    this.dqr = new DqrTables(save)
    this.containers = new ContainerTables(save)
    this.events = new EventTables(save)
    this.#settings = new Table({ name: 'settings', schema: SiteSettings, keyOf: () => 'site' }, save)
    this.#sequences = new Table({ name: 'sequences', schema: Sequence, keyOf: (sequence) => sequence.name }, save)
    this.#load()
    watchForEvents(this)
  }

  get settings(): SiteSettings {
    return this.#settings.get('site') ?? defaultSettings
  }

  configure(changes: Partial<SiteSettings>): void {
    this.#settings.put({ ...this.settings, ...changes })
  }

  get switches(): Switches {
    return this.#switches.get('site') ?? noSwitches
  }

  /** Switches lasting misbehaviour on or off. */
  arrange(changes: Partial<Switches>): void {
    this.#switches.put({ ...this.switches, ...changes })
  }

  next(counter: Counter): number {
    const value = (this.#sequences.get(counter)?.value ?? 0) + 1
    this.#sequences.put({ name: counter, value })
    return value
  }

  /** Adds an account, enabled and verified unless told otherwise. Its password is its username unless given. */
  addUser(user: Partial<User> & { username: string }): User {
    return this.users.put({
      id: this.next('user'),
      password: user.username,
      firstName: user.username,
      lastName: user.username,
      email: `${user.username}@example.org`,
      enabled: true,
      verified: true,
      roles: [],
      groups: [],
      ...user,
    })
  }

  resourcesOf(parent: Pick<ResourceParent, 'level' | 'id'>): Resource[] {
    return this.resources.group(parentKey(parent))
  }

  close(): void {
    this.#journal.close()
  }

  #load(): void {
    const tables = [
      this.users,
      this.projects,
      this.subjects,
      this.experiments,
      this.scans,
      this.resources,
      this.deletedProjects,
      this.aliasTokens,
      this.siteProperties,
      ...this.dqr.all(),
      ...this.containers.all(),
      ...this.events.all(),
      this.prearchive,
      this.directArchive,
      this.#switches,
      this.#settings,
      this.#sequences,
    ]
    const byName = new Map(tables.map((table) => [table.name, table]))
    for (const change of this.#journal.read()) byName.get(change.table)?.replay(change)
    this.#journal.rewrite(tables.flatMap((table) => table.changes()))
  }
}

/** A label in a project. XNAT: subjects are found whatever its case, so it is folded here, and compared by whoever asks. */
export function labelKey(projectId: string, label: string): string {
  return `${projectId}/${label.toLowerCase()}`
}

function labelKeys({ projectId, label, shares }: Pick<Experiment, 'projectId' | 'label' | 'shares'>): string[] {
  return [{ projectId, label }, ...shares].map((place) => labelKey(place.projectId, place.label))
}

function parentKey(parent: Pick<ResourceParent, 'level' | 'id'>): string {
  return `${parent.level}:${parent.id}`
}
