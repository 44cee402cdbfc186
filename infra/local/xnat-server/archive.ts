import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Catalogs } from './catalog.ts'
import { ifMissing } from './missing.ts'
import type { Experiment, Project, Resource, ResourceParent } from './records.ts'
import type { State } from './state.ts'

/** The folders of XNAT's archive: files, their catalogs, and the cache to which deleted files are moved. */
export class Archive {
  readonly root: string
  /** Sessions that are not archived yet. */
  readonly received: string
  readonly userCache: string
  readonly catalogs = new Catalogs()
  readonly #uploads: string
  readonly #cache: string
  /** Sessions that are being archived, and received files that are being written: XNAT lets nobody else in. */
  readonly locks = new Set<string>()
  #spooled = 0

  constructor(dataDir: string) {
    this.root = join(dataDir, 'archive')
    this.received = join(dataDir, 'prearchive')
    this.userCache = join(dataDir, 'user-cache')
    this.#uploads = join(dataDir, 'uploads')
    this.#cache = join(dataDir, 'cache')
  }

  /** Makes the folders; what uploads left behind in a crash goes. */
  async open(): Promise<void> {
    await rm(this.#uploads, { recursive: true, force: true })
    for (const folder of [this.root, this.received, this.userCache, this.#uploads, this.#cache])
      await mkdir(folder, { recursive: true })
  }

  folderOf(resource: Resource): string {
    return join(this.root, resource.folder)
  }

  catalogOf(resource: Resource): string {
    return join(this.folderOf(resource), `${folderName(resource.label)}_catalog.xml`)
  }

  fileOf(resource: Resource, path: string): string {
    return join(this.folderOf(resource), path)
  }

  /** A path on the same file system to which a body can be written before it takes its place. */
  spoolPath(): string {
    this.#spooled += 1
    return join(this.#uploads, String(this.#spooled))
  }

  /** Takes a resource's files out of the archive. */
  async discard(resource: Resource): Promise<void> {
    this.catalogs.forget(this.catalogOf(resource))
    // Nothing to move when another record of the same label shared the folder.
    await rename(this.folderOf(resource), join(this.#cache, `resource-${resource.resourceId}`)).catch(
      ifMissing(undefined),
    )
  }

  async discardFile(resource: Resource, path: string): Promise<void> {
    await rm(this.fileOf(resource, path), { force: true })
  }

  /** Where XNAT keeps a resource: by the labels above it. */
  folderFor(state: State, { label, parent }: Pick<Resource, 'label' | 'parent'>): string {
    return join(parentFolder(state, parent), folderName(label))
  }

  /** Where a session's files are, or will be once there is one of that label. */
  sessionFolder(project: Project, label: string): string {
    return join(folderName(project.projectId), folderName(project.currentArc), folderName(label))
  }

  scanResourceFolder(project: Project, sessionLabel: string, scanId: string, resourceLabel: string): string {
    return join(this.sessionFolder(project, sessionLabel), 'SCANS', folderName(scanId), folderName(resourceLabel))
  }

  /** Moves resources whose parents got another label or project. */
  async relocate(state: State, resources: readonly Resource[]): Promise<void> {
    for (const resource of resources) {
      const folder = this.folderFor(state, resource)
      if (folder === resource.folder) continue
      await mkdir(dirname(join(this.root, folder)), { recursive: true })
      await rename(this.folderOf(resource), join(this.root, folder))
      state.resources.put({ ...resource, folder })
    }
  }
}

function parentFolder(state: State, parent: ResourceParent): string {
  if (parent.level === 'project') return join(folderName(parent.id), 'resources')
  if (parent.level === 'subject') {
    const subject = state.subjects.get(parent.id)
    return join(folderName(subject?.projectId ?? ''), 'subjects', folderName(subject?.label ?? parent.id))
  }
  if (parent.level === 'scan') {
    const scan = state.scans.get(parent.id)
    return join(experimentFolder(state, scan?.sessionId ?? ''), 'SCANS', folderName(scan?.scanId ?? parent.id))
  }
  const experiment = experimentFolder(state, parent.id)
  return parent.direction === undefined
    ? join(experiment, 'RESOURCES')
    : join(experiment, parent.direction.toUpperCase())
}

function experimentFolder(state: State, experimentId: string): string {
  const experiment: Experiment | undefined = state.experiments.get(experimentId)
  if (experiment === undefined) throw new Error(`no experiment ${experimentId}`)
  if (experiment.sessionId !== undefined) {
    return join(experimentFolder(state, experiment.sessionId), 'ASSESSORS', folderName(experiment.label))
  }
  const arc = state.projects.get(experiment.projectId)?.currentArc ?? 'arc001'
  return join(folderName(experiment.projectId), folderName(arc), folderName(experiment.label))
}

/** A label as a folder's name: no two labels share one, and none leads out of the parent folder. */
function folderName(label: string): string {
  const escaped = label.replace(/[^\w.-]/gu, (character) => `%${character.codePointAt(0)?.toString(16)}`)
  return /^\.*$/.test(escaped) ? escaped.replaceAll('.', '%2e') : escaped
}
