// Everything that speaks against archiving a session, not only the first thing (PrearcSessionValidator.java).
import { labelOf } from '../dicom/names.ts'
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import type { Scan } from '../records.ts'
import { type Arriving, findArchived, findNamedSubject } from './archive-session.ts'
import { hasOtherUid, mergedScanIds, otherSubject, refuseSameFiles, scanOfUid, sentences } from './conflicts.ts'
import type { PrearchiveEntry, SessionDocument } from './entry.ts'
import { type ArchiveWishes, arriving } from './operations.ts'

type Notice = Record<'code' | 'type' | 'message', string>

export async function validate(xnat: Xnat, entry: PrearchiveEntry, wishes: ArchiveWishes): Promise<Notice[]> {
  const session = arriving(xnat, entry, wishes)
  const { project, document, subjectName } = session
  const subject = findNamedSubject(xnat, project, subjectName)
  const existing = findArchived(xnat, project, labelOf(session.label))
  const notices: Notice[] = []
  if (existing !== undefined) {
    const merge = { ...session, existing, subject }
    notices.push(conflict(1, sentences.exists))
    if (existing.subjectId !== subject?.subjectId) notices.push(failure(4, otherSubject(existing)))
    if (hasOtherUid(merge)) notices.push(conflict(5, sentences.uid))
    const isOtherKind = existing.xsiType !== document.xsiType
    if (isOtherKind && xnat.state.settings.preventCrossModalityMerge) notices.push(failure(19, sentences.modality))
    notices.push(...scanNotices(xnat.state.scans.group(existing.experimentId), document))
    const files = await sameFiles(xnat, merge)
    if (files !== undefined) notices.push(conflict(14, files))
  }
  notices.push(...subjectNotices(session, subject !== undefined))
  return notices.toSorted((one, other) => Number(one.code) - Number(other.code))
}

function subjectNotices({ subjectName }: Arriving, isThere: boolean): Notice[] {
  if (subjectName === '') return [failure(11, 'Unable to identify subject.')]
  return isThere ? [] : [notice(12, 'WARN', `Subject ${subjectName} will be created.`)]
}

function scanNotices(present: readonly Scan[], document: SessionDocument): Notice[] {
  return document.scans.flatMap(({ scanId, fields }) => {
    const notices: Notice[] = []
    const namesake = present.find((scan) => scan.scanId === scanId)
    const isSame = namesake !== undefined && namesake.fields['UID'] === fields['UID']
    if (isSame) {
      notices.push(conflict(16, `Session already contains a scan (${scanId}) with the same UID and number.`))
    } else if (namesake !== undefined) {
      notices.push(
        conflict(
          17,
          `Session already contains a scan (${scanId}) with the same number, but a different UID. - New scan will be renamed during archive.`,
        ),
      )
    }
    const twin = scanOfUid(present, fields['UID'])
    if (twin !== undefined && twin.scanId !== scanId) {
      notices.push(
        conflict(18, `Session already contains a scan (${twin.scanId}) with the same UID, but a different number.`),
      )
    }
    return notices
  })
}

async function sameFiles(xnat: Xnat, merge: Parameters<typeof refuseSameFiles>[1]): Promise<string | undefined> {
  try {
    await refuseSameFiles(xnat, merge, mergedScanIds(xnat, merge.existing, merge.document))
    return undefined
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    return error.message
  }
}

const conflict = (code: number, message: string) => notice(code, 'CONFLICT', message)
const failure = (code: number, message: string) => notice(code, 'FAIL', message)

function notice(code: number, type: string, message: string): Notice {
  return { code: String(code), type, message }
}
