// What XNAT's session builder makes of the files it received (DICOMSessionBuilder of dicom-xnat).
import type { Instance } from '../dicom/instance.ts'
import { readInstance } from '../dicom/instance.ts'
import { scanTypeOf, sessionTypeOf } from '../dicom/modalities.ts'
import type { Xnat } from '../exchange.ts'
import type { ReceivedSession, SessionDocument } from './entry.ts'
import { discardScan, moveReceivedFile, receivedFile, receivedFiles, receivedScans } from './received-files.ts'

interface Series {
  first: Instance
  /** The folder its files were put into. */
  folder: string
  names: string[]
}

/** Reads every file of a session again. Undefined when there is none that can be read. */
export async function buildDocument(
  xnat: Pick<Xnat, 'archive'>,
  session: ReceivedSession,
): Promise<SessionDocument | undefined> {
  const found = await findSeries(xnat, session.receivedId)
  const [first] = found
  if (first === undefined) return undefined
  const scans = await separate(xnat, session.receivedId, found)
  return {
    xsiType: sessionTypeOf(found.map((series) => series.first)),
    fields: sessionFields(first.first, session),
    scans: scans.map(({ scanId, series }) => ({
      scanId,
      xsiType: scanTypeOf(series.first),
      fields: scanFields(series),
    })),
  }
}

async function findSeries(xnat: Pick<Xnat, 'archive'>, receivedId: number): Promise<Series[]> {
  const found = new Map<string, Series>()
  for (const folder of receivedScans(xnat, receivedId)) {
    for (const name of receivedFiles(xnat, receivedId, folder)) {
      const instance = await readInstance(receivedFile(xnat, receivedId, folder, name))
      if (instance === undefined) continue
      const key = `${folder}/${instance.seriesInstanceUid}`
      const series = found.get(key) ?? { first: instance, folder, names: [] }
      series.names.push(name)
      found.set(key, series)
    }
  }
  return [...found.values()]
}

/** One scan per series. Series that share their number share a folder until here: `1` becomes `1-MR1` and `1-MR2`. */
async function separate(xnat: Pick<Xnat, 'archive'>, receivedId: number, found: readonly Series[]) {
  const byFolder = Map.groupBy(found, ({ folder }) => folder)
  const scans: { scanId: string; series: Series }[] = []
  for (const [folder, sharing] of byFolder) {
    if (sharing.length === 1) {
      scans.push(...sharing.map((series) => ({ scanId: folder, series })))
      continue
    }
    for (const [index, series] of sharing.entries()) {
      const scanId = `${folder}-${series.first.modality || 'OT'}${index + 1}`
      for (const name of series.names) {
        await moveReceivedFile(xnat, { receivedId, scanId: folder, name }, { receivedId, scanId, name })
      }
      scans.push({ scanId, series })
    }
    await discardScan(xnat, receivedId, folder)
  }
  return scans
}

function sessionFields(instance: Instance, session: ReceivedSession): Record<string, string> {
  return withoutBlanks({
    UID: instance.studyInstanceUid,
    date: isoDate(instance.studyDate),
    time: isoTime(instance.studyTime),
    modality: instance.modality,
    session_type: instance.studyDescription,
    study_id: instance.studyId,
    dcmAccessionNumber: instance.accessionNumber,
    dcmPatientId: instance.patientId,
    dcmPatientName: instance.patientName,
    dcmPatientBirthDate: isoDate(instance.patientBirthDate),
    'scanner/manufacturer': instance.manufacturer,
    'scanner/model': instance.model,
    visit: session.visit,
    protocol: session.protocol,
  })
}

function scanFields({ first, names }: Series): Record<string, string> {
  return withoutBlanks({
    UID: first.seriesInstanceUid,
    // XNAT: the type is the description until somebody maps it to another (XnatImagesessiondata fixScanTypes).
    type: first.seriesDescription,
    series_description: first.seriesDescription,
    quality: 'usable',
    modality: first.modality,
    frames: String(names.length),
    start_date: isoDate(first.seriesDate),
    startTime: isoTime(first.seriesTime),
    bodyPartExamined: first.bodyPartExamined,
    protocolName: first.protocolName,
    'scanner/manufacturer': first.manufacturer,
    'scanner/model': first.model,
  })
}

/** `20240131` as `2024-01-31`. */
export function isoDate(date: string): string {
  return /^\d{8}$/.test(date) ? date.replace(/(....)(..)(..)/, '$1-$2-$3') : ''
}

/** `090500.123` as `09:05:00`. */
export function isoTime(time: string): string {
  const [, hours, minutes = '00', seconds = '00'] = /^(\d\d)(\d\d)?(\d\d)?/.exec(time) ?? []
  return hours === undefined ? '' : `${hours}:${minutes}:${seconds}`
}

function withoutBlanks(fields: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
}
