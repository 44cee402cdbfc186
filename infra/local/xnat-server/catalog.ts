import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type CatalogEntry, readCatalogXml, writeCatalogXml } from './catalog-xml.ts'
import { HttpFailure } from './http-failure.ts'
import { ifMissing } from './missing.ts'

/** A catalog as it was at one moment, with the checksum that tells whether it still is. */
export interface CatalogSnapshot {
  path: string
  entries: ReadonlyMap<string, CatalogEntry>
  md5: string
}

interface Cached {
  /** Identity of the file the snapshot was read from: every write puts another file in its place. */
  stamp: string
  snapshot: CatalogSnapshot
}

/** The catalog files on disk. Parsed once per version; a file changed from outside is noticed and read again. */
export class Catalogs {
  readonly #cache = new Map<string, Cached>()
  readonly #writers = new Map<string, Promise<unknown>>()

  async create(path: string, entries: ReadonlyMap<string, CatalogEntry> = new Map()): Promise<void> {
    await mkdir(dirname(path), { recursive: true })
    await this.#write(path, [...entries.values()])
  }

  /** XNAT: a catalog that is not there is made on the spot, empty (CatalogUtils.java getOrCreate). */
  async read(path: string): Promise<CatalogSnapshot> {
    const stamp = await stampOf(path).catch(ifMissing(undefined))
    if (stamp === undefined) {
      await this.create(path)
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
      await this.#write(snapshot.path, [...entries.values()])
    })
  }

  forget(path: string): void {
    this.#cache.delete(path)
  }

  async #write(path: string, entries: readonly CatalogEntry[]): Promise<void> {
    const xml = Buffer.from(writeCatalogXml({ id: basename(path).replace(/_catalog\.xml$/, ''), entries }))
    const next = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
    await writeFile(next, xml)
    await rename(next, path)
    const snapshot = { path, entries: new Map(entries.map((entry) => [entry.path, entry])), md5: md5Of(xml) }
    this.#cache.set(path, { stamp: await stampOf(path), snapshot })
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

async function stampOf(path: string): Promise<string> {
  const { ino, mtimeNs, size } = await stat(path, { bigint: true })
  return `${ino}:${mtimeNs}:${size}`
}

function md5Of(data: Buffer): string {
  return createHash('md5').update(data).digest('hex')
}
