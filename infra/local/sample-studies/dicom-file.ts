// Writes DICOM files: Part 10, Explicit VR Little Endian, no sequences. Enough for sample images.
// By hand because dcmjs has no types, and all that is needed of it is the element layout below.

/** DICOM PS3.6: the tag and value representation of every attribute the samples use. */
const dictionary = {
  FileMetaInformationVersion: [0x00020001, 'OB'],
  MediaStorageSOPClassUID: [0x00020002, 'UI'],
  MediaStorageSOPInstanceUID: [0x00020003, 'UI'],
  TransferSyntaxUID: [0x00020010, 'UI'],
  ImplementationClassUID: [0x00020012, 'UI'],
  ImplementationVersionName: [0x00020013, 'SH'],
  SpecificCharacterSet: [0x00080005, 'CS'],
  ImageType: [0x00080008, 'CS'],
  SOPClassUID: [0x00080016, 'UI'],
  SOPInstanceUID: [0x00080018, 'UI'],
  StudyDate: [0x00080020, 'DA'],
  SeriesDate: [0x00080021, 'DA'],
  AcquisitionDate: [0x00080022, 'DA'],
  ContentDate: [0x00080023, 'DA'],
  StudyTime: [0x00080030, 'TM'],
  SeriesTime: [0x00080031, 'TM'],
  AcquisitionTime: [0x00080032, 'TM'],
  ContentTime: [0x00080033, 'TM'],
  AccessionNumber: [0x00080050, 'SH'],
  Modality: [0x00080060, 'CS'],
  Manufacturer: [0x00080070, 'LO'],
  ReferringPhysicianName: [0x00080090, 'PN'],
  StudyDescription: [0x00081030, 'LO'],
  SeriesDescription: [0x0008103e, 'LO'],
  ManufacturerModelName: [0x00081090, 'LO'],
  PatientName: [0x00100010, 'PN'],
  PatientID: [0x00100020, 'LO'],
  PatientBirthDate: [0x00100030, 'DA'],
  PatientSex: [0x00100040, 'CS'],
  BodyPartExamined: [0x00180015, 'CS'],
  ScanningSequence: [0x00180020, 'CS'],
  SequenceVariant: [0x00180021, 'CS'],
  ScanOptions: [0x00180022, 'CS'],
  MRAcquisitionType: [0x00180023, 'CS'],
  SliceThickness: [0x00180050, 'DS'],
  KVP: [0x00180060, 'DS'],
  RepetitionTime: [0x00180080, 'DS'],
  EchoTime: [0x00180081, 'DS'],
  MagneticFieldStrength: [0x00180087, 'DS'],
  EchoTrainLength: [0x00180091, 'IS'],
  ImagerPixelSpacing: [0x00181164, 'DS'],
  ConvolutionKernel: [0x00181210, 'SH'],
  FlipAngle: [0x00181314, 'DS'],
  PatientPosition: [0x00185100, 'CS'],
  ViewPosition: [0x00185101, 'CS'],
  StudyInstanceUID: [0x0020000d, 'UI'],
  SeriesInstanceUID: [0x0020000e, 'UI'],
  StudyID: [0x00200010, 'SH'],
  SeriesNumber: [0x00200011, 'IS'],
  AcquisitionNumber: [0x00200012, 'IS'],
  InstanceNumber: [0x00200013, 'IS'],
  PatientOrientation: [0x00200020, 'CS'],
  ImagePositionPatient: [0x00200032, 'DS'],
  ImageOrientationPatient: [0x00200037, 'DS'],
  FrameOfReferenceUID: [0x00200052, 'UI'],
  PositionReferenceIndicator: [0x00201040, 'LO'],
  SamplesPerPixel: [0x00280002, 'US'],
  PhotometricInterpretation: [0x00280004, 'CS'],
  Rows: [0x00280010, 'US'],
  Columns: [0x00280011, 'US'],
  PixelSpacing: [0x00280030, 'DS'],
  BitsAllocated: [0x00280100, 'US'],
  BitsStored: [0x00280101, 'US'],
  HighBit: [0x00280102, 'US'],
  PixelRepresentation: [0x00280103, 'US'],
  WindowCenter: [0x00281050, 'DS'],
  WindowWidth: [0x00281051, 'DS'],
  RescaleIntercept: [0x00281052, 'DS'],
  RescaleSlope: [0x00281053, 'DS'],
  RescaleType: [0x00281054, 'LO'],
  PixelData: [0x7fe00010, 'OW'],
} as const satisfies Record<string, readonly [tag: number, vr: string]>

type Keyword = keyof typeof dictionary
type Value = string | number | readonly (string | number)[] | Uint8Array

/** Attributes by DICOM keyword, in any order. Several values of one attribute are an array; `''` is an empty value. */
export type Dataset = Partial<Record<Keyword, Value>>

/** What a file must say of itself: its SOP class and instance are repeated in the file meta information. */
export interface InstanceDataset extends Dataset {
  SOPClassUID: string
  SOPInstanceUID: string
}

const explicitVrLittleEndian = '1.2.840.10008.1.2.1'
const implementationClassUid = '2.25.190146093748125730264829713560182374651'

/** The bytes of a whole DICOM file: preamble, file meta information, dataset. */
export function encodeDicomFile(dataset: InstanceDataset): Buffer {
  const meta = encodeDataset({
    FileMetaInformationVersion: Uint8Array.of(0, 1),
    MediaStorageSOPClassUID: dataset.SOPClassUID,
    MediaStorageSOPInstanceUID: dataset.SOPInstanceUID,
    TransferSyntaxUID: explicitVrLittleEndian,
    ImplementationClassUID: implementationClassUid,
    ImplementationVersionName: 'XNAT_CONDUIT',
  })
  const metaLength = Buffer.alloc(4)
  metaLength.writeUInt32LE(meta.length)
  const groupLength = encodeElement(0x00020000, 'UL', metaLength)
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), groupLength, meta, encodeDataset(dataset)])
}

function encodeDataset(dataset: Dataset): Buffer {
  const values: Readonly<Record<string, Value | undefined>> = dataset
  const elements: { tag: number; bytes: Buffer }[] = []
  for (const [keyword, [tag, vr]] of Object.entries(dictionary)) {
    const value = values[keyword]
    if (value !== undefined) elements.push({ tag, bytes: encodeElement(tag, vr, encodeValue(vr, value)) })
  }
  elements.sort((a, b) => a.tag - b.tag)
  return Buffer.concat(elements.map(({ bytes }) => bytes))
}

function encodeElement(tag: number, vr: string, value: Buffer): Buffer {
  // DICOM PS3.5 7.1.2: OB and OW have two reserved bytes and a length of 32 bits, the others here one of 16 bits.
  const isLong = vr === 'OB' || vr === 'OW'
  const header = Buffer.alloc(isLong ? 12 : 8)
  header.writeUInt16LE(tag >>> 16, 0)
  header.writeUInt16LE(tag & 0xffff, 2)
  header.write(vr, 4, 'latin1')
  if (isLong) header.writeUInt32LE(value.length, 8)
  else header.writeUInt16LE(value.length, 6)
  return Buffer.concat([header, value])
}

function encodeValue(vr: string, value: Value): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value)
  const values = Array.isArray(value) ? value : [value]
  if (vr === 'US') {
    const bytes = Buffer.alloc(2 * values.length)
    for (const [index, number] of values.entries()) bytes.writeUInt16LE(Number(number), 2 * index)
    return bytes
  }
  const text = Buffer.from(values.map(formatValue).join('\\'))
  const padding = vr === 'UI' ? '\0' : ' '
  return text.length % 2 === 0 ? text : Buffer.concat([text, Buffer.from(padding)])
}

/** A decimal string holds at most 16 characters: six places after the point are far below what a scanner can tell. */
function formatValue(value: string | number): string {
  return typeof value === 'string' ? value : String(Number(value.toFixed(6)) + 0)
}
