export interface Cell {
  text: string
  /** Whether it stood in quotation marks: `""` is something else than nothing. */
  isQuoted: boolean
}

/** The rows of a CSV text (RFC 4180), blank lines left out. */
export function parseCsv(text: string): Cell[][] {
  const rows: Cell[][] = [[]]
  const cells = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy
  while (cells.lastIndex < text.length) {
    const found = cells.exec(text)
    if (found === null) throw new RangeError('a quotation mark stands where none may')
    const [, quoted, plain = '', end] = found
    rows.at(-1)?.push({ text: quoted?.replaceAll('""', '"') ?? plain, isQuoted: quoted !== undefined })
    if (end !== ',') rows.push([])
    else if (cells.lastIndex === text.length) rows.at(-1)?.push({ text: '', isQuoted: false })
  }
  return rows.filter((row) => row.some(({ text: cell, isQuoted }) => cell !== '' || isQuoted))
}
