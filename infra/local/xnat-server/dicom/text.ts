import type { DataSet, Element } from 'dicom-parser'
import { isWhole } from './dataset.ts'

// DICOM: the repertoires of PS3.3 C.12.1.1.2 that a decoder knows by a name of its own; the rest is read as Latin 1.
const decoders: Readonly<Record<string, string>> = {
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 13': 'shift_jis',
}

/** An element's value as text, without padding; `''` when it is missing or empty. */
export function textOf(dataset: DataSet, tag: string): string {
  const element = dataset.elements[tag]
  return element === undefined || !isWhole(dataset, element) ? '' : decode(dataset, element)
}

/** The bytes of an element in the dataset's character set. */
export function decode(dataset: DataSet, element: Element, maxBytes: number = element.length): string {
  const start = element.dataOffset
  const bytes = dataset.byteArray.subarray(start, start + Math.min(maxBytes, element.length))
  const name = dataset.string('x00080005')?.split('\\').at(-1)?.trim() ?? ''
  const text = new TextDecoder(decoders[name] ?? 'latin1').decode(bytes)
  return text.replace(/[\0 ]+$/, '').trimStart()
}
