import type { Exchange } from './exchange.ts'
import { notCovered } from './http-failure.ts'
import type { Item } from './item.ts'
import { requireAcceptable, wantedFormat } from './media-types.ts'
import { escapeXml } from './query.ts'
import { documentReply, jsonReply, type Reply } from './reply.ts'
import { refuseActions } from './uncovered-options.ts'
import { elementOfType } from './xsi-types.ts'

/** What a single item, and whatever is shown below its path, is offered as. */
export const itemTypes = ['text/html', 'text/xml'] as const

/** XNAT: a single item offers html and xml; json is had by `?format=` alone, and html without it (SecureResource.java). */
export function itemReply(exchange: Exchange, item: Item): Reply {
  refuseActions(exchange, ['handler', 'includeHistory', 'includeHeaders', 'concealHiddenFields'])
  requireAcceptable(exchange, itemTypes)
  switch (wantedFormat(exchange)) {
    case 'json':
      return jsonReply({ items: [item] })
    case 'xml':
      return documentReply('text/xml', itemXml(item))
    case 'html':
    case undefined:
      return documentReply('text/html', itemPage(item))
    default:
      throw notCovered(exchange.method, `${exchange.rawPath}?format=${exchange.query.get('format')}`)
  }
}

const namespaces =
  'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:icr="http://icr.ac.uk/icr" xmlns:proc="http://nrg.wustl.edu/proc" ' +
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
// XNAT: these are attributes in xnat.xsd, everything else is an element.
export const attributeNames: ReadonlySet<string> = new Set([
  'ID',
  'project',
  'label',
  'secondary_ID',
  'group',
  'src',
  'UID',
  'type',
  'URI',
  'format',
  'content',
])
const internalNames = new Set(['xnat_imagescandata_id', 'xnat_abstractresource_id'])

export function itemXml(item: Item): string {
  const name = elementOfType(item.meta['xsi:type'])
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${attributesXml(item)} ${namespaces}>${contentXml(item)}</${name}>\n`
}

function attributesXml({ data_fields }: Item): string {
  return Object.entries(data_fields)
    .filter(([name]) => attributeNames.has(name))
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('')
}

function contentXml({ data_fields, children }: Item): string {
  const fields = Object.entries(data_fields)
    .filter(([name]) => !attributeNames.has(name) && !internalNames.has(name))
    .map(([name, value]) => nest(name.split('/'), escapeXml(String(value))))
  const items = children.map(({ field, items: below }) => {
    const [list = '', single] = field.split('/')
    const elements = below.map((child) => childXml(single ?? list, child)).join('')
    return single === undefined ? elements : `<xnat:${list}>${elements}</xnat:${list}>`
  })
  return [...fields, ...items].join('')
}

function childXml(name: string, child: Item): string {
  // An alias is its own text: <xnat:alias>text</xnat:alias>.
  const text = child.data_fields[name]
  if (text !== undefined) return nest([name], escapeXml(String(text)))
  return `<xnat:${name}${attributesXml(child)} xsi:type="${child.meta['xsi:type']}">${contentXml(child)}</xnat:${name}>`
}

function nest(names: readonly string[], text: string): string {
  return names.reduceRight((inner, name) => `<xnat:${name}>${inner}</xnat:${name}>`, text)
}

function itemPage(item: Item): string {
  const rows = Object.entries(item.data_fields).map(
    ([name, value]) => `<tr><th>${name}</th><td>${escapeXml(String(value))}</td></tr>`,
  )
  return `<!DOCTYPE HTML><html><head><title>XNAT</title></head><body><table>${rows.join('')}</table></body></html>`
}
