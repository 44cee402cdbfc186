import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { InvalidInputError, XnatError } from '../errors.ts'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { resourcePath } from './resource-path.ts'
import { type FileEntry, listFiles, openFile, type ResourceRef } from './resources.ts'
import type { Progress } from './upload-folder.ts'

export interface DownloadFolderOptions extends CallOptions {
  /** Files at a time. Default 4. */
  concurrency?: number
  onProgress?: (progress: Progress) => void
}

/**
 * Downloads every file of a resource into a folder, which is made when it is missing. Files of the same name are
 * replaced, each only when its new bytes are complete and agree with XNAT's size and digest.
 *
 * @throws {InvalidInputError} UNSAFE_FILE_NAME, before anything is written, when a name leads out of the folder.
 * @throws {XnatError} XNAT_UNREACHABLE when the bytes are not those that XNAT lists.
 */
export async function downloadFolder(
  client: XnatClient,
  ref: ResourceRef,
  folder: string,
  { concurrency = 4, onProgress = () => undefined, ...options }: DownloadFolderOptions = {},
): Promise<{ files: number; bytes: number }> {
  const files = await listFiles(client, ref, options)
  for (const { path } of files) refuseUnsafe(path)
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  let doneBytes = 0
  const count = (bytes: number) => {
    doneBytes += bytes
    onProgress({ doneBytes, totalBytes })
  }
  await mkdir(folder, { recursive: true })
  await forEach(files, { concurrency, signal: options.signal }, (file, signal) =>
    downloadFile(client, ref, { file, folder, count }, { signal }),
  )
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

interface Download {
  file: FileEntry
  folder: string
  count: (bytes: number) => void
}

async function downloadFile(
  client: XnatClient,
  ref: ResourceRef,
  { file, folder, count }: Download,
  options: CallOptions,
): Promise<void> {
  const target = join(folder, ...file.path.split('/'))
  await mkdir(dirname(target), { recursive: true })
  const partial = join(folder, `.${randomUUID()}.part`)
  try {
    const { body } = await openFile(client, ref, file.path, options)
    const hash = createHash('md5')
    let sizeBytes = 0
    await pipeline(
      body,
      async function* measure(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          sizeBytes += chunk.length
          count(chunk.length)
          yield chunk
        }
      },
      createWriteStream(partial),
    )
    if (sizeBytes !== file.sizeBytes || (file.md5 !== undefined && hash.digest('hex') !== file.md5)) {
      const pathTemplate = `${resourcePath(ref).template}/files/{file}`
      throw new XnatError({ code: 'XNAT_UNREACHABLE', method: 'GET', pathTemplate, detail: 'other bytes than listed' })
    }
    await rename(partial, target)
  } finally {
    await rm(partial, { force: true })
  }
}
