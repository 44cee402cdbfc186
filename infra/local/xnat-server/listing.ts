// Listing parameters: columns, filters, limit and offset (QueryOrganizerResource.java).
import type { Exchange } from './exchange.ts'
import { type Field, type FieldSet, findByPath, findByShortcut, isoDate } from './fields.ts'
import { HttpFailure } from './http-failure.ts'
import type { Reply } from './reply.ts'
import { type Cell, type Row, type TableOptions, tableReply } from './result-set.ts'
import { refuseActions } from './uncovered-options.ts'
import { shortcutFor } from './xml-paths.ts'
import { isA } from './xsi-types.ts'

export interface ListedRecord {
  /** Values by shortcut, those of the default columns among them. */
  values: Row
  /** Values by XML path, for columns and filters written as `type/path`. */
  fields: Readonly<Record<string, string>>
  fieldSet: FieldSet
}

interface ListingOptions extends Pick<TableOptions, 'title' | 'extras'> {
  defaultColumns: readonly string[]
  /** Columns that are there whatever was asked for. */
  keys?: readonly string[]
  /** Columns that are always there, last. */
  fixedColumns?: readonly string[]
  canPage?: boolean
}

export function listingReply(exchange: Exchange, records: readonly ListedRecord[], options: ListingOptions): Reply {
  refuseActions(exchange, ['fields'])
  const asked = [...askedColumns(exchange, options.defaultColumns), ...(options.keys ?? [])]
  const named = asked.filter((name) => isKnown(name, records, options)).map((name) => columnName(records, name))
  const columns = [...new Set([...named, ...(options.fixedColumns ?? ['URI'])])]
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

// XNAT: unknown columns are dropped without a word.
function isKnown(name: string, [first]: readonly ListedRecord[], { defaultColumns }: ListingOptions): boolean {
  if (name.includes('/') || defaultColumns.includes(name) || first === undefined) return true
  return Object.hasOwn(first.values, name) || findByShortcut(first.fieldSet, name) !== undefined
}

// XNAT: a column asked for by its path goes by its shortcut, or by the path in small letters (formatHeaders).
function columnName([first]: readonly ListedRecord[], name: string): string {
  if (first === undefined || !name.includes('/')) return name
  return shortcutFor(first.fieldSet, name) ?? name.toLowerCase()
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
  const field = fieldOf(record, name)
  if (field !== undefined) return fieldText(field, record.fields[field.path])
  // `xnat:mrSessionData/label` is the record's label, as a shortcut of that name would be; another type's is not.
  const slash = name.indexOf('/')
  if (slash > 0 && !isA(String(record.values['xsiType'] ?? name.slice(0, slash)), name.slice(0, slash)))
    return undefined
  const path = name.slice(slash + 1).toLowerCase()
  const own = Object.keys(record.values).find((key) => key.toLowerCase() === path)
  return own === undefined ? undefined : record.values[own]
}

// Java: a whole number in a floating-point column is written 42.0 (Double.toString).
function fieldText({ type }: Field, value: string | undefined): string | undefined {
  return type === 'float' && value !== undefined && /^-?\d+$/.test(value) ? `${value}.0` : value
}

function fieldOf({ fieldSet }: ListedRecord, name: string): Field | undefined {
  const slash = name.indexOf('/')
  return slash < 0 ? findByShortcut(fieldSet, name) : findByPath(fieldSet, name.slice(slash + 1))
}

const reserved = new Set([
  'xsiType',
  'format',
  'columns',
  'limit',
  'offset',
  'sortBy',
  'sortOrder',
  'fields',
  'XNAT_CSRF',
])

function passesFilters(record: ListedRecord, { query }: Exchange): boolean {
  return query.keys().every((key) => {
    const name = key.includes('/') ? (shortcutFor(record.fieldSet, key) ?? key.toLowerCase()) : key
    const field = fieldOf(record, name)
    const isColumn = name.includes('/') || field !== undefined || Object.hasOwn(record.values, name)
    if (reserved.has(name) || !isColumn) return true
    const value = String(cellOf(record, name) ?? '')
    const type = name === 'insert_date' || name === 'last_modified' ? 'date' : (field?.type ?? 'string')
    // XNAT: a comma means "or" (QueryOrganizerResource.java process*Query).
    return (query.get(key) ?? '').split(',').some((part) => matches(value, part.trim(), type))
  })
}

function matches(value: string, filter: string, type: Field['type']): boolean {
  if (type === 'date') return matchesDate(value, filter)
  if (type !== 'string') return matchesNumber(value, filter)
  if (!/[*%]/.test(filter)) return value === filter
  // XNAT: the filter becomes an SQL LIKE, in which _ stands for any one character.
  const source = filter
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/[*%]/g, '.*')
    .replaceAll('_', '.')
  return new RegExp(`^${source}$`, 's').test(value)
}

function matchesDate(value: string, filter: string): boolean {
  const [from = '', to = from] = filter.split('-').map(isoDate)
  const date = value.slice(0, 10)
  // XNAT: a dash always makes a range, so 2024-01-31 is "from 2024 to 01-31": what the database makes of that is not known.
  if (![from, to].every((bound) => /^\d{4}-\d{2}-\d{2}$/.test(bound))) {
    throw new HttpFailure(501, 'The stand-in XNAT filters dates as MM/DD/YYYY only.', { voice: 'plain' })
  }
  return date !== '' && date >= from && date <= to
}

function matchesNumber(value: string, filter: string): boolean {
  const [from = '', to = from] = filter.split('-')
  return value !== '' && Number(value) >= Number(from) && Number(value) <= Number(to)
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
