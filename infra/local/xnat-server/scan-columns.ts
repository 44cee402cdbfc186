// Columns and filters of scans in a list of experiments (QueryOrganizer.java joins them).
import type { Exchange } from './exchange.ts'
import { findByPath, scanFields } from './fields.ts'
import { namesAsked } from './list-root.ts'
import type { ListedRecord } from './listing.ts'
import type { Scan } from './records.ts'
import { isA } from './xsi-types.ts'

/** A row per scan of the types that are asked about; a session without one keeps a row of its own. */
export function joinScans(exchange: Exchange, records: readonly ListedRecord[]): ListedRecord[] {
  const names = namesAsked(exchange).filter((name) => isA(name.split('/')[0] ?? '', 'xnat:imageScanData'))
  if (names.length === 0) return [...records]
  const types = [...new Set(names.map((name) => name.split('/')[0] ?? ''))]
  const { scans } = exchange.xnat.state
  return records.flatMap((record) => {
    const found = scans
      .group(String(record.values['ID']))
      .filter((scan) => types.some((type) => isA(scan.xsiType, type)))
    const joined = found.map((scan) => ({ ...record, values: { ...record.values, ...scanCells(scan, names) } }))
    return joined.length > 0 ? joined : [record]
  })
}

function scanCells(scan: Scan, names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name.toLowerCase(), scanCell(scan, name)]))
}

function scanCell(scan: Scan, name: string): string | undefined {
  const path = name.slice(name.indexOf('/') + 1)
  if (path.toLowerCase() === 'id') return scan.scanId
  const field = findByPath(scanFields, path)
  return field === undefined ? undefined : scan.fields[field.path]
}
