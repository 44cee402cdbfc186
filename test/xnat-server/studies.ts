// DICOM instances as small as they come, the archives they are sent in, and a site with projects to send them to.
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { expect } from 'vitest'
import { ZipFile } from 'yazl'
import { encodeDicomFile, type InstanceDataset } from '../../infra/local/sample-studies/dicom-file.ts'
import type { Answer } from '../support/plain-http.ts'
import type { SendOptions, Site } from './site.ts'

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

/** `AUTO` archives by itself, as projects do by default; `MANUAL` does not. P1's people have the same rights there. */
export async function addProjects(site: Site): Promise<void> {
  for (const path of ['AUTO', 'MANUAL', 'MANUAL/prearchive_code/0']) {
    expect((await site.send(`PUT /data/projects/${path}`)).status).toBe(200)
  }
  for (const group of ['owner', 'member', 'collaborator']) {
    for (const project of ['AUTO', 'MANUAL']) {
      const added = await site.send(`PUT /data/projects/${project}/users/${project}_${group}/${group}`)
      expect(added.status, added.text).toBe(200)
    }
  }
}

export interface ImportOptions extends SendOptions {
  type?: string
}

/** Sends an archive to the import service. `query` comes after the handler. */
export async function importing(
  site: Site,
  query: string,
  body: Buffer | readonly SentFile[],
  { type = 'application/zip', ...options }: ImportOptions = {},
): Promise<Answer> {
  const bytes = Buffer.isBuffer(body) ? body : await zipped(body)
  const handler = query.includes('import-handler=') ? '' : 'import-handler=DICOM-zip&'
  const headers = { 'content-type': type, ...options.headers }
  return site.send(`POST /data/services/import?${handler}${query}`, { ...options, body: bytes, headers })
}

/** Imports and returns the one address of the answer, without its line end. */
export async function imported(
  site: Site,
  query: string,
  body: Buffer | readonly SentFile[] = study(),
): Promise<string> {
  const answer = await importing(site, query, body)
  expect(answer.status, answer.text).toBe(200)
  expect(answer.text).toMatch(/^\S+\r\n$/)
  return answer.text.trim()
}

export async function prearchived(site: Site, project: string): Promise<Record<string, string>[]> {
  const rows = (await site.send(`GET /data/prearchive/projects/${project}?format=json`)).rows()
  return rows.filter((row) => row['project'] === project)
}

/** How many files each scan of an archived session holds, by scan ID. */
export async function scanFiles(site: Site, project: string, label: string): Promise<Record<string, number>> {
  const session = `/data/projects/${project}/experiments/${label}`
  const item = (await site.send(`GET ${session}?format=json`)).json() as { items: { data_fields: { ID: string } }[] }
  const scans = `/data/experiments/${item.items[0]?.data_fields.ID}/scans`
  const counts: Record<string, number> = {}
  for (const { ID = '' } of (await site.send(`GET ${scans}?format=json`)).rows()) {
    counts[ID] = (await site.send(`GET ${scans}/${ID}/files?format=json`)).rows().length
  }
  return counts
}

export const minuteMs = 60_000
