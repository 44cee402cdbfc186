// The spreadsheet of POST /dqr/query/batch: what to look for, and how to relabel it (D:utils/CsvRow.java).
import { type Cell, parseCsv } from './csv.ts'
import { relabelKeys } from './relabel.ts'
import type { SearchCriteria } from './search-criteria.ts'

export interface BatchRow {
  criteria: Partial<SearchCriteria>
  relabelMap: Record<string, string>
}

/** Thrown for a row with fewer cells than the header. */
export class ShortRowError extends Error {
  constructor(row: number) {
    super(`Index out of bounds in row ${row}`)
    this.name = 'ShortRowError'
  }
}

/** Header names count only as they are written. */
export function batchRows(csv: string): BatchRow[] {
  const [header = [], ...rows] = parseCsv(csv)
  const names = header.map(({ text }) => text)
  return rows.map((cells, index) => {
    if (cells.length < names.length) throw new ShortRowError(index + 1)
    const byName = new Map(names.map((name, column) => [name, cells[column] ?? { text: '', isQuoted: false }]))
    return { criteria: criteriaOf(byName), relabelMap: relabelMapOf(byName) }
  })
}

function criteriaOf(cells: ReadonlyMap<string, Cell>): Partial<SearchCriteria> {
  const text = (name: string) => cells.get(name)?.text.trim() || undefined
  const [from = '', to = from] = text('Study Date')?.split('-') ?? []
  const names = [text('Last Name'), text('First Name')].filter((name) => name !== undefined)
  const found = {
    studyInstanceUid: text('Study Instance UID'),
    accessionNumber: text('Accession Number'),
    patientId: text('Patient ID'),
    patientName: names.length === 0 ? undefined : names.join('^'),
    dob: text('DOB'),
    modality: text('Modality'),
    studyDateRange: from === '' && to === '' ? undefined : { start: from || undefined, end: to || undefined },
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

/** DQR: an empty cell changes nothing, one that holds `""` clears the tag. */
function relabelMapOf(cells: ReadonlyMap<string, Cell>): Record<string, string> {
  return Object.fromEntries(
    relabelKeys.flatMap((key) => {
      const { text, isQuoted } = cells.get(key) ?? { text: '', isQuoted: false }
      if (text === '""' || (text === '' && isQuoted)) return [[key, '']]
      return text === '' ? [] : [[key, text]]
    }),
  )
}
