// The data model of a site: its data types, and the fields that XNAT can search and show of each.
import * as z from 'zod'
import type { CallOptions, Query } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath, xsiTypeSegment } from './path.ts'
import { cell, filledCell, numberCell, resultSet } from './result-set.ts'

const DataTypeRow = z
  .object({ ELEMENT_NAME: filledCell, SINGULAR: cell, PLURAL: cell, SECURED: cell, COUNT: numberCell })
  .transform((row) => ({
    /** Such as `xnat:mrSessionData`. */
    xsiType: row.ELEMENT_NAME,
    singular: row.SINGULAR,
    plural: row.PLURAL,
    /** Whether the rights in a project decide who sees its records. */
    isSecured: row.SECURED === 'true',
    count: row.COUNT,
  }))
export type DataType = z.infer<typeof DataTypeRow>

export interface DataTypeFilter {
  /** Only types of which there are records. */
  used?: boolean
  /** Count only what the account can read, not the whole site. */
  readable?: boolean
}

/** The data types of the site that can be searched. */
export async function listDataTypes(
  client: XnatClient,
  { used = false, readable = false }: DataTypeFilter = {},
  options: CallOptions = {},
): Promise<DataType[]> {
  const path = xnatPath`/data/search/elements`
  // XNAT: their presence counts, whatever their value (RES/search/SearchElementListResource.java).
  const query: Query = { format: 'json', used: used || undefined, readable: readable || undefined }
  return client.json(resultSet(DataTypeRow), { method: 'GET', path, query, ...options })
}

const DataFieldRow = z
  .object({ FIELD_ID: filledCell, HEADER: cell, SUMMARY: cell, TYPE: cell, DESC: cell, ELEMENT_NAME: filledCell })
  .transform((row) => ({
    /** XNAT's name for it in searches, such as `SESSION_ID`. */
    fieldId: row.FIELD_ID,
    xsiType: row.ELEMENT_NAME,
    header: row.HEADER,
    summary: row.SUMMARY,
    /** `string`, `integer`, `date`, ... */
    type: row.TYPE,
    description: row.DESC,
  }))
export type DataField = z.infer<typeof DataFieldRow>

/**
 * The fields of a data type that XNAT can search. Custom variables, and the labels a record has in each project, are
 * among them, with `=` in their ID.
 *
 * @throws {XnatError} XNAT_REFUSED for a type the site does not have.
 */
export async function listDataFields(
  client: XnatClient,
  xsiType: string,
  options: CallOptions = {},
): Promise<DataField[]> {
  const path = xnatPath`/data/search/elements/${xsiTypeSegment(xsiType)}`
  return client.json(resultSet(DataFieldRow), { method: 'GET', path, query: { format: 'json' }, ...options })
}
