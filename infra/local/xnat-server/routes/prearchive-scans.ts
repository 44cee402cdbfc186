// Scans, resources and files of a session in the prearchive (PrearcScansListResource.java, PrearcScanResource.java,
// PrearcScanResourceList.java, PrearcSessionResourceFiles.java, PrearcSessionResourcesList.java).
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type PackedFile, zipMethod, zipOf } from '../archive-download.ts'
import type { Exchange } from '../exchange.ts'
import { readPaths } from '../file-path.ts'
import { HttpFailure, notCovered } from '../http-failure.ts'
import { wantedFormat } from '../media-types.ts'
import { requireAccess } from '../prearchive/access.ts'
import { changeEntry, findEntry, logEntry } from '../prearchive/entries.ts'
import type { PrearchiveEntry, SessionDocument } from '../prearchive/entry.ts'
import { discardScan, receivedFile, receivedFiles, receivedScans } from '../prearchive/received-files.ts'
import { emptyTextReply, type Reply } from '../reply.ts'
import { type Row, tableReply } from '../result-set.ts'
import type { Route } from '../router.ts'

const session = '/prearchive/projects/{PROJECT_ID}/{SESSION_TIMESTAMP}/{SESSION_LABEL}'
export const prearchiveScanRoutes: Route[] = [
  { template: `${session}/scans`, methods: { GET: listScans } },
  { template: `${session}/scans/{SCAN_ID}`, methods: { GET: downloadScan, DELETE: deleteScan } },
  { template: `${session}/scans/{SCAN_ID}/resources`, methods: { GET: listScanResources } },
  { template: `${session}/scans/{SCAN_ID}/resources/{RESOURCE_ID}/files`, methods: { GET: readFiles } },
  { template: `${session}/resources`, methods: { GET: listResources } },
  { template: `${session}/resources/{RESOURCE_ID}`, methods: { GET: noResource } },
  {
    template: `${session}/resources/{RESOURCE_ID}/files`,
    methods: { GET: noResource, DELETE: noResource, PUT: refusePut },
  },
]

function listScans(exchange: Exchange): Reply {
  const { document } = requireBuilt(exchange)
  const rows = document.scans.map(({ scanId, xsiType, fields }) => ({
    ID: scanId,
    xsiType,
    series_description: fields['series_description'],
  }))
  return tableReply(exchange, rows, { columns: ['ID', 'xsiType', 'series_description'], totalRecords: false })
}

async function listScanResources(exchange: Exchange): Promise<Reply> {
  const { entry } = requireBuilt(exchange)
  const rows = [await resourceRow(exchange, entry, requireScan(exchange))]
  return tableReply(exchange, rows, { columns: ['label', 'file_count', 'file_size'], totalRecords: false })
}

async function listResources(exchange: Exchange): Promise<Reply> {
  const { entry, document } = requireBuilt(exchange)
  const rows: Row[] = []
  for (const { scanId } of document.scans) {
    rows.push({ category: 'scans', cat_id: scanId, ...(await resourceRow(exchange, entry, scanId)) })
  }
  const columns = ['category', 'cat_id', 'label', 'file_count', 'file_size']
  return tableReply(exchange, rows, { columns, totalRecords: false })
}

async function resourceRow({ xnat }: Exchange, { receivedId }: PrearchiveEntry, scanId: string): Promise<Row> {
  const names = receivedFiles(xnat, receivedId, scanId)
  const sizes = await Promise.all(names.map((name) => stat(receivedFile(xnat, receivedId, scanId, name))))
  return { label: 'DICOM', file_count: names.length, file_size: sizes.reduce((sum, { size }) => sum + size, 0) }
}

async function readFiles(exchange: Exchange): Promise<Reply> {
  const { xnat, params, rest, rawPath } = exchange
  const { entry } = requireBuilt(exchange)
  const scanId = requireScan(exchange)
  if (params['RESOURCE_ID'] !== 'DICOM') throw new HttpFailure(404)
  const names = receivedFiles(xnat, entry.receivedId, scanId)
  const asked = rest.replace(/^\//, '')
  if (asked !== '') {
    const name = readPaths(asked).find((path) => names.includes(path))
    if (name === undefined) throw new HttpFailure(404)
    return instanceReply(receivedFile(xnat, entry.receivedId, scanId, name))
  }
  const base = rawPath.replace(/\/$/, '')
  const rows = await Promise.all(
    names.map(async (name) => {
      const { size } = await stat(receivedFile(xnat, entry.receivedId, scanId, name))
      return { Name: name, Size: size, URI: `${base}/${name}` }
    }),
  )
  return tableReply(exchange, rows, { columns: ['Name', 'Size', 'URI'], totalRecords: false })
}

async function instanceReply(path: string): Promise<Reply> {
  const { size } = await stat(path)
  return {
    status: 200,
    headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': String(size) },
    body: () => createReadStream(path),
  }
}

async function downloadScan(exchange: Exchange): Promise<Reply> {
  const { entry } = requireBuilt(exchange)
  if (wantedFormat(exchange) !== 'zip') throw new HttpFailure(404)
  return receivedZip(exchange, entry, requireScan(exchange))
}

/** A session's files as they lie, below its name; or those of one scan, below that. */
export async function receivedZip(exchange: Exchange, entry: PrearchiveEntry, only?: string): Promise<Reply> {
  const { xnat } = exchange
  const scans = only === undefined ? receivedScans(xnat, entry.receivedId) : [only]
  const packed: PackedFile[] = []
  for (const scanId of scans) {
    for (const file of receivedFiles(xnat, entry.receivedId, scanId)) {
      const path = receivedFile(xnat, entry.receivedId, scanId, file)
      const { size, mtime } = await stat(path)
      const name = only === undefined ? `${entry.folder}/SCANS/${scanId}/DICOM/${file}` : `${scanId}/DICOM/${file}`
      packed.push({ name, path, size, mtime })
    }
  }
  const isDeflated = zipMethod(exchange) === 8
  return {
    status: 200,
    headers: {
      'Content-Type': 'application/zip',
      'Content-Disposition': `attachment; filename="${only ?? entry.folder}.zip";`,
    },
    body: () => zipOf(packed, isDeflated),
  }
}

async function deleteScan(exchange: Exchange): Promise<Reply> {
  const { xnat } = exchange
  const { entry, document } = requireBuilt(exchange)
  const scanId = requireScan(exchange)
  const scans = document.scans.filter((scan) => scan.scanId !== scanId)
  await discardScan(xnat, entry.receivedId, scanId)
  changeEntry(xnat, entry, { document: { ...document, scans } })
  logEntry(xnat, entry, `Deleted scan ${scanId}`)
  return emptyTextReply()
}

/** What the session builder makes has no resources of its own, and the stand-in lets nobody add any. */
function noResource(exchange: Exchange): never {
  requireBuilt(exchange)
  throw new HttpFailure(404)
}

function refusePut({ method, rawPath }: Exchange): never {
  throw notCovered(method, rawPath)
}

/** @throws {HttpFailure} 404 for a session that is not there or not built (PrearcSessionResourceA.java). */
function requireBuilt(exchange: Exchange): { entry: PrearchiveEntry; document: SessionDocument } {
  const entry = findEntry(exchange.xnat, requireAccess(exchange, { allowUnassigned: false }))
  const document = entry?.document
  if (entry === undefined || document === undefined) throw new HttpFailure(404, 'Unable to locate prearc resource.')
  return { entry, document }
}

function requireScan(exchange: Exchange): string {
  const scanId = exchange.params['SCAN_ID'] ?? ''
  const isThere = requireBuilt(exchange).document.scans.some((scan) => scan.scanId === scanId)
  if (!isThere) throw new HttpFailure(404, `Unknown scan ${scanId}`)
  return scanId
}
