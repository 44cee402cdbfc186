// XNAT's list envelope. Every cell is text, nothing is "", and most other keys come and go
// (XDAT/xft/XFTTable.java, REST/representations/JSONTableRepresentation.java).
import * as z from 'zod'

const Cell = z.union([z.string(), z.number(), z.boolean(), z.null(), z.undefined()]).transform(asText)

/** A cell that may be empty or missing. */
export const cell = Cell.optional()

/** A cell that must hold something. */
export const filledCell = Cell.pipe(z.string())

/** A number sent as text; empty, missing or no number reads as `undefined`. */
export const numberCell = cell.transform(asNumber)

/** A number sent as text that must be there. */
export const filledNumberCell = Cell.transform(asNumber).pipe(z.number())

/** A listing of rows of one shape. Read it through `client.json`, which keeps XNAT's empty answers out. */
export function resultSet<S extends z.ZodType>(row: S) {
  return z.object({ ResultSet: z.object({ Result: z.array(row) }) }).transform(({ ResultSet }) => ResultSet.Result)
}

function asText(value: string | number | boolean | null | undefined): string | undefined {
  return value === null || value === undefined || value === '' ? undefined : String(value)
}

function asNumber(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number : undefined
}
