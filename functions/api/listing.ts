// Parts of long lists. Without a word about it a caller gets the whole list, as FLIP's do.
import * as z from 'zod'

/** The query of a listing that can be filtered by these fields, each for equality; the values are examples. */
export function listingQuery<Field extends string>(examples: Readonly<Record<Field, string>>) {
  const { limit, offset } = partQuery
  return z.object({ limit, offset, ...filters(examples) })
}

const partQuery = {
  limit: z.coerce.number().int().min(1).max(10_000).optional().meta({ description: 'At most so many.', example: 100 }),
  offset: z.coerce.number().int().min(0).optional().meta({ description: 'Leaves out so many first.', example: 0 }),
}

function filters<Field extends string>(
  examples: Readonly<Record<Field, string>>,
): Record<Field, z.ZodOptional<z.ZodString>>
function filters(examples: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(examples).map(([field, example]) => [
      field,
      z
        .string()
        .optional()
        .meta({ description: `Only what has this \`${field}\`.`, example }),
    ]),
  )
}

/**
 * What of the list was asked for. A part is taken of the list in the order of `key`, so that parts fit together from
 * one request to the next, which XNAT's own order does not promise.
 */
export function listed<Row extends Readonly<Record<string, unknown>>>(
  rows: readonly Row[],
  query: { limit?: number | undefined; offset?: number | undefined },
  key: keyof Row & string,
): Row[] {
  const { limit, offset = 0, ...wanted } = query
  const fitting = rows.filter((row) =>
    Object.entries(wanted).every(([field, value]) => value === undefined || row[field] === value),
  )
  if (limit === undefined && offset === 0) return fitting
  const sorted = fitting.toSorted((one, other) => (String(one[key]) < String(other[key]) ? -1 : 1))
  return sorted.slice(offset, limit === undefined ? undefined : offset + limit)
}
