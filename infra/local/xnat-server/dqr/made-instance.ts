// A small instance of a declared study: header and a grey square of 8 by 8 pixels.
import { type Element, encodeElements } from './dicom-encoding.ts'
import { type PacsSeries, type PacsStudy, uidOf } from './pacs-study.ts'

const explicitVrLittleEndian = '1.2.840.10008.1.2.1'
// DICOM PS3.6 A: storage classes of the modalities there is a plain one for; Secondary Capture for the rest.
const storageClasses: Readonly<Record<string, string>> = {
  CR: '1.2.840.10008.5.1.4.1.1.1',
  CT: '1.2.840.10008.5.1.4.1.1.2',
  DX: '1.2.840.10008.5.1.4.1.1.1.1',
  MG: '1.2.840.10008.5.1.4.1.1.1.2',
  MR: '1.2.840.10008.5.1.4.1.1.4',
  NM: '1.2.840.10008.5.1.4.1.1.20',
  PT: '1.2.840.10008.5.1.4.1.1.128',
  US: '1.2.840.10008.5.1.4.1.1.6.1',
  XA: '1.2.840.10008.5.1.4.1.1.12.1',
}
const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7'
const side = 8

export function makeInstance(study: PacsStudy, series: PacsSeries, number: number): Buffer {
  const sopClassUid = storageClasses[series.modality] ?? secondaryCapture
  const sopInstanceUid = uidOf(`instance ${series.seriesInstanceUid} ${number}`)
  const dataset = encodeElements([
    { tag: 0x00080005, vr: 'CS', value: 'ISO_IR 192' },
    { tag: 0x00080016, vr: 'UI', value: sopClassUid },
    { tag: 0x00080018, vr: 'UI', value: sopInstanceUid },
    { tag: 0x00080020, vr: 'DA', value: study.studyDate },
    { tag: 0x00080021, vr: 'DA', value: study.studyDate },
    { tag: 0x00080030, vr: 'TM', value: '090000' },
    { tag: 0x00080031, vr: 'TM', value: '090500' },
    { tag: 0x00080050, vr: 'SH', value: study.accessionNumber },
    { tag: 0x00080060, vr: 'CS', value: series.modality },
    { tag: 0x00080070, vr: 'LO', value: 'Stand-in' },
    { tag: 0x00080090, vr: 'PN', value: study.referringPhysicianName },
    { tag: 0x00081030, vr: 'LO', value: study.studyDescription },
    { tag: 0x0008103e, vr: 'LO', value: series.seriesDescription },
    { tag: 0x00100010, vr: 'PN', value: study.patientName },
    { tag: 0x00100020, vr: 'LO', value: study.patientId },
    { tag: 0x00100030, vr: 'DA', value: study.patientBirthDate },
    { tag: 0x00100040, vr: 'CS', value: study.patientSex },
    { tag: 0x0020000d, vr: 'UI', value: study.studyInstanceUid },
    { tag: 0x0020000e, vr: 'UI', value: series.seriesInstanceUid },
    { tag: 0x00200010, vr: 'SH', value: study.studyId },
    { tag: 0x00200011, vr: 'IS', value: series.seriesNumber },
    { tag: 0x00200013, vr: 'IS', value: String(number) },
    ...image(number),
  ])
  return Buffer.concat([fileMeta(sopClassUid, sopInstanceUid), dataset])
}

/** Preamble and group 2, which says how long it is. */
function fileMeta(sopClassUid: string, sopInstanceUid: string): Buffer {
  const meta = encodeElements([
    { tag: 0x00020001, vr: 'OB', value: Buffer.of(0, 1) },
    { tag: 0x00020002, vr: 'UI', value: sopClassUid },
    { tag: 0x00020003, vr: 'UI', value: sopInstanceUid },
    { tag: 0x00020010, vr: 'UI', value: explicitVrLittleEndian },
    { tag: 0x00020012, vr: 'UI', value: uidOf('implementation') },
  ])
  const groupLength = encodeElements([{ tag: 0x00020000, vr: 'UL', value: meta.length }])
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), groupLength, meta])
}

/** Every instance is grey in another tone. */
function image(number: number): Element[] {
  return [
    { tag: 0x00280002, vr: 'US', value: 1 },
    { tag: 0x00280004, vr: 'CS', value: 'MONOCHROME2' },
    { tag: 0x00280010, vr: 'US', value: side },
    { tag: 0x00280011, vr: 'US', value: side },
    { tag: 0x00280100, vr: 'US', value: 8 },
    { tag: 0x00280101, vr: 'US', value: 8 },
    { tag: 0x00280102, vr: 'US', value: 7 },
    { tag: 0x00280103, vr: 'US', value: 0 },
    { tag: 0x7fe00010, vr: 'OB', value: Buffer.alloc(side * side, number % 256) },
  ]
}
