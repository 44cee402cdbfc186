// The XML schemas of the types the stand-in knows, made from its own tables of types and fields. XNAT's are far larger;
// what is here has XNAT's names and nesting, which is all a client that builds classes from it goes by.
import { experimentFields, type Field, type FieldSet, projectFields, scanFields, subjectFields } from './fields.ts'
import { attributeNames } from './item-reply.ts'
import { declaringType } from './xml-paths.ts'
import { assessorTypes, scanTypes, sessionTypes } from './xsi-types.ts'

const namespaceUris = {
  xnat: 'http://nrg.wustl.edu/xnat',
  xdat: 'http://nrg.wustl.edu/xdat',
  icr: 'http://icr.ac.uk/icr',
  proc: 'http://nrg.wustl.edu/proc',
} as const
type Prefix = keyof typeof namespaceUris

interface ComplexType {
  name: string
  base?: string
  /** The field by which people know a record: its label. */
  identifier?: string
  fields?: readonly Pick<Field, 'path' | 'type'>[]
  /** Lists of other records, by their path: `scans/scan`, or `file` where XNAT has no element around the list. */
  lists?: Readonly<Record<string, string>>
}

const texts = (...paths: string[]): Pick<Field, 'path' | 'type'>[] => paths.map((path) => ({ path, type: 'string' }))
const below = (set: FieldSet, head: string) =>
  [...set.values()]
    .filter(({ path }) => path.startsWith(`${head}/`))
    .map(({ path, type }) => ({ path: path.slice(head.length + 1), type }))
const declaredBy = (type: string): Field[] =>
  [experimentFields, scanFields].flatMap((set) =>
    [...set.values()].filter(({ path }) => declaringType(set, path) === type),
  )
const sharing = { 'sharing/share': 'xnat:projectParticipant' }
const resources = { 'resources/resource': 'xnat:abstractResource' }

// XNAT: the hierarchy of xnat.xsd, from projectData down to the types of one modality.
const coreTypes: ComplexType[] = [
  { name: 'investigatorData', fields: texts('title', 'firstname', 'lastname', 'institution', 'email') },
  { name: 'validationData', fields: below(experimentFields, 'validation') },
  { name: 'abstractDemographicData' },
  { name: 'demographicData', base: 'xnat:abstractDemographicData', fields: below(subjectFields, 'demographics') },
  { name: 'projectParticipant', fields: texts('project', 'label') },
  { name: 'abstractResource', identifier: 'label', fields: [...texts('label'), ...counts()] },
  { name: 'resource', base: 'xnat:abstractResource', fields: texts('URI', 'description', 'format', 'content') },
  { name: 'resourceCatalog', base: 'xnat:resource' },
  {
    name: 'projectData',
    fields: [...texts('ID', 'secondary_ID', 'name'), ...projectFields.values()],
    lists: { 'aliases/alias': 'xs:string', ...resources },
  },
  {
    name: 'subjectData',
    identifier: 'label',
    fields: [...texts('ID', 'project', 'label'), ...subjectFields.values()],
    lists: { ...resources, ...sharing, 'experiments/experiment': 'xnat:subjectAssessorData' },
  },
  {
    name: 'experimentData',
    identifier: 'label',
    fields: [...texts('ID', 'project', 'label'), ...declaredBy('xnat:experimentData')],
    lists: { ...resources, ...sharing },
  },
  {
    name: 'subjectAssessorData',
    base: 'xnat:experimentData',
    fields: [...texts('subject_ID'), ...declaredBy('xnat:subjectAssessorData')],
  },
  {
    name: 'imageSessionData',
    base: 'xnat:subjectAssessorData',
    fields: declaredBy('xnat:imageSessionData'),
    lists: { 'scans/scan': 'xnat:imageScanData', 'assessors/assessor': 'xnat:imageAssessorData' },
  },
  {
    name: 'derivedData',
    base: 'xnat:experimentData',
    fields: texts('imageSession_ID'),
    lists: { 'in/file': 'xnat:abstractResource', 'out/file': 'xnat:abstractResource' },
  },
  { name: 'imageAssessorData', base: 'xnat:derivedData' },
  {
    name: 'imageScanData',
    fields: [...texts('ID', 'image_session_ID'), ...declaredBy('xnat:imageScanData')],
    lists: { file: 'xnat:abstractResource' },
  },
]

/** The names under which schemas are served, as `/xapi/schemas` lists them. */
export const schemaNames: readonly string[] = Object.keys(namespaceUris)

/** The schema of that name; undefined when there is none. */
export function schemaNamed(name: string): string | undefined {
  switch (name) {
    case 'xdat':
      return schemaOf('xdat', [{ name: 'element', fields: texts('displayIdentifiers') }])
    case 'xnat':
      return schemaOf('xnat', [...coreTypes, ...typesIn('xnat')])
    case 'icr':
    case 'proc':
      return schemaOf(name, typesIn(name))
    default:
      return undefined
  }
}

function typesIn(prefix: Prefix): ComplexType[] {
  const own = (types: ReadonlySet<string>, base: string): ComplexType[] =>
    [...types]
      .filter((type) => type.startsWith(`${prefix}:`))
      .map((type) => ({ name: localName(type), base, fields: declaredBy(type) }))
  return [
    ...own(sessionTypes, 'xnat:imageSessionData'),
    ...own(scanTypes, 'xnat:imageScanData'),
    ...own(assessorTypes, 'xnat:imageAssessorData'),
  ]
}

function schemaOf(prefix: Prefix, types: readonly ComplexType[]): string {
  const uses = Object.entries(namespaceUris).map(([name, uri]) => ` xmlns:${name}="${uri}"`)
  const head = `<xs:schema targetNamespace="${namespaceUris[prefix]}"${uses.join('')} xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">`
  const elements = types.map(({ name }) => `<xs:element name="${name}" type="${prefix}:${name}"/>`)
  return `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${[...elements, ...types.map(typeXml)].join('\n')}\n</xs:schema>\n`
}

function typeXml({ name, base, identifier, fields = [], lists = {} }: ComplexType): string {
  const note =
    identifier === undefined
      ? ''
      : `<xs:annotation><xs:appinfo><xdat:element displayIdentifiers="${identifier}"/></xs:appinfo></xs:annotation>`
  const elements = fields.filter(({ path }) => !attributeNames.has(path))
  const attributes = fields.filter(({ path }) => attributeNames.has(path)).map(attribute)
  const listed = Object.entries(lists).map(([path, itemType]) => listXml(path, itemType))
  const content = sequence([...fieldsXml(elements), ...listed]) + attributes.join('')
  const extended =
    base === undefined
      ? content
      : `<xs:complexContent><xs:extension base="${base}">${content}</xs:extension></xs:complexContent>`
  return `<xs:complexType name="${name}">${note}${extended}</xs:complexType>`
}

const namedTypes = new Map([
  ['PI', 'xnat:investigatorData'],
  ['investigator', 'xnat:investigatorData'],
  ['validation', 'xnat:validationData'],
  ['demographics', 'xnat:abstractDemographicData'],
])

function fieldsXml(fields: NonNullable<ComplexType['fields']>): string[] {
  const heads = new Set(fields.map(({ path }) => path.split('/')[0] ?? path))
  return [...heads].map((head) => {
    const own = fields.find(({ path }) => path === head)
    const nested = fields
      .filter(({ path }) => path.startsWith(`${head}/`))
      .map(({ path, type }) => ({ path: path.slice(head.length + 1), type }))
    const named = namedTypes.get(head)
    if (named !== undefined) return element(head, named)
    if (nested.length === 0) return element(head, xsTypes[own?.type ?? 'string'])
    return `<xs:element name="${head}" minOccurs="0"><xs:complexType>${sequence(fieldsXml(nested))}</xs:complexType></xs:element>`
  })
}

const xsTypes = { string: 'xs:string', integer: 'xs:integer', float: 'xs:float', date: 'xs:date' } as const

function element(name: string, type: string): string {
  return `<xs:element name="${name}" type="${type}" minOccurs="0"/>`
}

function attribute({ path, type }: Pick<Field, 'path' | 'type'>): string {
  return `<xs:attribute name="${path}" type="${xsTypes[type]}"/>`
}

function listXml(path: string, type: string): string {
  const [list = '', single] = path.split('/')
  const many = `<xs:element name="${single ?? list}" type="${type}" minOccurs="0" maxOccurs="unbounded"/>`
  if (single === undefined) return many
  return `<xs:element name="${list}" minOccurs="0"><xs:complexType>${sequence([many])}</xs:complexType></xs:element>`
}

function sequence(elements: readonly string[]): string {
  return `<xs:sequence>${elements.join('')}</xs:sequence>`
}

function counts(): Pick<Field, 'path' | 'type'>[] {
  return ['file_count', 'file_size'].map((path) => ({ path, type: 'integer' }))
}

function localName(xsiType: string): string {
  return xsiType.slice(xsiType.indexOf(':') + 1)
}
