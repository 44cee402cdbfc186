// A header as a table (DicomHeaderDump.java, DicomSummaryHeaderDump.java).
import type { DataSet, Element } from 'dicom-parser'
import { readDataset } from './dataset.ts'
import { attributeOf, nameOf } from './dictionary.ts'
import { decode } from './text.ts'

export interface DumpRow {
  tag1: string
  tag2: string
  vr: string
  value: string
  desc: string
  [column: string]: string
}

const pixelData = 'x7fe00010'
const maxValueBytes = 255

/** The elements before the pixels, in order of their tags, or those that are asked for; items of sequences one level deep. */
export async function dumpHeader(path: string, wanted: ReadonlySet<string>): Promise<DumpRow[]> {
  const dataset = await readDataset(path, pixelData)
  if (dataset === undefined) return []
  const tags = Object.keys(dataset.elements).toSorted()
  return tags.flatMap((key) => {
    const element = dataset.elements[key]
    const isShown = key < pixelData && (wanted.size === 0 || wanted.has(bareTag(key)))
    return element === undefined || !isShown ? [] : rowsOf(dataset, element)
  })
}

/** One row per tag: every value it has in these headers, in the order in which they were met. */
export function summarize(headers: readonly DumpRow[]): DumpRow[] {
  const byTag = Map.groupBy(headers, ({ tag1 }) => tag1)
  return [...byTag]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([tag1, rows]) => {
      const values: string[] = []
      for (const { value } of rows) if (value !== '' && !values.join(', ').includes(value)) values.push(value)
      const last = rows.at(-1)
      // XNAT: the column vr comes out empty (DicomSummaryHeaderDump.java reformat).
      return { tag1, tag2: last?.tag2 ?? '', vr: '', value: values.join(', '), desc: last?.desc ?? '' }
    })
}

function rowsOf(dataset: DataSet, element: Element): DumpRow[] {
  const tag = tagText(element)
  if (element.items === undefined) return [rowOf(dataset, element, { tag1: tag, tag2: '' })]
  return element.items.flatMap((item) => {
    const below = item.dataSet
    const nested = Object.values(below?.elements ?? {}).filter((each) => each.tag !== 'xfffee00d')
    return [
      rowOf(dataset, element, { tag1: tag, tag2: tag }),
      ...nested.flatMap((each) => (below === undefined ? [] : rowOf(below, each, { tag1: tag, tag2: tagText(each) }))),
    ]
  })
}

function rowOf(dataset: DataSet, element: Element, tags: Pick<DumpRow, 'tag1' | 'tag2'>): DumpRow {
  const attribute = attributeOf(bareTag(element.tag))
  const vr = element.vr ?? attribute?.vr ?? 'UN'
  return {
    ...tags,
    vr,
    value: escapeHtml(element.items === undefined ? elementValue(dataset, element, vr) : ''),
    desc: attribute === undefined ? '?' : escapeHtml(nameOf(attribute)),
  }
}

function elementValue(dataset: DataSet, element: Element, vr: string): string {
  const { tag } = element
  if (vr === 'US') return numbers(element.length / 2, (index) => dataset.uint16(tag, index))
  if (vr === 'SS') return numbers(element.length / 2, (index) => dataset.int16(tag, index))
  if (vr === 'UL') return numbers(element.length / 4, (index) => dataset.uint32(tag, index))
  if (vr === 'FL') return numbers(element.length / 4, (index) => dataset.float(tag, index))
  if (vr === 'FD') return numbers(element.length / 8, (index) => dataset.double(tag, index))
  if (/^(OB|OW|OF|OD|OL|UN|AT)$/.test(vr)) {
    const bytes = dataset.byteArray.subarray(element.dataOffset, element.dataOffset + Math.min(element.length, 64))
    return [...bytes].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('\\')
  }
  return decode(dataset, element, maxValueBytes)
}

function numbers(count: number, read: (index: number) => number | undefined): string {
  const values = Array.from({ length: Math.min(Math.floor(count), 64) }, (_, index) => read(index))
  return values.map(String).join('\\').slice(0, maxValueBytes)
}

function bareTag(tag: string): string {
  return tag.slice(1)
}

/** `(0010,0020)` */
function tagText({ tag }: Element): string {
  return `(${tag.slice(1, 5)},${tag.slice(5)})`.toUpperCase()
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character)
}
