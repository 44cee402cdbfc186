import { XMLBuilder, XMLParser } from 'fast-xml-parser'
import * as z from 'zod'

/** What a new project says about itself. XNAT takes the ID for a missing name or secondary ID. */
export interface ProjectDescription {
  /** `A-Z a-z 0-9 _ -` only. Never to be used again once the project is deleted. */
  projectId: string
  /** Unique in the site, upper and lower case alike; so is the name. */
  secondaryId?: string | undefined
  name?: string | undefined
  description?: string | undefined
  keywords?: string | undefined
  aliases?: readonly string[] | undefined
  principalInvestigator?: { firstName: string; lastName: string } | undefined
}

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true })

/** The `xnat:Project` document for a description. Text is escaped; keys without a value are left out. */
export function projectXml(project: ProjectDescription): string {
  const { projectId, secondaryId, name, description, keywords, aliases = [], principalInvestigator: pi } = project
  return builder.build({
    'xnat:Project': present({
      '@ID': projectId,
      '@secondary_ID': secondaryId,
      '@xmlns:xnat': 'http://nrg.wustl.edu/xnat',
      'xnat:name': name,
      'xnat:description': description,
      'xnat:keywords': keywords,
      'xnat:aliases': aliases.length === 0 ? undefined : { 'xnat:alias': aliases },
      'xnat:PI': pi && { 'xnat:firstname': pi.firstName, 'xnat:lastname': pi.lastName },
    }),
  })
}

function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** One file as a resource's catalog names it. */
export interface CatalogEntry {
  /** Relative to the resource. */
  path: string
  md5: string | undefined
}

const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '', removeNSPrefix: true })

const EntryXml = z.looseObject({ URI: z.string(), digest: z.string().optional() })
const oneOrMore = z.union([z.array(EntryXml), EntryXml.transform((entry) => [entry])])
// An element without content parses as "".
const CatalogXml = z.object({
  Catalog: z.union([
    z.looseObject({ entries: z.union([z.looseObject({ entry: oneOrMore.optional() }), z.literal('')]).optional() }),
    z.literal(''),
  ]),
})

/** The entries of a catalog document (`text/xml`, `cat:Catalog`), or `undefined` when it is not one. */
export function parseCatalog(xml: string): CatalogEntry[] | undefined {
  const parsed = CatalogXml.safeParse(parser.parse(xml))
  if (!parsed.success) return undefined
  const { Catalog } = parsed.data
  const entries = Catalog === '' ? '' : (Catalog.entries ?? '')
  return (entries === '' ? [] : (entries.entry ?? [])).map(({ URI, digest }) => ({
    path: URI,
    md5: digest === '' ? undefined : digest,
  }))
}
