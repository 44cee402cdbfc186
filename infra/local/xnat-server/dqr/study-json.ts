// How DQR shows what a PACS found (D:dicom/converters/StudySerializer.java, PatientSerializer.java).
import type { FoundStudy } from './remote-pacs.ts'

/** Blank keys are left out. */
export function studyJson(study: FoundStudy) {
  const { studyInstanceUid, studyId, studyDescription, accessionNumber, referringPhysicianName } = study
  return {
    ...withoutBlanks({ studyInstanceUid, studyId, studyDescription, accessionNumber }),
    ...withoutBlanks({ studyDate: isoDate(study.studyDate) }),
    modalitiesInStudy: study.modalitiesInStudy,
    ...withoutBlanks({ referringPhysicianName: shownName(referringPhysicianName) }),
    patient: patientJson(study),
  }
}

export function patientJson({ patientId, patientName, patientSex }: FoundStudy) {
  return withoutBlanks({ id: patientId, name: shownName(patientName), sex: patientSex })
}

// DQR: "Last, First" (D:domain/PatientName.java).
export function shownName(name: string): string {
  return name
    .split('^')
    .slice(0, 2)
    .filter((part) => part !== '')
    .join(', ')
}

export function isoDate(date: string): string {
  return /^\d{8}$/.test(date) ? `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}` : ''
}

export function withoutBlanks(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))
}
