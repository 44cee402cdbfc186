// DICOM instances as small as they come, and the archives they are sent in.
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { ZipFile } from 'yazl'
import { encodeDicomFile, type InstanceDataset } from '../../infra/local/sample-studies/dicom-file.ts'

export interface SentFile {
  name: string
  bytes: Buffer
}

export const studyUid = '2.25.100'
const mrImage = '1.2.840.10008.5.1.4.1.1.4'

/** Instance `1.dcm` of series 1 of an MR study, unless told otherwise. */
export function instance(name = '1.dcm', values: Partial<InstanceDataset> = {}): SentFile {
  const series = values.SeriesNumber ?? 1
  const study = values.StudyInstanceUID ?? studyUid
  const bytes = encodeDicomFile({
    SOPClassUID: mrImage,
    SOPInstanceUID: `${study}.${series}.${name.replace(/\D/g, '') || 0}`,
    StudyInstanceUID: study,
    SeriesInstanceUID: `${study}.${series}`,
    SeriesNumber: series,
    SeriesDescription: `Series ${series}`,
    Modality: 'MR',
    StudyDate: '20240131',
    StudyTime: '090500',
    PatientName: 'Doe^Jane',
    PatientID: 'PAT-1',
    AccessionNumber: 'ACC1',
    ...values,
  })
  return { name, bytes }
}

/** Two series of two instances. */
export function study(values: Partial<InstanceDataset> = {}): SentFile[] {
  return [1, 2].flatMap((SeriesNumber) =>
    ['1.dcm', '2.dcm'].map((name) => {
      const { bytes } = instance(name, { SeriesNumber, ...values })
      return { name: `series-${SeriesNumber}/${name}`, bytes }
    }),
  )
}

export async function zipped(files: readonly SentFile[]): Promise<Buffer> {
  const zip = new ZipFile()
  for (const { name, bytes } of files) zip.addBuffer(bytes, name)
  zip.end()
  return buffer(Readable.from(zip.outputStream))
}

export async function tarred(files: readonly SentFile[], options: { gzip?: boolean } = {}): Promise<Buffer> {
  const tar = pack()
  for (const { name, bytes } of files) tar.entry({ name }, bytes)
  tar.finalize()
  return buffer(options.gzip === true ? Readable.from(tar).pipe(createGzip()) : tar)
}
