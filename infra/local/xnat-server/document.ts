// The XML document a request may carry (SecureResource.java loadItem).
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import * as z from 'zod'
import type { Exchange } from './exchange.ts'
import { HttpFailure, notCovered } from './http-failure.ts'
import { bodyOf, mediaType, readMultipart } from './upload-body.ts'
import { typeOfElement } from './xsi-types.ts'

export interface ItemDocument {
  /** undefined when the root element names nothing the stand-in knows. */
  xsiType: string | undefined
  /** Attribute and element values by XML path without namespaces: `ID`, `PI/lastname`. */
  values: Map<string, string>
  /** Repeated elements below the root, by their path: `scans/scan`, `aliases/alias`. */
  children: Map<string, ItemDocument[]>
}

const maxDocumentBytes = 16 * 1024 * 1024

/**
 * The request's XML, or undefined when it carries none.
 *
 * XNAT: a body is looked at only when its length is known and not 0, so a chunked document is ignored.
 *
 * @throws {HttpFailure} 422 when it is not well-formed.
 */
export async function readDocument(exchange: Exchange): Promise<ItemDocument | undefined> {
  const { request, query } = exchange
  const type = mediaType(request)
  if (query.get('req_format') === 'qs') return undefined
  if (type === 'multipart/form-data' && query.get('req_format') !== 'form') return readDocumentPart(exchange)
  refuseForm(exchange)
  const isXml =
    type === 'text/xml' || type === 'application/xml' || query.get('req_format') === 'xml' || query.isTrue('inbody')
  if (!isXml || !(Number(request.headers['content-length'] ?? 0) > 0)) return undefined
  return parseDocument(await readText(bodyOf(request)))
}

// XNAT: of a multipart body, the parts whose names end in .xml are documents, and the last one counts.
async function readDocumentPart(exchange: Exchange): Promise<ItemDocument | undefined> {
  const { request, method, rawPath } = exchange
  if (!(Number(request.headers['content-length'] ?? 0) > 0)) return undefined
  const { files, fields, dispose } = await readMultipart(exchange)
  try {
    if (fields.size > 0) throw notCovered(method, `${rawPath} with a form`)
    const document = files.findLast(({ name }) => name?.endsWith('.xml'))
    return document && parseDocument(await readText(document.open()))
  } finally {
    await dispose()
  }
}

/** XNAT takes fields from forms too; the stand-in does not, and must not act as if there were none. */
function refuseForm({ request, query, method, rawPath }: Exchange): void {
  const type = mediaType(request)
  const isForm = type === 'application/x-www-form-urlencoded' || query.get('req_format') === 'form'
  const isEmpty =
    request.headers['transfer-encoding'] === undefined && Number(request.headers['content-length'] ?? 0) === 0
  if (isForm && !isEmpty) throw notCovered(method, `${rawPath} with a form`)
}

async function readText(body: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('A body without an encoding is made of buffers.')
    size += chunk.length
    if (size > maxDocumentBytes) throw new HttpFailure(413)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

// fast-xml-parser in preserveOrder form: [{ 'xnat:name': [{ '#text': 'P1' }], ':@': { '@ID': 'P1' } }]
const Node = z.record(z.string(), z.unknown())
const Nodes = z.array(Node)
const Attributes = z.record(z.string(), z.string())
const listPaths = new Set(['scans/scan', 'aliases/alias', 'sharing/share', 'assessors/assessor', 'resources/resource'])

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: true,
})

function parseDocument(xml: string): ItemDocument {
  const validity = XMLValidator.validate(xml)
  if (validity !== true) throw new HttpFailure(422, `An error occurred parsing the XML ${validity.err.msg}`)
  const root = Nodes.parse(parser.parse(xml)).find((node) => elementName(node) !== undefined)
  if (root === undefined) throw new HttpFailure(422, 'An error occurred parsing the XML: no root element')
  return itemOf(root)
}

function itemOf(node: z.infer<typeof Node>): ItemDocument {
  const name = elementName(node) ?? ''
  const item: ItemDocument = {
    xsiType: typeOfElement(name, attributesOf(node)['@xsi:type']),
    values: new Map(),
    children: new Map(),
  }
  collect(node, [], item)
  return item
}

function collect(node: z.infer<typeof Node>, path: readonly string[], item: ItemDocument): void {
  for (const [name, value] of Object.entries(attributesOf(node))) {
    const attribute = name.slice(1)
    if (!/^xmlns|:/.test(attribute)) item.values.set([...path, attribute].join('/'), value)
  }
  for (const child of Nodes.parse(node[elementName(node) ?? ''] ?? [])) {
    const text = child['#text']
    if (text !== undefined) {
      item.values.set(path.join('/'), String(text))
      continue
    }
    const name = elementName(child)
    if (name === undefined) continue
    const childPath = [...path, localName(name)]
    const key = childPath.join('/')
    if (listPaths.has(key)) item.children.set(key, [...(item.children.get(key) ?? []), itemOf(child)])
    else collect(child, childPath, item)
  }
}

function elementName(node: z.infer<typeof Node>): string | undefined {
  return Object.keys(node).find((key) => key !== ':@' && key !== '#text' && !key.startsWith('?'))
}

function attributesOf(node: z.infer<typeof Node>): Record<string, string> {
  return Attributes.parse(node[':@'] ?? {})
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
