// Three small DICOM studies of patients who do not exist: an MR of a head, a CT and a radiograph of a chest.
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Dataset, encodeDicomFile } from './sample-studies/dicom-file.ts'
import { makeStudies, type SampleStudy } from './sample-studies/patients.ts'
import type { Point } from './sample-studies/phantoms.ts'

export interface SampleFile {
  relativePath: string
  bytes: Buffer
}

/** Writes the sample studies below `dir`, which is created; files of the same names are replaced. */
export async function writeSampleStudies(dir: string, options: { seed?: number } = {}): Promise<void> {
  for (const { relativePath, bytes } of sampleStudies(options)) {
    const path = join(dir, relativePath)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
}

/**
 * Every instance of the sample studies as a DICOM file; one seed always gives the same bytes.
 *
 * Another seed (default 1) gives other UIDs and another finding to look for; patient ids and accession numbers stay.
 */
export function* sampleStudies({ seed = 1 }: { seed?: number } = {}): Generator<SampleFile> {
  for (const study of makeStudies(findingFor(seed))) yield* studyFiles(study, seed)
}

function* studyFiles({ sopClassUid, attributes, series }: SampleStudy, seed: number): Generator<SampleFile> {
  const studyName = `${attributes.PatientID}/${attributes.Modality}`
  for (const [seriesIndex, { description, attributes: seriesAttributes, images }] of series.entries()) {
    const seriesName = `${studyName}/series-${seriesIndex + 1}`
    for (const [imageIndex, image] of images.entries()) {
      const relativePath = `${seriesName}/${String(imageIndex + 1).padStart(4, '0')}.dcm`
      const bytes = encodeDicomFile({
        ...commonAttributes,
        ...attributes,
        ...seriesAttributes,
        ...image.attributes,
        ...frameOfReference(image.attributes, uid(seed, `${studyName}/frame of reference`)),
        ...pixelAttributes(image.pixels),
        SOPClassUID: sopClassUid,
        SOPInstanceUID: uid(seed, relativePath),
        StudyInstanceUID: uid(seed, studyName),
        SeriesInstanceUID: uid(seed, seriesName),
        SeriesDescription: description,
        SeriesNumber: seriesIndex + 1,
        InstanceNumber: imageIndex + 1,
      })
      yield { relativePath, bytes }
    }
  }
}

const commonAttributes: Dataset = {
  SpecificCharacterSet: 'ISO_IR 192',
  StudyDate: '20240102',
  SeriesDate: '20240102',
  AcquisitionDate: '20240102',
  ContentDate: '20240102',
  StudyTime: '090000',
  SeriesTime: '090500',
  AcquisitionTime: '090600',
  ContentTime: '090600',
  Manufacturer: 'xnat-conduit',
  ManufacturerModelName: 'Synthetic sample',
  ReferringPhysicianName: '',
  PatientBirthDate: '',
}

/** A position in the patient means something only within a frame of reference, which the study's series share. */
function frameOfReference(attributes: Dataset, frameOfReferenceUid: string): Dataset {
  if (attributes.ImagePositionPatient === undefined) return {}
  return { FrameOfReferenceUID: frameOfReferenceUid, PositionReferenceIndicator: '' }
}

function pixelAttributes(pixels: readonly number[]): Dataset {
  const size = Math.sqrt(pixels.length)
  const data = Buffer.alloc(2 * pixels.length)
  for (const [index, value] of pixels.entries()) data.writeUInt16LE(Math.min(4095, Math.round(value)), 2 * index)
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: size,
    Columns: size,
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    PixelData: data,
  }
}

function findingFor(seed: number): Point {
  const bytes = digest(seed, 'finding')
  const fraction = (index: number) => bytes.readUInt8(index) / 127.5 - 1
  return [fraction(0), fraction(1), fraction(2)]
}

/** A UID made from a UUID (DICOM PS3.5 B.2), which is made from the name (RFC 9562, version 8). */
function uid(seed: number, name: string): string {
  const uuid = digest(seed, name).subarray(0, 16)
  uuid.writeUInt8((uuid.readUInt8(6) & 0x0f) | 0x80, 6)
  uuid.writeUInt8((uuid.readUInt8(8) & 0x3f) | 0x80, 8)
  return `2.25.${BigInt(`0x${uuid.toString('hex')}`)}`
}

function digest(seed: number, name: string): Buffer {
  return createHash('sha256').update(`xnat-conduit sample ${seed}: ${name}`).digest()
}
