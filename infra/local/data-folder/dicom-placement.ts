// Gives every DICOM instance its place in an XNAT project: subject, experiment, scan, file. Folders say nothing of it.
import { posix } from 'node:path'
import type { DicomHead } from './dicom-head.ts'
import { cleanLabel, shortHash, withDistinctLabels } from './distinct-labels.ts'
import { sessionTypeOf } from './session-types.ts'

/** `relativePath`: where the file lies, with `/` between the names; different for each. */
interface Instance {
  relativePath: string
  head: DicomHead
}

interface PlacedInstance<Source> {
  source: Source
  /** XNAT's archive path below the project. */
  path: string
  xsiType: string
}

export interface PlannedExperiment {
  subject: string
  experiment: string
  xsiType: string
  fileCount: number
}

/** Places all instances of a project at once: labels are made different where patients, studies or series share one. */
export function placeInstances<Source extends Instance>(
  instances: readonly Source[],
): { placed: PlacedInstance<Source>[]; experiments: PlannedExperiment[] } {
  const placed: PlacedInstance<Source>[] = []
  const experiments: PlannedExperiment[] = []
  for (const { subject, label: experiment, members } of labelStudies(instances)) {
    const xsiType = sessionTypeOf(new Set(members.map(({ head }) => head.modality)))
    experiments.push({ subject, experiment, xsiType, fileCount: members.length })
    for (const { source, path } of placeInScans(members)) {
      placed.push({ source, path: `subjects/${subject}/experiments/${experiment}/${path}`, xsiType })
    }
  }
  return { placed, experiments }
}

function labelStudies<Source extends Instance>(instances: readonly Source[]) {
  const subjects = withDistinctLabels(groupBy(instances, patientOf), ({ members }) => subjectLabel(members))
  const studies = subjects.flatMap(({ label: subject, members }) =>
    groupBy(members, studyOf).map((study) => ({ ...study, subject })),
  )
  // XNAT: a label names one experiment of the project; used again under another subject, it moves the session there.
  return withDistinctLabels(studies, ({ members }) => experimentLabel(members))
}

function placeInScans<Source extends Instance>(study: readonly Source[]): { source: Source; path: string }[] {
  const scans = withDistinctLabels(
    groupBy(study, ({ head }) => head.seriesInstanceUid),
    ({ members }) => scanId(members),
  )
  return scans.flatMap(({ label: scan, members }) => {
    const names = new Set(members.map(({ relativePath }) => posix.basename(relativePath)))
    const hasDistinctNames = names.size === members.length
    return members.map((source) => {
      const file = hasDistinctNames ? posix.basename(source.relativePath) : source.relativePath
      return { source, path: `scans/${scan}/resources/DICOM/files/${file}` }
    })
  })
}

/** The patient, as far as one is named: without a patient id, nothing tells that two studies are of the same one. */
function patientOf({ head }: Instance): string {
  return head.patientId === '' ? `study ${head.studyInstanceUid}` : `patient ${head.patientId}`
}

function studyOf(instance: Instance): string {
  return JSON.stringify([patientOf(instance), instance.head.studyInstanceUid])
}

function subjectLabel(members: readonly Instance[]): string {
  const patientId = firstValue(members, 'patientId')
  return cleanLabel(patientId) || `subject-${shortHash(firstValue(members, 'studyInstanceUid'))}`
}

function experimentLabel(members: readonly Instance[]): string {
  return cleanLabel(firstValue(members, 'accessionNumber') || firstValue(members, 'studyId')) || 'study'
}

function scanId(members: readonly Instance[]): string {
  return (
    cleanLabel(firstValue(members, 'seriesNumber')) || `series-${shortHash(firstValue(members, 'seriesInstanceUid'))}`
  )
}

function firstValue(members: readonly Instance[], field: keyof DicomHead): string {
  return members.find(({ head }) => head[field] !== '')?.head[field] ?? ''
}

function groupBy<Member>(
  members: readonly Member[],
  identityOf: (member: Member) => string,
): { identity: string; members: Member[] }[] {
  return [...Map.groupBy(members, identityOf)].map(([identity, group]) => ({ identity, members: group }))
}
