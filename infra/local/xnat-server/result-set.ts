// XNAT's lists: one table, written as JSON, XML, CSV or HTML (JSONTableRepresentation.java, XFTTable.java).
import type { Exchange } from './exchange.ts'
import { notCovered } from './http-failure.ts'
import { requireAcceptable, wantedFormat } from './media-types.ts'
import { escapeXml } from './query.ts'
import { documentReply, jsonReply, type Reply } from './reply.ts'

export type Cell = string | number | undefined
export type Row = Record<string, Cell>

export interface TableOptions {
  columns: readonly string[]
  title?: string
  totalRecords?: boolean
  /** Column properties, shown under `Columns` in JSON only. */
  columnProperties?: readonly Record<string, string>[]
  /** Further keys of the ResultSet. */
  extras?: Record<string, string>
}

export function tableReply(exchange: Exchange, rows: readonly Row[], options: TableOptions): Reply {
  requireAcceptable(exchange, ['application/json', 'text/html', 'text/xml'])
  const sorted = sortRows(rows, exchange)
  const texts = sorted.map((row) => options.columns.map((column) => cellText(row[column])))
  switch (wantedFormat(exchange) ?? 'json') {
    case 'json':
      return jsonReply({ ResultSet: jsonTable(texts, options) })
    case 'xml':
      return documentReply('text/xml', xmlTable(texts, options))
    case 'csv':
      return documentReply('text/csv', csvTable(texts, options))
    case 'html':
      return documentReply('text/html', htmlTable(texts, options))
    default:
      throw notCovered(exchange.method, `${exchange.rawPath}?format=${exchange.query.get('format')}`)
  }
}

/** XNAT: every value is a string, nothing is "" (XFTTable.java toJSON). */
function cellText(cell: Cell): string {
  return cell === undefined ? '' : String(cell)
}

function sortRows(rows: readonly Row[], { query }: Exchange): readonly Row[] {
  const column = query.get('sortBy')
  if (column === undefined) return rows
  const direction = query.get('sortOrder')?.toUpperCase() === 'DESC' ? -1 : 1
  return rows.toSorted((a, b) => direction * cellText(a[column]).localeCompare(cellText(b[column]), 'en'))
}

function jsonTable(texts: readonly string[][], options: TableOptions) {
  return {
    ...(options.columnProperties !== undefined && { Columns: options.columnProperties }),
    Result: texts.map((cells) =>
      Object.fromEntries(options.columns.map((column, index) => [column, cells[index] ?? ''])),
    ),
    ...options.extras,
    ...(options.title !== undefined && { title: options.title }),
    ...(options.totalRecords !== false && { totalRecords: String(texts.length) }),
  }
}

function xmlTable(texts: readonly string[][], options: TableOptions): string {
  const attributes =
    (options.title === undefined ? '' : ` title="${escapeXml(options.title)}"`) +
    (options.totalRecords === false ? '' : ` totalRecords="${texts.length}"`)
  const columns = options.columns.map((column) => `<column>${escapeXml(column)}</column>`).join('')
  const rows = texts.map((cells) => `<row>${cells.map((cell) => `<cell>${escapeXml(cell)}</cell>`).join('')}</row>`)
  return `<ResultSet${attributes}><results><columns>${columns}</columns><rows>${rows.join('')}</rows></results></ResultSet>`
}

function csvTable(texts: readonly string[][], { columns }: TableOptions): string {
  return [columns, ...texts]
    .map((cells) => `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`)
    .join('')
}

function htmlTable(texts: readonly string[][], { columns }: TableOptions): string {
  const head = columns.map((column) => `<th>${escapeXml(column)}</th>`).join('')
  const body = texts.map((cells) => `<tr>${cells.map((cell) => `<td>${escapeXml(cell)}</td>`).join('')}</tr>`)
  return `<html><body><table><tr>${head}</tr>${body.join('')}</table></body></html>`
}
