// Listing parameters: columns, filters, limit and offset (QueryOrganizerResource.java).
import type { Exchange } from './exchange.ts'
import { type FieldSet, findByPath } from './fields.ts'
import { HttpFailure } from './http-failure.ts'
import type { Reply } from './reply.ts'
import { type Cell, type Row, type TableOptions, tableReply } from './result-set.ts'

export interface ListedRecord {
  /** Values by shortcut, those of the default columns among them. */
  values: Row
  /** Values by XML path, for columns and filters written as `type/path`. */
  fields: Readonly<Record<string, string>>
  fieldSet: FieldSet
}

interface ListingOptions extends Pick<TableOptions, 'title' | 'extras'> {
  defaultColumns: readonly string[]
  /** Columns that are always there, last. */
  fixedColumns?: readonly string[]
  canPage?: boolean
}

export function listingReply(exchange: Exchange, records: readonly ListedRecord[], options: ListingOptions): Reply {
  const known = new Set([...options.defaultColumns, ...records.flatMap(({ values }) => Object.keys(values))])
  const columns = [
    ...askedColumns(exchange, options.defaultColumns).filter((name) => name.includes('/') || known.has(name)),
    ...(options.fixedColumns ?? ['URI']),
  ]
  const rows = records
    .filter((record) => passesFilters(record, exchange))
    .map((record) => Object.fromEntries(columns.map((name) => [name, cellOf(record, name)])))
  const page = pageOf(rows, exchange, options.canPage ?? false)
  return tableReply(exchange, page.rows, {
    columns,
    totalRecords: !page.isPart,
    ...(options.title !== undefined && { title: options.title }),
    ...(options.extras !== undefined && { extras: options.extras }),
  })
}

function askedColumns({ query }: Exchange, defaults: readonly string[]): string[] {
  const asked = query.get('columns')
  if (asked === undefined || asked === 'DEFAULT') return [...defaults]
  const names = decodeURIComponent(asked)
    .split(',')
    .flatMap((name) => (name.trim() === 'DEFAULT' ? defaults : [name.trim()]))
  return [...new Set(names)].filter((name) => name !== '' && name !== 'URI')
}

function cellOf(record: ListedRecord, name: string): Cell {
  if (Object.hasOwn(record.values, name)) return record.values[name]
  const slash = name.indexOf('/')
  if (slash < 0) return undefined
  const path = name.slice(slash + 1)
  const field = findByPath(record.fieldSet, path)
  if (field !== undefined) return record.fields[field.path]
  const own = Object.keys(record.values).find((key) => key.toLowerCase() === path.toLowerCase())
  return own === undefined ? undefined : record.values[own]
}

const reserved = new Set(['format', 'columns', 'limit', 'offset', 'sortBy', 'sortOrder', 'fields', 'XNAT_CSRF'])

function passesFilters(record: ListedRecord, { query }: Exchange): boolean {
  return query.keys().every((name) => {
    if (reserved.has(name)) return true
    const isColumn = name.includes('/') || Object.hasOwn(record.values, name)
    return !isColumn || matchesAny(String(cellOf(record, name) ?? ''), query.get(name) ?? '')
  })
}

// XNAT: a comma means "or", * and % are wildcards, and a-b is a range for dates (QueryOrganizerResource.java process*Query).
function matchesAny(value: string, filter: string): boolean {
  return filter.split(',').some((part) => matches(value, part.trim()))
}

function matches(value: string, pattern: string): boolean {
  const range = /^(\d{4}-\d{2}-\d{2}|\d{1,2}\/\d{1,2}\/\d{4})-(\d{4}-\d{2}-\d{2}|\d{1,2}\/\d{1,2}\/\d{4})$/.exec(
    pattern,
  )
  if (range?.[1] !== undefined && range[2] !== undefined) return value >= range[1] && value <= range[2]
  if (!/[*%]/.test(pattern)) return value === pattern
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/[*%]/g, '.*')
  return new RegExp(`^${source}$`, 's').test(value)
}

function pageOf(rows: Row[], { query }: Exchange, canPage: boolean): { rows: Row[]; isPart: boolean } {
  if (!canPage || (!query.has('limit') && !query.has('offset'))) return { rows, isPart: false }
  const limit = query.get('limit') ?? '100'
  if (limit === '*') return { rows, isPart: false }
  const offset = wholeNumber(query.get('offset') ?? '0')
  return { rows: rows.slice(offset, offset + wholeNumber(limit)), isPart: true }
}

// XNAT: a limit that is no number is an unhandled exception (SecureResource.java buildOffsetFromParams).
function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new HttpFailure(500)
  return Number(text)
}
