import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { exitCodes, Failure, usageFailure } from '../failure.ts'

export interface LocalFile {
  /** From the folder, with `/` between the names. */
  name: string
  location: string
  sizeBytes: number
}

/**
 * The files of a folder and of all folders below it, by name. Links to files count as files.
 *
 * @throws {Failure} when it cannot be read, or holds what is neither file nor folder: nothing is left out unsaid.
 */
export async function listFolder(folder: string): Promise<LocalFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(folder, error)
  })
  const files: LocalFile[] = []
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    const location = join(entry.parentPath, entry.name)
    const name = relative(folder, location).split(sep).join('/')
    const { size: sizeBytes, isPlain } = await factsOf(location, name)
    if (!isPlain) throw usageFailure(`${name} is neither a file nor a folder. Nothing was sent.`)
    files.push({ name, location, sizeBytes })
  }
  return files.sort((one, other) => (one.name < other.name ? -1 : 1))
}

async function factsOf(location: string, name: string): Promise<{ size: number; isPlain: boolean }> {
  try {
    const facts = await stat(location)
    return { size: facts.size, isPlain: facts.isFile() }
  } catch (error) {
    throw unreadable(name, error)
  }
}

/** For what the system says of a file; other errors are given back. */
export function unreadable(name: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return error
  return new Failure(`${name} cannot be read: ${error.code}`, exitCodes.failed, { cause: error })
}
