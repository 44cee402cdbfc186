// /xapi/archive: downloads of several sessions in one zip, and catalog refresh (CatalogApi.java,
// DefaultCatalogService.java buildCatalogForResources).
import { stat } from 'node:fs/promises'
import * as z from 'zod'
import { entryName, type PackedFile, zipOf } from '../archive-download.ts'
import type { DownloadCatalog } from '../download-catalogs.ts'
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { ifMissing } from '../missing.ts'
import { canUse } from '../permissions.ts'
import { escapeXml, Query } from '../query.ts'
import type { Experiment, Resource, Scan } from '../records.ts'
import { type RefreshOperation, refreshOperations } from '../refresh.ts'
import { documentReply, type Reply, textReply } from '../reply.ts'
import { bareReply, forbidden, readJson, type XapiRoute, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'
import { refreshAt } from './refresh-catalog.ts'

export const archiveCatalogXapiRoutes: XapiRoute[] = [
  xapiRoute('/archive/downloadwithsize', { POST: prepareWithSize }),
  xapiRoute('/archive/download', { POST: prepare }),
  xapiRoute('/archive/download/{catalogId}/zip', { GET: downloadZip }),
  xapiRoute('/archive/download/{catalogId}/xml', { GET: downloadXml }),
  xapiRoute('/archive/catalogs/refresh', { PUT: refresh }),
  xapiRoute('/archive/catalogs/refresh/{operations}', { PUT: refresh }),
]

const Order = z.object({
  /** `project:subject:label:id` */
  sessions: z.array(z.string()).optional(),
  projectId: z.array(z.string()).optional(),
  projectIds: z.array(z.string()).optional(),
  scan_types: z.array(z.string()).default([]),
  scan_formats: z.array(z.string()).default([]),
  resources: z.array(z.string()).default([]),
  options: z.array(z.string()).default([]),
})

async function prepareWithSize(exchange: Exchange): Promise<Reply> {
  const catalog = await makeCatalog(exchange)
  const resources = resourcesIn(exchange, catalog)
  const size = resources.reduce((sum, { fileSize = 0 }) => sum + fileSize, 0)
  const unknown = resources.filter(({ fileSize }) => fileSize === undefined).length
  return xapiJson({ id: catalog.id, size: String(size), resourcesOfUnknownSize: String(unknown) })
}

async function prepare(exchange: Exchange): Promise<Reply> {
  return textReply((await makeCatalog(exchange)).id)
}

async function makeCatalog(exchange: Exchange): Promise<DownloadCatalog> {
  const { xnat, user } = exchange
  const order = await readJson(exchange, Order)
  // XNAT: nothing asked for is answered with 204 (CatalogApi.java validateResourceRequest).
  if (order.sessions === undefined || (order.projectId ?? order.projectIds) === undefined) {
    throw xapiFailure(204, '')
  }
  const isFilteredOut = order.scan_types.length === 0 || order.scan_formats.length === 0
  const sessionIds = isFilteredOut
    ? []
    : order.sessions.map((session) => requireSession(exchange, session).experimentId)
  return xnat.state.downloads.add({
    username: user?.username ?? 'guest',
    madeAt: xnat.now(),
    sessionIds,
    scanTypes: order.scan_types,
    scanFormats: order.scan_formats,
    resources: order.resources,
    options: order.options,
  })
}

function requireSession({ xnat, user }: Exchange, session: string): Experiment {
  const [projectId, , , id = ''] = session.split(':')
  const experiment = xnat.state.experiments.get(id)
  const isIn = experiment?.projectId === projectId || experiment?.shares.some((share) => share.projectId === projectId)
  if (experiment === undefined || isIn !== true || !canUse(xnat.state, 'read', user, experiment)) throw forbidden()
  return experiment
}

function resourcesIn({ xnat }: Exchange, catalog: DownloadCatalog): Resource[] {
  const { state } = xnat
  return catalog.sessionIds.flatMap((sessionId) => {
    const scans = state.scans.group(sessionId).filter((scan) => isWantedType(scan, catalog))
    const ofScans = scans.flatMap(({ rowId }) => state.resourcesOf({ level: 'scan', id: String(rowId) }))
    const own = state.resourcesOf({ level: 'experiment', id: sessionId })
    return [
      ...ofScans.filter(({ label }) => catalog.scanFormats.includes(label)),
      ...own.filter(({ label }) => catalog.resources.includes(label)),
    ]
  })
}

function isWantedType(scan: Scan, { scanTypes }: DownloadCatalog): boolean {
  return scanTypes.includes(scan.fields['type'] ?? '')
}

async function downloadZip(exchange: Exchange): Promise<Reply> {
  const catalog = requireCatalog(exchange)
  const files = await filesIn(exchange, catalog)
  return {
    status: 200,
    headers: {
      'Content-Type': 'application/zip',
      'Content-Disposition': `attachment; filename="${catalog.id}.zip"`,
    },
    body: () => zipOf(files, false),
  }
}

async function downloadXml(exchange: Exchange): Promise<Reply> {
  const catalog = requireCatalog(exchange)
  const files = await filesIn(exchange, catalog)
  const entries = files.map(({ name }) => `<cat:entry name="${escapeXml(name)}"/>`).join('')
  return documentReply(
    'application/xml',
    `<?xml version="1.0" encoding="UTF-8"?>\n<cat:Catalog ID="${catalog.id}" xmlns:cat="http://nrg.wustl.edu/catalog">` +
      `<cat:entries>${entries}</cat:entries></cat:Catalog>\n`,
  )
}

// XNAT: an unknown catalog, or another user's, is not allowed rather than not found (getCachedCatalog).
function requireCatalog({ xnat, user, params }: Exchange): DownloadCatalog {
  const catalog = xnat.state.downloads.get(params['catalogId'] ?? '')
  if (catalog === undefined || catalog.username !== user?.username) throw forbidden()
  return catalog
}

async function filesIn(exchange: Exchange, catalog: DownloadCatalog): Promise<PackedFile[]> {
  const { archive, state } = exchange.xnat
  const files: PackedFile[] = []
  for (const resource of resourcesIn(exchange, catalog)) {
    const { entries } = await archive.catalogs.read(archive.catalogOf(resource))
    for (const entry of entries.values()) {
      const path = archive.fileOf(resource, entry.path)
      const found = await stat(path).catch(ifMissing(undefined))
      if (found === undefined) continue
      const sessionId = resource.parent.level === 'scan' ? state.scans.get(resource.parent.id)?.sessionId : undefined
      const session = state.experiments.get(sessionId ?? resource.parent.id)
      const name = entryName(withOptions(exchange, catalog), targetOf(exchange, session), { resource, entry, base: '' })
      files.push({ name, path, size: found.size, mtime: found.mtime })
    }
  }
  return files
}

/** The options of a download are what `structure` and its like are in a query. */
function withOptions(exchange: Exchange, { options }: DownloadCatalog): Exchange {
  const search = options.map((option) => (option === 'simplified' ? 'structure=simplified' : `${option}=true`))
  return { ...exchange, query: new Query(search.join('&')) }
}

function targetOf({ xnat }: Exchange, session: Experiment | undefined) {
  const { projects, subjects } = xnat.state
  return {
    project: session && projects.get(session.projectId),
    subject: session && subjects.get(session.subjectId),
    sessions: session === undefined ? [] : [session],
    experiments: [],
    scans: [],
    direction: undefined,
  }
}

async function refresh(exchange: Exchange): Promise<Reply> {
  const uris = await readJson(exchange, z.array(z.string()))
  const operations = askedOperations(exchange.params['operations'])
  try {
    await refreshAt(exchange, uris, operations)
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    // XNAT: importer-style client errors have no status of their own in /xapi (XapiRestControllerAdvice.java).
    throw xapiFailure(500, error.message)
  }
  return bareReply(200)
}

function askedOperations(text: string | undefined): ReadonlySet<RefreshOperation> {
  const names = text?.split(',').map((name) => name.toLowerCase()) ?? ['all']
  const asked = refreshOperations.filter((operation) => names.includes(operation.toLowerCase()))
  return new Set(names.includes('all') ? refreshOperations : asked)
}
