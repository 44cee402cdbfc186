import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { InvalidInputError } from '../errors.ts'
import type { ArchiveEntry } from './archive-entry.ts'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { digesting } from './digesting.ts'
import type { Progress } from './progress.ts'
import { type ArchiveSource, type FileLabels, listFiles, putArchive, putFile, type ResourceRef } from './resources.ts'
import { tarLength, tarStream } from './tar.ts'
import { zipLength, zipStream } from './zip.ts'

export interface UploadFolderOptions extends FileLabels, CallOptions {
  /**
   * `tar`, the default, `zip` and `tgz` send everything in one request that XNAT unpacks, names kept exactly; `tgz`
   * alone compresses, and XNAT keeps it aside until it has all of it. `per-file` sends one file after the other, as
   * XNAT's catalog cannot take two at once.
   */
  method?: 'tar' | 'zip' | 'tgz' | 'per-file'
  overwrite?: boolean
  /** Bytes read from the folder; a try that is repeated counts from where it began. */
  onProgress?: (progress: Progress) => void
}

export type UploadFolderOutcome =
  /** All files are in XNAT's catalog with the right size and, where XNAT has one, digest. */
  | { kind: 'stored'; files: number; bytes: number }
  /** These were there and were kept; the others were stored. */
  | { kind: 'duplicates'; paths: string[] }
  /** XNAT took them, and does not list them as they are. */
  | { kind: 'not-verified'; paths: string[] }

interface LocalFile extends ArchiveEntry {
  location: string
}

/**
 * Uploads the files of a folder and all folders below it, streamed, without a temporary file.
 *
 * @throws {InvalidInputError} NOT_A_PLAIN_FILE when the folder holds links or devices; FILE_NAME_NEEDS_ARCHIVE with
 * `per-file` for a name that only an archive can carry.
 */
export async function uploadFolder(
  client: XnatClient,
  ref: ResourceRef,
  folder: string,
  { method = 'tar', onProgress = () => undefined, ...options }: UploadFolderOptions = {},
): Promise<UploadFolderOutcome> {
  const files = await filesBelow(folder)
  const reader = new FolderReader(files, onProgress)
  const duplicates =
    method === 'per-file'
      ? await sendEach(client, ref, { files, reader }, options)
      : await sendArchive(client, ref, { files, reader, format: method }, options)
  if (duplicates.length > 0) return { kind: 'duplicates', paths: duplicates }
  return verify(client, ref, { files, reader }, options)
}

async function filesBelow(folder: string): Promise<LocalFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files: LocalFile[] = []
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    if (!entry.isFile()) throw new InvalidInputError('Not a plain file', { code: 'NOT_A_PLAIN_FILE' })
    const location = join(entry.parentPath, entry.name)
    const { size } = await stat(location)
    files.push({ path: relative(folder, location).split(sep).join('/'), sizeBytes: size, location })
  }
  return files.sort((one, other) => (one.path < other.path ? -1 : 1))
}

/** Reads files, tells how far it is, and remembers the digest of what it read last of each. */
class FolderReader {
  readonly md5 = new Map<string, string>()
  readonly #onProgress: (progress: Progress) => void
  readonly #totalBytes: number
  #doneBytes = 0

  constructor(files: readonly LocalFile[], onProgress: (progress: Progress) => void) {
    this.#onProgress = onProgress
    this.#totalBytes = totalSize(files)
  }

  /** A try of an upload begins, at the file after these bytes. */
  startAt(doneBytes: number): void {
    this.#doneBytes = doneBytes
  }

  async *read(file: LocalFile): AsyncGenerator<Buffer> {
    const content: AsyncIterable<Buffer> = createReadStream(file.location)
    for await (const chunk of digesting(content, (md5) => this.md5.set(file.path, md5))) {
      this.#doneBytes += chunk.length
      this.#onProgress({ doneBytes: this.#doneBytes, totalBytes: this.#totalBytes })
      yield chunk
    }
  }
}

interface Sending {
  files: readonly LocalFile[]
  reader: FolderReader
}

type SendOptions = FileLabels & CallOptions & { overwrite?: boolean }

async function sendEach(
  client: XnatClient,
  ref: ResourceRef,
  { files, reader }: Sending,
  options: SendOptions,
): Promise<string[]> {
  const duplicates: string[] = []
  let before = 0
  for (const file of files) {
    const start = before
    const openBody = () => {
      reader.startAt(start)
      return Readable.from(reader.read(file))
    }
    const outcome = await putFile(client, ref, file.path, { openBody, sizeBytes: file.sizeBytes }, options)
    if (outcome.kind === 'duplicates') duplicates.push(...outcome.paths)
    before += file.sizeBytes
  }
  return duplicates
}

async function sendArchive(
  client: XnatClient,
  ref: ResourceRef,
  { files, reader, format }: Sending & { format: ArchiveSource['format'] },
  options: SendOptions,
): Promise<string[]> {
  if (files.length === 0) return []
  const outcome = await putArchive(client, ref, archiveOf({ files, reader, format }), options)
  return outcome.kind === 'duplicates' ? outcome.paths : []
}

function archiveOf({ files, reader, format }: Sending & { format: ArchiveSource['format'] }): ArchiveSource {
  const open = async (file: LocalFile) => reader.read(file)
  const opened = (archive: AsyncGenerator<Uint8Array>) => {
    reader.startAt(0)
    return Readable.from(archive)
  }
  switch (format) {
    case 'tar':
      return { format, openBody: () => opened(tarStream(files, open)), sizeBytes: tarLength(files) }
    case 'zip':
      return { format, openBody: () => opened(zipStream(files, open)), sizeBytes: zipLength(files) }
    case 'tgz':
      return { format, openBody: () => gzipped(opened(tarStream(files, open))), sizeBytes: undefined }
  }
}

function gzipped(source: Readable): Readable {
  return pipeline(source, createGzip(), () => {
    // Nothing to do: what breaks the source breaks the stream that is returned.
  })
}

async function verify(
  client: XnatClient,
  ref: ResourceRef,
  { files, reader }: Sending,
  { signal }: CallOptions,
): Promise<UploadFolderOutcome> {
  const listed = new Map((await listFiles(client, ref, { signal })).map((entry) => [entry.path, entry]))
  const wrong = files.filter(({ path, sizeBytes }) => {
    const entry = listed.get(path)
    return entry?.sizeBytes !== sizeBytes || (entry.md5 !== undefined && entry.md5 !== reader.md5.get(path))
  })
  if (wrong.length > 0) return { kind: 'not-verified', paths: wrong.map(({ path }) => path) }
  return { kind: 'stored', files: files.length, bytes: totalSize(files) }
}

function totalSize(files: readonly LocalFile[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0)
}
