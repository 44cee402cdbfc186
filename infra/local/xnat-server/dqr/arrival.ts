// An object of a retrieve reaches XNAT's receiver: Update Request, study routing, Remapping, labels, storage
// (X:GradualDicomImporter.java, D:processors/UpdateRequestStatusArchiveProcessor.java,
// D:dicom/id/DqrDicomObjectIdentifierFactory.java).
import { instanceOf } from '../dicom/instance.ts'
import { labelOf } from '../dicom/names.ts'
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { receiveInstance } from '../import/receive-instance.ts'
import type { Receiver } from './records.ts'
import { readScript, relabel } from './relabel.ts'

/** True when the object was stored. What XNAT cannot read or its scripts cannot rewrite is refused. */
export async function receiveObject(xnat: Xnat, receiver: Receiver, object: Buffer): Promise<boolean> {
  const instance = instanceOf(object)
  if (instance === undefined) return false
  if (receiver.customProcessing) markReceived(xnat, instance.studyInstanceUid)
  const routing = xnat.state.dqr.routings.get(instance.studyInstanceUid)
  const remapped = remap(xnat, receiver, instance.studyInstanceUid, object)
  if (remapped === undefined) return false
  const labels = receiver.identifier === 'dqrObjectIdentifier' ? dqrLabels(remapped) : {}
  const parameters = new Map(
    Object.entries({
      ...labels,
      ...(routing !== undefined && { PROJECT_ID: routing.projectId }),
      ...(receiver.directArchive && { 'Direct-Archive': 'true' }),
      ...(!receiver.anonymizationEnabled && { prevent_anon: 'true' }),
      SOURCE: receiver.aeTitle,
      rename: 'true',
    }),
  )
  // XNAT: objects come in as the user for received files, whoever asked for them.
  const sender = { user: xnat.state.users.get('admin'), parameters }
  try {
    const url = await receiveInstance(xnat, sender, { name: 'object.dcm', bytes: remapped })
    return url !== undefined
  } catch (error) {
    // A receiver answers the sender with a status of its own; the PACS is not told more.
    if (error instanceof HttpFailure) return false
    throw error
  }
}

const hourMs = 60 * 60_000

/** DQR: the newest attempt at that study, in whatever project, if it was issued within the hour. */
function markReceived({ state, now }: Xnat, studyInstanceUid: string): void {
  const latest = state.dqr.history.group(studyInstanceUid).toSorted((one, other) => other.id - one.id)[0]
  if (latest?.status !== 'ISSUED' || now().getTime() - latest.executedTimeMs >= hourMs) return
  state.dqr.history.put({ ...latest, status: 'RECEIVED', changedMs: now().getTime() })
}

function remap(xnat: Xnat, receiver: Receiver, studyInstanceUid: string, object: Buffer): Buffer | undefined {
  const script = xnat.state.dqr.scripts.get(studyInstanceUid)
  if (script?.enabled !== true || !receiver.customProcessing || !xnat.state.switches.remappingProcessor) return object
  const assignments = readScript(script.script)
  return assignments && relabel(object, assignments)
}

/** DQR: the subject is the patient's name, the session the study's ID, else its accession number. */
function dqrLabels(object: Buffer): Record<string, string> {
  const instance = instanceOf(object)
  if (instance === undefined) return {}
  const session = labelOf(instance.studyId) || labelOf(instance.accessionNumber) || 'dicom_upload'
  return { SUBJECT_ID: labelOf(instance.patientName), EXPT_LABEL: session }
}
