// The table of the prearchive as lists show it (DatabaseSession.java).
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import { type Row, tableReply } from '../result-set.ts'
import { listTimestamp } from '../timestamps.ts'
import { entryUrl, type PrearchiveEntry, unassigned } from './entry.ts'

const columns = [
  'project',
  'timestamp',
  'lastmod',
  'uploaded',
  'scan_date',
  'scan_time',
  'subject',
  'folderName',
  'name',
  'tag',
  'status',
  'url',
  'autoarchive',
  'prevent_anon',
  'prevent_auto_commit',
  'SOURCE',
  'VISIT',
  'PROTOCOL',
  'TIMEZONE',
] as const

export function entriesReply(exchange: Exchange, entries: readonly PrearchiveEntry[]): Reply {
  return tableReply(exchange, entries.map(entryRow), { columns, totalRecords: false })
}

function entryRow(entry: PrearchiveEntry): Row {
  const { timestamp, folder, name, subject, studyInstanceUid, status, scanDate, scanTime } = entry
  return {
    project: entry.projectId ?? unassigned,
    timestamp,
    lastmod: sqlTimestamp(entry.lastModifiedMs),
    uploaded: sqlTimestamp(entry.uploadedMs),
    scan_date: scanDate,
    scan_time: scanTime,
    subject,
    folderName: folder,
    name,
    tag: studyInstanceUid,
    status,
    url: entryUrl(entry),
    autoarchive: entry.autoArchive,
    prevent_anon: String(entry.preventAnon),
    prevent_auto_commit: String(entry.preventAutoCommit),
    SOURCE: entry.source,
    VISIT: entry.visit,
    PROTOCOL: entry.protocol,
    TIMEZONE: entry.timeZone,
  }
}

function sqlTimestamp(ms: number): string {
  return listTimestamp(new Date(ms).toISOString())
}
