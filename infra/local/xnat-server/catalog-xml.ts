import { XMLParser } from 'fast-xml-parser'
import * as z from 'zod'
import { escapeXml } from './query.ts'

export interface CatalogEntry {
  /** Path below the catalog's folder. */
  path: string
  digest: string
  size: number
  format: string
  content: string
  tags: readonly string[]
  createdBy: string
  createdTime: string
  createdEventId: number
}

export interface CatalogDocument {
  id: string
  entries: readonly CatalogEntry[]
}

/** A catalog as XNAT writes it: `cat:entry` with ID and URI both the relative path, the size as a metaField. */
export function writeCatalogXml({ id, entries }: CatalogDocument): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<cat:Catalog ID="${escapeXml(id)}" xmlns:cat="http://nrg.wustl.edu/catalog" ` +
    'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n' +
    `<cat:entries>\n${entries.map(entryXml).join('')}</cat:entries>\n</cat:Catalog>\n`
  )
}

/** Entries are values, and most of a catalog is unchanged from one version to the next. */
const writtenEntries = new WeakMap<CatalogEntry, string>()

function entryXml(entry: CatalogEntry): string {
  const known = writtenEntries.get(entry)
  if (known !== undefined) return known
  const xml = buildEntryXml(entry)
  writtenEntries.set(entry, xml)
  return xml
}

function buildEntryXml(entry: CatalogEntry): string {
  const attributes = {
    ID: entry.path,
    URI: entry.path,
    name: baseName(entry.path),
    digest: entry.digest,
    format: entry.format,
    content: entry.content,
    createdBy: entry.createdBy,
    createdTime: entry.createdTime,
    createdEventId: String(entry.createdEventId),
  }
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
  const tags = entry.tags.map((tag) => `\t\t<cat:tag>${escapeXml(tag)}</cat:tag>\n`).join('')
  return (
    `\t<cat:entry${written.join('')}>\n` +
    (tags === '' ? '' : `\t<cat:tags>\n${tags}\t</cat:tags>\n`) +
    `\t\t<cat:metaFields>\n\t\t\t<cat:metaField name="SIZE">${entry.size}</cat:metaField>\n\t\t</cat:metaFields>\n` +
    '\t</cat:entry>\n'
  )
}

const text = z.string().default('')
const Document = z.object({
  'cat:Catalog': z.object({
    '@ID': text,
    'cat:entries': z
      .union([
        z.string().transform(() => []),
        z
          .object({
            'cat:entry': z
              .array(
                z.object({
                  '@URI': z.string(),
                  '@digest': text,
                  '@format': text,
                  '@content': text,
                  '@createdBy': text,
                  '@createdTime': text,
                  '@createdEventId': z.coerce.number().default(0),
                  'cat:tags': z
                    .union([
                      z.string().transform(() => []),
                      z.object({ 'cat:tag': z.array(z.string()) }).transform((tags) => tags['cat:tag']),
                    ])
                    .default([]),
                  'cat:metaFields': z
                    .object({
                      'cat:metaField': z.array(z.object({ '@name': z.string(), '#text': z.string().default('') })),
                    })
                    .optional(),
                }),
              )
              .default([]),
          })
          .transform((entries) => entries['cat:entry']),
      ])
      .default([]),
  }),
})

const lists = new Set(['cat:entry', 'cat:tag', 'cat:metaField'])
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: true,
  isArray: (name) => lists.has(name),
  processEntities: {
    enabled: true,
    maxTotalExpansions: Number.MAX_SAFE_INTEGER,
    maxExpandedLength: Number.MAX_SAFE_INTEGER,
  },
})

export function readCatalogXml(xml: string): CatalogDocument {
  const catalog = Document.parse(parser.parse(xml))['cat:Catalog']
  return {
    id: catalog['@ID'],
    entries: catalog['cat:entries'].map((entry) => ({
      path: entry['@URI'],
      digest: entry['@digest'],
      size: Number(
        entry['cat:metaFields']?.['cat:metaField'].find((field) => field['@name'] === 'SIZE')?.['#text'] ?? 0,
      ),
      format: entry['@format'],
      content: entry['@content'],
      tags: entry['cat:tags'],
      createdBy: entry['@createdBy'],
      createdTime: entry['@createdTime'],
      createdEventId: entry['@createdEventId'],
    })),
  }
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
