import { StorageError } from '../errors.ts'

/** A file on its way into an archive. */
export interface ArchiveEntry {
  /** Relative, `/` between segments; any Unicode. Checked by the caller. */
  path: string
  sizeBytes: number
}

/**
 * Opens the body of an entry. It is asked when the entry's turn comes and before its header is written: an archive that
 * breaks off because an entry cannot be opened ends between two entries. XNAT unpacks as it reads, so a header without
 * its body would empty a file there.
 */
export type OpenEntry<T extends ArchiveEntry> = (entry: T) => Promise<AsyncIterable<Uint8Array>>

/**
 * Hands on a body of which the size was announced.
 *
 * @throws {StorageError} OBJECT_CHANGED when it is longer or shorter.
 */
export async function* exactly(body: AsyncIterable<Uint8Array>, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let seen = 0
  for await (const chunk of body) {
    seen += chunk.length
    if (seen > sizeBytes) break
    yield chunk
  }
  if (seen !== sizeBytes) {
    throw new StorageError('a body has another size than announced', { code: 'OBJECT_CHANGED' })
  }
}
