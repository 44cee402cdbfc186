// The sample studies' content: whom they show, how they were taken, and the pixels.
import type { Dataset } from './dicom-file.ts'
import { cut, type ImagePlane, type Phantom, type Point, planeAround, shineThrough } from './phantoms.ts'

export interface SampleStudy {
  sopClassUid: string
  attributes: Dataset & { PatientID: string; Modality: string }
  series: SampleSeries[]
}

interface SampleSeries {
  description: string
  attributes: Dataset
  images: { attributes: Dataset; pixels: number[] }[]
}

/** The head MR, chest CT and chest radiograph; `finding` moves what there is to be found, by -1 to 1 in each direction. */
export function makeStudies(finding: Point): SampleStudy[] {
  return [headMr(finding), chestCt(finding), chestCr(finding)]
}

function headMr(finding: Point): SampleStudy {
  const head = headPhantom(finding)
  const spinEcho = { ScanningSequence: 'SE', SequenceVariant: 'NONE', FlipAngle: 90 }
  const localizer = { ScanningSequence: 'GR', SequenceVariant: 'SP', FlipAngle: 30, RepetitionTime: 10, EchoTime: 4 }
  const slices = [-40, -26, -12, 2, 16, 30, 44, 58].map((z) => axialPlane(z, 3.5))
  const t1 = { air: 5, scalp: 900, skull: 120, brain: 600, ventricle: 180, lesion: 420 }
  const t2 = { air: 5, scalp: 500, skull: 90, brain: 420, ventricle: 950, lesion: 800 }
  return {
    sopClassUid: '1.2.840.10008.5.1.4.1.1.4',
    attributes: {
      ...identity(1, { PatientName: 'SAMPLE^ONE', PatientSex: 'F', Modality: 'MR' }),
      PatientPosition: 'HFS',
      StudyDescription: 'Synthetic head',
      BodyPartExamined: 'HEAD',
      ImageType: ['ORIGINAL', 'PRIMARY', 'OTHER'],
      ScanOptions: '',
      MRAcquisitionType: '2D',
      MagneticFieldStrength: 1.5,
      EchoTrainLength: 1,
    },
    series: [
      { description: 'Localizer', attributes: localizer, images: slicesOf(head, threePlanes(3.5), t1) },
      {
        description: 'T1 axial',
        attributes: { ...spinEcho, RepetitionTime: 500, EchoTime: 15 },
        images: slicesOf(head, slices, t1),
      },
      {
        description: 'T2 axial',
        attributes: { ...spinEcho, RepetitionTime: 4000, EchoTime: 90 },
        images: slicesOf(head, slices, t2),
      },
    ],
  }
}

function chestCt(finding: Point): SampleStudy {
  const chest = chestPhantom(finding)
  const rescaleIntercept = -1024
  const stored = (hounsfield: number) => hounsfield - rescaleIntercept
  const values = {
    air: stored(-1000),
    soft: stored(40),
    lung: stored(-850),
    heart: stored(60),
    bone: stored(600),
    nodule: stored(30),
  }
  const slices = [-105, -75, -45, -15, 15, 45, 75, 105].map((z) => axialPlane(z, 6))
  const images = slicesOf(chest, slices, values)
  return {
    sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
    attributes: {
      ...identity(2, { PatientName: 'SAMPLE^TWO', PatientSex: 'M', Modality: 'CT' }),
      PatientPosition: 'HFS',
      StudyDescription: 'Synthetic chest',
      BodyPartExamined: 'CHEST',
      ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
      KVP: 120,
      AcquisitionNumber: 1,
      RescaleIntercept: rescaleIntercept,
      RescaleSlope: 1,
      RescaleType: 'HU',
    },
    series: [
      {
        description: 'Chest soft tissue',
        attributes: { ConvolutionKernel: 'SOFT', WindowCenter: 40, WindowWidth: 400 },
        images,
      },
      {
        description: 'Chest lung',
        attributes: { ConvolutionKernel: 'LUNG', WindowCenter: -600, WindowWidth: 1500 },
        images,
      },
    ],
  }
}

function chestCr(finding: Point): SampleStudy {
  const film = planeAround([0, -130, 0], { row: [1, 0, 0], column: [0, 0, -1], pixelSpacing: 3, size: 128 })
  const perMillimetre = { air: 0, soft: 10, lung: 2, heart: 11, bone: 22, nodule: 14 }
  const pixels = shineThrough(chestPhantom(finding), film, { depth: 260, step: 4, perMillimetre })
  return {
    sopClassUid: '1.2.840.10008.5.1.4.1.1.1',
    attributes: {
      ...identity(3, { PatientName: 'SAMPLE^THREE', PatientSex: 'O', Modality: 'CR' }),
      StudyDescription: 'Synthetic chest radiograph',
      BodyPartExamined: 'CHEST',
      ViewPosition: 'PA',
      PatientOrientation: ['L', 'F'],
      ImageType: ['ORIGINAL', 'PRIMARY'],
      ImagerPixelSpacing: [film.pixelSpacing, film.pixelSpacing],
      WindowCenter: 1500,
      WindowWidth: 3000,
    },
    series: [{ description: 'Chest PA', attributes: {}, images: [{ attributes: {}, pixels }] }],
  }
}

function identity<Who extends { PatientName: string; PatientSex: string; Modality: string }>(number: number, who: Who) {
  return { ...who, PatientID: `SAMPLE-000${number}`, AccessionNumber: `SAMPLE-A000${number}`, StudyID: `${number}` }
}

function headPhantom([x, y, z]: Point): Phantom<'scalp' | 'skull' | 'brain' | 'ventricle' | 'lesion'> {
  return [
    { tissue: 'scalp', centre: [0, 0, 0], radii: [80, 98, 88] },
    { tissue: 'skull', centre: [0, 0, 0], radii: [74, 92, 82] },
    { tissue: 'brain', centre: [0, 0, 0], radii: [68, 86, 76] },
    { tissue: 'ventricle', centre: [-12, -8, 8], radii: [8, 34, 22] },
    { tissue: 'ventricle', centre: [12, -8, 8], radii: [8, 34, 22] },
    { tissue: 'lesion', centre: [42 * x, 30 * y, 30 * z], radii: [11, 11, 16] },
  ]
}

function chestPhantom([x, y, z]: Point): Phantom<'soft' | 'lung' | 'heart' | 'bone' | 'nodule'> {
  return [
    { tissue: 'soft', centre: [0, 0, 0], radii: [165, 110, 260] },
    { tissue: 'lung', centre: [-75, 0, 0], radii: [55, 80, 130] },
    { tissue: 'lung', centre: [75, 0, 0], radii: [55, 80, 130] },
    { tissue: 'heart', centre: [25, -25, -50], radii: [55, 50, 60] },
    { tissue: 'bone', centre: [0, 75, 0], radii: [18, 22, 250] },
    { tissue: 'nodule', centre: [16 * x - 80, 24 * y, 50 * z], radii: [14, 14, 18] },
  ]
}

function slicesOf<Tissue extends string>(
  phantom: Phantom<Tissue>,
  planes: readonly ImagePlane[],
  values: Readonly<Record<Tissue | 'air', number>>,
): SampleSeries['images'] {
  return planes.map((plane) => ({
    attributes: {
      ImagePositionPatient: plane.origin,
      ImageOrientationPatient: [...plane.row, ...plane.column],
      PixelSpacing: [plane.pixelSpacing, plane.pixelSpacing],
      SliceThickness: 5,
    },
    pixels: cut(phantom, plane, values),
  }))
}

function axialPlane(z: number, pixelSpacing: number): ImagePlane {
  return planeAround([0, 0, z], { row: [1, 0, 0], column: [0, 1, 0], pixelSpacing, size: 64 })
}

function threePlanes(pixelSpacing: number): ImagePlane[] {
  const geometry = { pixelSpacing, size: 64 }
  return [
    axialPlane(8, pixelSpacing),
    planeAround([12, 0, 0], { ...geometry, row: [0, 1, 0], column: [0, 0, -1] }),
    planeAround([0, -8, 0], { ...geometry, row: [1, 0, 0], column: [0, 0, -1] }),
  ]
}
