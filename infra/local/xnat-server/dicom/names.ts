// The names XNAT gives to what it receives: labels, scans and files.
import { createHash } from 'node:crypto'
import type { Instance } from './instance.ts'

interface Routing {
  project: string | undefined
  subject: string
  session: string
}

/**
 * Where an instance says that it belongs.
 *
 * XNAT: "Project:P Subject:S Session:E" in the patient's comments, the study's comments or the patient's history; else
 * the study's description or the accession number for the project, the patient's name and the patient's ID
 * (XnatDefaultDicomObjectIdentifier.java, Xnat15DicomProjectIdentifier.java).
 */
export function routingOf(instance: Instance, isProject: (name: string) => boolean): Routing {
  const projects = [assigned(instance, 'Project'), instance.studyDescription, instance.accessionNumber]
  return {
    project: projects.find((name) => name !== '' && isProject(name)),
    subject: labelOf(assigned(instance, 'Subject') || instance.patientName),
    session: labelOf(assigned(instance, 'Session') || instance.patientId) || 'dicom_upload',
  }
}

function assigned(instance: Instance, name: string): string {
  const pattern = new RegExp(`(?:^|[\\s,;])${name}\\s*:\\s*([\\w-]+)`, 'i')
  const { patientComments, studyComments, additionalPatientHistory } = instance
  for (const text of [patientComments, studyComments, additionalPatientHistory]) {
    const found = pattern.exec(text)?.[1]
    if (found !== undefined) return found
  }
  return ''
}

/** XNAT: what no label may hold becomes an underscore, so the label in the answer can differ from the one that was sent. */
export function labelOf(text: string): string {
  return text.replace(/[^\w-]/g, '_')
}

// XNAT: the series number, unless it is none (Restructurer.java determineScanSubdir).
export function scanFolderOf({ seriesNumber, seriesInstanceUid }: Instance): string {
  if (/^\w[\w.-]*$/.test(seriesNumber)) return seriesNumber
  return labelOf(seriesInstanceUid) || 'NA'
}

/** Whether a file may keep the name it came with (GradualDicomImporter.java getSafeFile). */
export function isFileName(name: string): boolean {
  return /^[\w-][\w.-]*$/.test(name)
}

// XNAT: site setting dicomFileNameTemplate; the hash is its own, this one is as long and as short of meaning.
export function fileNameOf(instance: Instance): string {
  const hash = createHash('sha256').update(`${instance.sopClassUid}${instance.sopInstanceUid}`).digest()
  const tail = hash.readUInt32BE(0).toString(36)
  const { studyInstanceUid, seriesNumber, instanceNumber } = instance
  return `${studyInstanceUid}-${seriesNumber}-${instanceNumber}-${tail}.dcm`.replace(/[^\w.-]/g, '_')
}
