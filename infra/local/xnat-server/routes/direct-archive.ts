// /xapi/direct-archive (DirectArchiveSessionApi.java, HibernatePaginatedRequest.java).
import { join } from 'node:path'
import * as z from 'zod'
import type { DirectArchiveRow } from '../direct-archive/row.ts'
import { directArchiveKey } from '../direct-archive/row.ts'
import { findRow, locationOf, setRowStatus } from '../direct-archive/rows.ts'
import type { Exchange, Xnat } from '../exchange.ts'
import { readPaths } from '../file-path.ts'
import { Filter, passes } from '../hibernate-filter.ts'
import { canReadProject, canUseData } from '../permissions.ts'
import { entryUrl } from '../prearchive/entry.ts'
import { discardReceived } from '../prearchive/received-files.ts'
import type { Reply } from '../reply.ts'
import {
  bareReply,
  forbidden,
  pathNumber,
  readJson,
  type XapiRoute,
  xapiFailure,
  xapiJson,
  xapiRoute,
} from '../xapi.ts'

export const directArchiveXapiRoutes: XapiRoute[] = [
  xapiRoute('/direct-archive', { POST: listRows }),
  xapiRoute('/direct-archive/{project}/{tag}/{name}', { GET: showRow, POST: finishRow }),
  xapiRoute('/direct-archive/{id}', { DELETE: deleteRow }),
]

const Order = z.object({
  sort_col: z.string().default('lastBuiltDate'),
  sort_dir: z.enum(['asc', 'desc']).default('desc'),
  page: z.number().default(1),
  size: z.number().default(50),
  filters: z.record(z.string(), Filter).default({}),
})

/** By the names that filters and sorting know; dates as numbers. */
function properties(row: DirectArchiveRow): Record<string, string | number | boolean> {
  const { receivedId, projectId, subject, name, folder, studyInstanceUid, visit, protocol, timeZone, source } = row
  return {
    id: receivedId,
    project: projectId,
    subject,
    name,
    folderName: folder,
    tag: studyInstanceUid,
    visit,
    protocol,
    timeZone,
    source,
    timestampUid: row.timestamp,
    message: row.message ?? '',
    uploadDate: row.uploadedMs,
    lastBuiltDate: row.lastModifiedMs,
    status: row.status,
    scanDate: row.scanDate,
    scanTime: row.scanTime,
    preventAnon: row.preventAnon,
  }
}

async function listRows(exchange: Exchange): Promise<Reply> {
  const { user, xnat } = exchange
  const { filters, sort_col, sort_dir, page, size } = await readJson(exchange, Order)
  // XNAT: a status is an enum to Hibernate, and comparing it to a text is an exception (HibernateFilter.java).
  if ('status' in filters) throw xapiFailure(500, 'java.lang.String cannot be cast to java.lang.Enum')
  const rows = xnat.state.directArchive.all().filter((row) => {
    const project = xnat.state.projects.get(row.projectId)
    const values = properties(row)
    return (
      project !== undefined &&
      canReadProject(user, project) &&
      Object.entries(filters).every(([name, filter]) => passes(values[name], filter))
    )
  })
  const sign = sort_dir === 'asc' ? 1 : -1
  const sorted = rows.toSorted((one, other) => sign * compare(properties(one)[sort_col], properties(other)[sort_col]))
  // XNAT: a size of 0 is no limit to Hibernate, and page 0 is page 1 (PaginatedRequest.java getOffset).
  const offset = page > 1 ? (page - 1) * size : 0
  const shown = size === 0 ? sorted.slice(offset) : sorted.slice(offset, offset + size)
  return xapiJson(shown.map((row) => rowJson(xnat, row)))
}

function compare(one: unknown, other: unknown): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other
  return String(one ?? '').localeCompare(String(other ?? ''), 'en')
}

function rowJson(xnat: Xnat, row: DirectArchiveRow) {
  const { projectId, subject, name, folder, timestamp, studyInstanceUid } = row
  const project = xnat.state.projects.get(projectId)
  const scanDateMs = Date.parse(`${row.scanDate.replace(' ', 'T')}Z`)
  return {
    id: row.receivedId,
    project: projectId,
    subject: given(subject),
    name,
    folderName: folder,
    timestamp,
    uploadDate: row.uploadedMs,
    lastBuiltDate: row.lastModifiedMs,
    status: row.status,
    scan_date: Number.isNaN(scanDateMs) ? undefined : scanDateMs,
    scan_time: given(row.scanTime),
    tag: studyInstanceUid,
    source: given(row.source),
    visit: given(row.visit),
    protocol: given(row.protocol),
    timeZone: given(row.timeZone),
    url: project === undefined ? undefined : join(xnat.archive.root, locationOf(xnat, project, folder)),
    externalUrl: entryUrl(row),
    preventAnon: row.preventAnon,
    preventAutoCommit: false,
    message: row.message,
    sessionDataTriple: { folderName: folder, timestamp, project: projectId },
  }
}

/** Nulls are left out of what /xapi writes. */
function given(text: string): string | undefined {
  return text === '' ? undefined : text
}

function showRow(exchange: Exchange): Reply {
  const { user, xnat, params } = exchange
  const project = xnat.state.projects.get(params['project'] ?? '')
  if (project === undefined || !canUseData(user, 'read', project)) throw forbidden()
  return xapiJson(rowJson(xnat, requireRow(exchange)))
}

/** Archives it now, as far as XNAT's queue is: before the next request is answered. */
function finishRow(exchange: Exchange): Reply {
  const { user, xnat, params } = exchange
  const project = xnat.state.projects.get(params['project'] ?? '')
  if (project === undefined || !canUseData(user, 'edit', project)) {
    throw xapiFailure(403, `User cannot trigger archive for project ${params['project']}`)
  }
  setRowStatus(xnat, requireRow(exchange), 'QUEUED_BUILDING')
  return bareReply(200)
}

function requireRow({ xnat, params }: Exchange): DirectArchiveRow {
  const { project = '', tag: studyInstanceUid = '', name: label = '' } = params
  const [row] = readPaths(label).flatMap((name) => findRow(xnat, { project, studyInstanceUid, label: name }) ?? [])
  if (row === undefined) {
    throw xapiFailure(404, 'Unable to find requested file or resource: No matching direct archive session')
  }
  return row
}

/** XNAT: the row alone; the files stay where they are. Here they are in nobody's way, and go too. */
function deleteRow(exchange: Exchange): Reply {
  const { user, xnat } = exchange
  const row = xnat.state.directArchive.get(String(pathNumber(exchange, 'id')))
  if (row === undefined) throw xapiFailure(404, 'Unable to find requested file or resource')
  const project = xnat.state.projects.get(row.projectId)
  if (project === undefined || !canUseData(user, 'delete', project)) throw xapiFailure(403, row.projectId)
  xnat.state.directArchive.delete(directArchiveKey(row))
  discardReceived(xnat, row.receivedId)
  return bareReply(200)
}
