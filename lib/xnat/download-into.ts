import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InvalidInputError } from '../errors.ts'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { saveListed } from './download-file.ts'
import { filePath } from './path.ts'
import type { Progress } from './progress.ts'
import type { FileEntry, ResourceRef } from './resources.ts'

export interface DownloadFolderOptions extends CallOptions {
  /** Files at a time. Default 4. */
  concurrency?: number
  onProgress?: (progress: Progress) => void
}

export interface PlacedFile {
  ref: ResourceRef
  file: FileEntry
  /** Where it goes below the folder, `/` between segments. */
  path: string
}

/** Downloads files into a folder, several at a time. */
export async function downloadInto(
  client: XnatClient,
  files: readonly PlacedFile[],
  folder: string,
  { concurrency = 4, onProgress = () => undefined, signal }: DownloadFolderOptions,
): Promise<{ files: number; bytes: number }> {
  for (const { path, file } of files) {
    refuseUnsafe(path)
    // Now, and not half-way: a name that no URL can carry cannot be asked for.
    filePath(file.path)
  }
  const totalBytes = files.reduce((sum, { file }) => sum + file.sizeBytes, 0)
  let doneBytes = 0
  const onBytes = (bytes: number) => {
    doneBytes += bytes
    onProgress({ doneBytes, totalBytes })
  }
  await mkdir(folder, { recursive: true })
  await forEach(files, { concurrency, signal }, async ({ ref, file, path }, either) => {
    const location = join(folder, ...path.split('/'))
    await mkdir(dirname(location), { recursive: true })
    await saveListed(client, ref, { file, location, onBytes }, { signal: either })
  })
  return { files: files.length, bytes: totalBytes }
}

/** Works on several at a time. After the first failure the others are stopped, and waited for, before it is thrown. */
async function forEach<T>(
  items: readonly T[],
  { concurrency, signal: callers }: { concurrency: number; signal: AbortSignal | undefined },
  act: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const signal = callers === undefined ? stop.signal : AbortSignal.any([callers, stop.signal])
  const waiting = items.values()
  const worker = async () => {
    try {
      for (const item of waiting) await act(item, signal)
    } catch (error) {
      stop.abort(error)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  stop.signal.throwIfAborted()
}

// Names come from whoever uploaded them: "../" or a drive letter would write elsewhere.
function refuseUnsafe(path: string): void {
  const segments = path.split('/')
  if (/[\\\0]|^[A-Za-z]:/.test(path) || segments.some((each) => each === '' || each === '.' || each === '..')) {
    throw new InvalidInputError('A file name leads out of the folder', { code: 'UNSAFE_FILE_NAME' })
  }
}
