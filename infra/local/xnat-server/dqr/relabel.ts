// Study scripts: what DQR makes of a relabel map, and what applying it does to a file
// (D:dto/StudyImportInformation.java, X:StudyRemappingArchiveProcessor.java).
import dicomParser, { type DataSet, type Element } from 'dicom-parser'
import { encodeElement } from './dicom-encoding.ts'

const relabelTags: Readonly<Record<string, readonly string[]>> = {
  Subject: ['(0010,0010)', '(0010,0020)'],
  Session: ['(0020,0010)', '(0008,0050)'],
  'Relabel Accession Number': ['(0008,0050)'],
  'Relabel Study Date': ['(0008,0020)'],
  'Relabel Study ID': ['(0020,0010)'],
  'Relabel Patient ID': ['(0010,0020)'],
  'Relabel Patient Name': ['(0010,0010)'],
  'Relabel Patient Birth Date': ['(0010,0030)'],
}

export const relabelKeys = Object.keys(relabelTags)

/** The script of a map; undefined for an empty one. Values are not escaped. Throws for a key that does not exist. */
export function scriptOf(relabelMap: Readonly<Record<string, string>>): string | undefined {
  const lines = Object.entries(relabelMap).flatMap(([key, value]) => {
    const tags = relabelTags[key]
    if (tags === undefined) throw new RangeError(`No enum constant for relabel key ${key}`)
    return tags.map((tag) => `${tag} := "${value}"`)
  })
  return lines.length === 0 ? undefined : ['version "6.1"', ...lines].join('\n')
}

interface Assignment {
  tag: number
  value: string
}

/** The assignments of a script; undefined for one that DicomEdit, or this stand-in's corner of it, cannot read. */
export function readScript(script: string): Assignment[] | undefined {
  const assignments: Assignment[] = []
  for (const line of script.split('\n')) {
    if (/^\s*(\/\/.*|version\s+"[^"]*"\s*)?$/.test(line)) continue
    const found = /^\s*\(([0-9a-f]{4}),([0-9a-f]{4})\)\s*:=\s*"([^"]*)"\s*$/i.exec(line)
    if (found === null) return undefined
    assignments.push({ tag: Number.parseInt(`${found[1]}${found[2]}`, 16), value: found[3] ?? '' })
  }
  return assignments
}

// DICOM PS3.6: for elements the file lacks.
const vrs: Readonly<Record<number, string>> = {
  524320: 'DA',
  524368: 'SH',
  1048592: 'PN',
  1048608: 'LO',
  1048624: 'DA',
  2097168: 'SH',
}
const pastHeader = 'x00280002'
const bigEndian = '1.2.840.10008.1.2.2'
const deflated = '1.2.840.10008.1.2.1.99'

/** The file with those values in place of its own. Throws for one whose encoding the stand-in does not write. */
export function relabel(file: Buffer, assignments: readonly Assignment[]): Buffer {
  const dataset = dicomParser.parseDicom(file, { untilTag: pastHeader })
  const transferSyntax = dataset.string('x00020010')?.trim() ?? ''
  if (transferSyntax === bigEndian || transferSyntax === deflated) {
    throw new Error(`The stand-in XNAT does not relabel files of transfer syntax ${transferSyntax}`)
  }
  // DICOM PS3.5 A.4: what is compressed has an explicit header.
  const isImplicit = transferSyntax === '1.2.840.10008.1.2'
  const edits = new Map(assignments.map(({ tag, value }) => [tag, value]))
  const pieces: Buffer[] = []
  let at = 0
  for (const [tag, value] of [...edits].toSorted(([one], [other]) => one - other)) {
    const { start, end, vr } = place(dataset, tag, { isImplicit })
    pieces.push(file.subarray(at, start), encodeElement({ tag, vr, value }, { isImplicit }))
    at = end
  }
  return Buffer.concat([...pieces, file.subarray(at)])
}

/** Where an element is, or where it belongs. */
function place(dataset: DataSet, tag: number, encoding: { isImplicit: boolean }) {
  const found = dataset.elements[`x${tag.toString(16).padStart(8, '0')}`]
  const vr = found?.vr ?? vrs[tag] ?? 'LO'
  if (found !== undefined) return { vr, start: startOf(found, encoding), end: found.dataOffset + found.length }
  const next = Object.values(dataset.elements)
    .filter((element) => tagOf(element) > tag)
    .toSorted((one, other) => tagOf(one) - tagOf(other))[0]
  const start = next === undefined ? dataset.byteArray.length : startOf(next, encoding)
  return { vr, start, end: start }
}

function startOf(element: Element, { isImplicit }: { isImplicit: boolean }): number {
  const isLong = !isImplicit && /^(O[BDFLVW]|S[QV]|U[CNRTV])$/.test(element.vr ?? '')
  return element.dataOffset - (isLong ? 12 : 8)
}

function tagOf(element: Element): number {
  return Number.parseInt(element.tag.slice(1), 16)
}
