// Turns a folder of any files into objects for the `incoming` bucket: DICOM by study and series, the rest by path.
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInputError } from '../../lib/errors.ts'
import { type DicomReading, readDicomHead } from './data-folder/dicom-head.ts'
import { type PlannedExperiment, placeInstances } from './data-folder/dicom-placement.ts'

export interface PlannedObject {
  /** XNAT's archive path: the key in the `incoming` bucket. */
  key: string
  sourcePath: string
  sizeBytes: number
  /** The session type (`xsi-type`) on keys that name an experiment. */
  metadata: Record<string, string>
}

export interface FolderPlan {
  objects: PlannedObject[]
  experiments: PlannedExperiment[]
  /** How many files go to the project, because they belong to no series that can be read. */
  otherFiles: number
  /** How many of `otherFiles` begin as DICOM files do. */
  notDicom: number
  /** How many entries are neither files nor folders: symbolic links, sockets and the like. They are left out. */
  skippedEntries: number
}

interface InspectedFile {
  /** From the planned folder, with `/` between the names. */
  relativePath: string
  sourcePath: string
  sizeBytes: number
  reading: DicomReading
}

/** Bounds memory too: the start of every file under inspection is held. */
const filesAtOnce = 16

/** S3: a key has at most 1,024 bytes. */
const keyLimitBytes = 1024

/**
 * Plans the delivery of every file below `dir` into one XNAT project.
 *
 * The same folder always gives the same plan. Files of one study may lie anywhere in it. Nothing is changed or sent.
 *
 * @throws {InvalidInputError} when a folder or file cannot be read, a path is too long for S3, or there are no files.
 */
export async function planFolder(dir: string, options: { projectId: string }): Promise<FolderPlan> {
  const { relativePaths, skippedEntries } = await listFiles(dir)
  if (relativePaths.length === 0) throw new InvalidInputError(`There are no files in ${dir} or below`)

  const files = await mapBounded(relativePaths, filesAtOnce, (relativePath) => inspectFile(dir, relativePath))
  const instances = files.flatMap(({ reading, ...file }) =>
    reading.kind === 'dicom' ? { ...file, head: reading.head } : [],
  )
  const others = files.filter(({ reading }) => reading.kind !== 'dicom')
  const { placed, experiments } = placeInstances(instances)

  const projectPath = `projects/${options.projectId}`
  return {
    objects: [
      ...placed.map(({ source, path, xsiType }) => toObject(source, `${projectPath}/${path}`, { 'xsi-type': xsiType })),
      ...others.map((file) => toObject(file, `${projectPath}/resources/FILES/files/${file.relativePath}`, {})),
    ],
    experiments,
    otherFiles: others.length,
    notDicom: others.filter(({ reading }) => reading.kind === 'broken').length,
    skippedEntries,
  }
}

async function listFiles(dir: string): Promise<{ relativePaths: string[]; skippedEntries: number }> {
  const relativePaths: string[] = []
  let skippedEntries = 0
  const folders = ['']
  for (const folder of folders) {
    for (const entry of await readFolder(join(dir, folder))) {
      const relativePath = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) folders.push(relativePath)
      else if (entry.isFile()) relativePaths.push(relativePath)
      else skippedEntries += 1
    }
  }
  return { relativePaths: relativePaths.sort(), skippedEntries }
}

async function readFolder(path: string) {
  try {
    return await readdir(path, { withFileTypes: true })
  } catch (cause) {
    throw cannotRead('folder', path, cause)
  }
}

async function inspectFile(dir: string, relativePath: string): Promise<InspectedFile> {
  const sourcePath = join(dir, relativePath)
  try {
    await using file = await open(sourcePath)
    const { size: sizeBytes } = await file.stat()
    return { relativePath, sourcePath, sizeBytes, reading: await readDicomHead(file, sizeBytes) }
  } catch (cause) {
    throw cannotRead('file', sourcePath, cause)
  }
}

function cannotRead(what: 'folder' | 'file', path: string, cause: unknown): InvalidInputError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new InvalidInputError(`Cannot read the ${what} ${path}: ${reason}`, { cause })
}

function toObject(
  { sourcePath, sizeBytes }: { sourcePath: string; sizeBytes: number },
  key: string,
  metadata: Record<string, string>,
): PlannedObject {
  if (Buffer.byteLength(key) > keyLimitBytes) {
    throw new InvalidInputError(`The path of ${sourcePath} is too long: S3 keys have at most ${keyLimitBytes} bytes`)
  }
  return { key, sourcePath, sizeBytes, metadata }
}

/** Results in the order of the items. After a failure no further item is begun. */
async function mapBounded<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  // All workers take from one generator: a worker that fails leaves its loop, and that ends the generator for all.
  const queue = (function* () {
    yield* items.entries()
  })()
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: limit }, worker))
  return results
}
