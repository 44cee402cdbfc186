import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type CatalogEntry, readCatalogXml, writeCatalogXml } from './catalog-xml.ts'
import { HttpFailure } from './http-failure.ts'

/** A catalog as it was at one moment, with the checksum that tells whether it still is. */
export interface CatalogSnapshot {
  path: string
  entries: ReadonlyMap<string, CatalogEntry>
  md5: string
}

interface Cached {
  /** Identity of the file the snapshot was read from: every write puts another file in its place. */
  stamp: string | undefined
  snapshot: CatalogSnapshot
}

/**
 * The catalog files on disk. Parsed once per version; a file changed from outside is noticed and read again. Written at
 * once: the way to the thread pool and back, five times for each, takes longer than writing a small one.
 */
export class Catalogs {
  readonly #cache = new Map<string, Cached>()
  readonly #writers = new Map<string, Promise<unknown>>()

  create(path: string, entries: ReadonlyMap<string, CatalogEntry> = new Map()): void {
    mkdirSync(dirname(path), { recursive: true })
    this.#write(path, [...entries.values()])
  }

  /** XNAT: a catalog that is not there is made on the spot, empty (CatalogUtils.java getOrCreate). */
  async read(path: string): Promise<CatalogSnapshot> {
    const stamp = stampOf(path)
    if (stamp === undefined) {
      this.create(path)
      return this.read(path)
    }
    const cached = this.#cache.get(path)
    if (cached?.stamp === stamp) return cached.snapshot
    const xml = await readFile(path)
    const { entries } = readCatalogXml(xml.toString('utf8'))
    const snapshot = { path, entries: new Map(entries.map((entry) => [entry.path, entry])), md5: md5Of(xml) }
    this.#cache.set(path, { stamp, snapshot })
    return snapshot
  }

  /**
   * Writes the entries as the successor of a snapshot.
   *
   * XNAT: the check is optimistic. What was read before the upload must still be there after it, else the request
   * fails with its file on disk and not in the catalog (CatalogUtils.java writeCatalogToFile).
   *
   * @throws {HttpFailure} 500 when somebody else wrote in between.
   */
  async replace(snapshot: CatalogSnapshot, entries: ReadonlyMap<string, CatalogEntry>): Promise<void> {
    await this.#exclusively(snapshot.path, async () => {
      const present = await this.read(snapshot.path)
      if (present.md5 !== snapshot.md5) {
        throw new HttpFailure(
          500,
          `Another thread or process modified ${snapshot.path} since I last read it or I don't have a previous ` +
            "checksum to compare. To avoid overwriting changes, I'm throwing an exception.",
        )
      }
      this.#write(snapshot.path, [...entries.values()])
    })
  }

  forget(path: string): void {
    this.#cache.delete(path)
  }

  #write(path: string, entries: readonly CatalogEntry[]): void {
    const xml = Buffer.from(writeCatalogXml({ id: basename(path).replace(/_catalog\.xml$/, ''), entries }))
    const next = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
    writeFileSync(next, xml)
    renameSync(next, path)
    const snapshot = { path, entries: new Map(entries.map((entry) => [entry.path, entry])), md5: md5Of(xml) }
    this.#cache.set(path, { stamp: stampOf(path), snapshot })
  }

  async #exclusively(path: string, work: () => Promise<void>): Promise<void> {
    const before = this.#writers.get(path) ?? Promise.resolve()
    const turn = before.then(work, work)
    this.#writers.set(path, turn)
    try {
      await turn
    } finally {
      if (this.#writers.get(path) === turn) this.#writers.delete(path)
    }
  }
}

function stampOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats && `${stats.ino}:${stats.mtimeNs}:${stats.size}`
}

function md5Of(data: Buffer): string {
  return createHash('md5').update(data).digest('hex')
}
