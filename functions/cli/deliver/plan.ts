// Which object each file becomes, and which marker says that a DICOM session's files are complete.
import { type DeliveryTarget, parseObjectKey, type SessionTarget } from '../../../lib/delivery/object-key.ts'
import { InvalidInputError } from '../../../lib/errors.ts'
import { usageFailure } from '../failure.ts'
import { maxFileBytes } from './content.ts'
import type { LocalFile } from './folder.ts'

export interface PlannedFile extends LocalFile {
  key: string
  target: DeliveryTarget | SessionTarget
  /** What receipts call it. */
  path: string
  /** Of a loose file of a DICOM session, which waits for it. */
  marker?: Marker
}

export interface Marker {
  key: string
  target: SessionTarget
  /** What the receipt of a failure calls it. */
  path: string
}

export interface DeliveryPlan {
  /** As the keys spell it. */
  projectName: string
  /** What all keys begin with. */
  prefix: string
  files: readonly PlannedFile[]
}

/** S3: a key has at most 1,024 bytes. */
const maxKeyBytes = 1024
const namesShown = 5

/**
 * Plans the delivery of these files below a key prefix. Markers among them are made anew, and none is a file.
 *
 * @throws {Failure} naming every file that could not be delivered under its key.
 */
export function planDelivery(to: string, files: readonly LocalFile[]): DeliveryPlan {
  const prefix = to.endsWith('/') ? to : `${to}/`
  const projectName = /^projects\/([^/]+)\//.exec(prefix)?.[1]
  if (projectName === undefined) throw usageFailure('--to has to name a project: projects/P/...')
  const planned: PlannedFile[] = []
  const faults = new Map<string, string[]>()
  for (const file of files) {
    try {
      const one = planFile(prefix, file)
      if (one !== undefined) planned.push(one)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      const names = faults.get(error.message) ?? []
      names.push(file.name)
      faults.set(error.message, names)
    }
  }
  if (faults.size > 0) throw usageFailure(`nothing was sent.\n${[...faults].map(faultText).join('\n')}`)
  if (planned.length === 0) throw usageFailure('there are no files to send')
  return { projectName, prefix, files: planned }
}

function faultText([reason, names]: [string, string[]]): string {
  const more = names.length > namesShown ? [`  and ${names.length - namesShown} more`] : []
  return [reason, ...names.slice(0, namesShown).map((name) => `  ${name}`), ...more].join('\n')
}

function planFile(to: string, file: LocalFile): PlannedFile | undefined {
  const key = to + file.name
  const parsed = parseObjectKey(key)
  if (Buffer.byteLength(key) > maxKeyBytes) throw new InvalidInputError('Its key has more bytes than S3 takes.')
  if (file.sizeBytes > maxFileBytes) throw new InvalidInputError('It is larger than any delivery can be.')
  if (parsed.kind === 'folder') return undefined
  const { target, path } = parsed
  if (parsed.kind === 'file' || parsed.part === 'archive') return { ...file, key, target, path }

  // All that is sent below one session is complete at once.
  const folder = to.startsWith(parsed.prefix) ? to : parsed.prefix
  const marker = {
    key: `${folder}_SUCCESS`,
    target: parsed.target,
    path: `${folder}_SUCCESS`.slice(parsed.prefix.length),
  }
  if (parsed.part === 'loose') return { ...file, key, target, path: key.slice(folder.length), marker }
  if (key === marker.key) return undefined
  throw new InvalidInputError('A marker in a folder of its own makes that folder a delivery of its own.')
}
