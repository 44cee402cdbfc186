import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Catalogs } from './catalog.ts'
import type { Experiment, Resource, ResourceParent } from './records.ts'
import type { State } from './state.ts'

/** The folders of XNAT's archive: files, their catalogs, and the cache to which deleted files are moved. */
export class Archive {
  readonly root: string
  readonly catalogs = new Catalogs()
  readonly #uploads: string
  readonly #cache: string
  #spooled = 0

  constructor(dataDir: string) {
    this.root = join(dataDir, 'archive')
    this.#uploads = join(dataDir, 'uploads')
    this.#cache = join(dataDir, 'cache')
  }

  /** Makes the folders; what uploads left behind in a crash goes. */
  async open(): Promise<void> {
    await rm(this.#uploads, { recursive: true, force: true })
    for (const folder of [this.root, this.#uploads, this.#cache]) await mkdir(folder, { recursive: true })
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
    await rename(this.folderOf(resource), join(this.#cache, `resource-${resource.resourceId}`))
  }

  async discardFile(resource: Resource, path: string): Promise<void> {
    await rm(this.fileOf(resource, path), { force: true })
  }

  /** A folder for a new resource that nothing was ever stored in. */
  async newFolder(
    state: State,
    resource: { resourceId: number; label: string; parent: ResourceParent },
  ): Promise<string> {
    const parent = parentFolder(state, resource.parent)
    const name = folderName(resource.label)
    const taken = await readdir(join(this.root, parent)).catch(ifMissing<string[]>([]))
    const folder = join(parent, taken.includes(name) ? `${name}_${resource.resourceId}` : name)
    await mkdir(join(this.root, folder), { recursive: true })
    return folder
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

/** A label as a folder's name: nothing in it can lead out of the parent folder. */
function folderName(label: string): string {
  const safe = label.replace(/[^\w.-]/g, '_').slice(0, 200)
  return /^\.*$/.test(safe) ? `_${safe.length}` : safe
}

export function ifMissing<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return instead
    throw error
  }
}
