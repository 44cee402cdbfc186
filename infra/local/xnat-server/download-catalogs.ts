/** What somebody chose to download. Kept in memory only. */
export interface DownloadCatalog {
  /** `<user>-<timestamp>` */
  id: string
  username: string
  sessionIds: string[]
  scanTypes: string[]
  scanFormats: string[]
  resources: string[]
  options: string[]
}

export class DownloadCatalogs {
  readonly #catalogs = new Map<string, DownloadCatalog>()

  add({ madeAt, ...chosen }: Omit<DownloadCatalog, 'id'> & { madeAt: Date }): DownloadCatalog {
    for (let ms = madeAt.getTime(); ; ms += 1) {
      const timestamp = new Date(ms)
        .toISOString()
        .replace(/[-:.Z]/g, '')
        .replace('T', '_')
      const id = `${chosen.username}-${timestamp}`
      if (this.#catalogs.has(id)) continue
      const catalog = { id, ...chosen }
      this.#catalogs.set(id, catalog)
      return catalog
    }
  }

  get(id: string): DownloadCatalog | undefined {
    return this.#catalogs.get(id)
  }
}
