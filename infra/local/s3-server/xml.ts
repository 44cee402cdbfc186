// Reads and writes the few XML shapes of the S3 API: elements and text, no mixed content, attributes ignored.
import { S3Error } from './s3-error.ts'

type XmlValue = string | number | boolean | undefined | XmlNode | readonly XmlValue[]

export interface XmlNode {
  readonly [name: string]: XmlValue
}

/** One document. A list repeats its element; `undefined` leaves it out; text is escaped so that any key survives. */
export function renderXml(root: string, content: XmlNode | string): string {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
  const inner = typeof content === 'string' ? escapeText(content) : renderNode(content)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${inner}</${root}>`
}

function renderNode(node: XmlNode): string {
  return Object.entries(node)
    .map(([name, value]) => renderElement(name, value))
    .join('')
}

function renderElement(name: string, value: XmlValue): string {
  if (value === undefined) return ''
  if (isList(value)) return value.map((item) => renderElement(name, item)).join('')
  if (typeof value === 'object') return `<${name}>${renderNode(value)}</${name}>`
  return `<${name}>${escapeText(String(value))}</${name}>`
}

const isList = (value: XmlValue): value is readonly XmlValue[] => Array.isArray(value)

const escapeText = (text: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them, and only a reference carries them
  text.replaceAll(/[&<>"\u0000-\u001f\u007f]/gu, (char) => namedEscapes[char] ?? `&#${char.charCodeAt(0)};`)

const namedEscapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

export class XmlElement {
  readonly name: string
  readonly children: XmlElement[] = []
  /** Character data directly inside, with references resolved and white space kept. */
  text = ''

  constructor(name: string) {
    this.name = name
  }

  all(name: string): XmlElement[] {
    return this.children.filter((child) => child.name === name)
  }

  find(name: string): string | undefined {
    return this.children.find((child) => child.name === name)?.text
  }

  get(name: string): string {
    const value = this.find(name)
    if (value === undefined) throw malformed()
    return value
  }
}

const malformed = () =>
  new S3Error('MalformedXML', 'The XML you provided was not well-formed or did not validate against our schema')

const token = /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[(?<raw>[\s\S]*?)\]\]>|<(?<tag>\/?[^<>!?]+)>|(?<text>[^<]+)/uy

/** @throws {S3Error} MalformedXML, also when the document element is not `root`. */
export function parseXml(document: string, root: string): XmlElement {
  const top = new XmlElement('')
  const open = [top]
  const source = document.replace(/^\ufeff/u, '')
  token.lastIndex = 0
  while (token.lastIndex < source.length) {
    const groups = token.exec(source)?.groups
    const current = open.at(-1)
    if (groups === undefined || current === undefined) throw malformed()
    if (groups['tag'] !== undefined) applyTag(groups['tag'], open)
    else current.text += groups['raw'] ?? resolveReferences(groups['text'] ?? '')
  }
  const element = top.children[0]
  if (open.length !== 1 || element?.name !== root || top.text.trim() !== '') throw malformed()
  return element
}

function applyTag(tag: string, open: XmlElement[]): void {
  const [, closing, name, selfClosing] = /^(\/?)(?:[^\s:/]+:)?([^\s:/]+)[\s\S]*?(\/?)$/u.exec(tag) ?? []
  const current = open.at(-1)
  if (name === undefined || current === undefined) throw malformed()
  if (closing === '/') {
    if (current.name !== name || open.length === 1) throw malformed()
    open.pop()
    return
  }
  const element = new XmlElement(name)
  current.children.push(element)
  if (selfClosing !== '/') open.push(element)
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function resolveReferences(text: string): string {
  return text.replaceAll(
    /&(?:#x([\da-f]+)|#(\d+)|(\w+));/giu,
    (_all, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? fail()
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      return code <= 0x10ffff ? String.fromCodePoint(code) : fail()
    },
  )
}

function fail(): never {
  throw malformed()
}
