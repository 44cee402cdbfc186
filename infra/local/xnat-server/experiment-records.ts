import { givenId, nextExperimentId } from './accession.ts'
import type { ItemDocument } from './document.ts'
import type { Exchange } from './exchange.ts'
import { experimentFields, fieldsFromDocument, fieldsFromQuery } from './fields.ts'
import { HttpFailure } from './http-failure.ts'
import type { Experiment, Project, Subject } from './records.ts'
import { createScansOf } from './scan-documents.ts'
import { isAssessorType, isKnownType, isScanType } from './xsi-types.ts'

interface NewExperiment {
  project: Project
  subject: Subject
  label: string | undefined
  document: ItemDocument | undefined
  need: 'PUT' | 'POST'
}

export function createExperiment(
  exchange: Exchange,
  { project, subject, label, document, need }: NewExperiment,
): Experiment {
  const { xnat, user } = exchange
  const xsiType = requireCreatable(exchange, document, need)
  // XNAT: the identifier check throws where nobody turns it into a 4xx (SubjAssessmentResource.java).
  if (label !== undefined && !/^[\w .-]+$/.test(label))
    throw new HttpFailure(500, 'Identifiers cannot use special characters.')
  const given = givenId(exchange.query, document)
  // XNAT: the record of that ID would be changed, and may not be by way of another project or label.
  if (given !== undefined && xnat.state.experiments.get(given) !== undefined)
    throw new HttpFailure(409, 'Project must be modified through separate URI.')
  const experimentId = given ?? nextExperimentId(xnat.state)
  const blank: Experiment = {
    experimentId,
    projectId: project.projectId,
    label: label ?? experimentId,
    xsiType,
    subjectId: subject.subjectId,
    fields: {},
    shares: [],
    inserted: { at: xnat.now().toISOString(), by: user?.username ?? 'guest' },
  }
  const experiment = xnat.state.experiments.put(mergeExperiment(exchange, blank, document, { isNew: true }))
  createScansOf(exchange, experiment, document)
  return experiment
}

/** @throws {HttpFailure} 417 without a type, 400 for one that is no experiment. */
export function requireCreatable(
  { query }: Exchange,
  document: ItemDocument | undefined,
  need: 'PUT' | 'POST',
): string {
  const xsiType = document === undefined ? query.get('xsiType') : (document.xsiType ?? '')
  if (xsiType === undefined) throw new HttpFailure(417, `Need ${need} Contents`)
  if (!isKnownType(xsiType) || isScanType(xsiType) || isAssessorType(xsiType)) {
    throw new HttpFailure(400, `${xsiType} is not an experiment type`)
  }
  return xsiType
}

export function mergeExperiment(
  { query, xnat }: Exchange,
  experiment: Experiment,
  document: ItemDocument | undefined,
  options: { isNew: boolean },
): Experiment {
  return {
    ...experiment,
    ...(!options.isNew && { modifiedAt: xnat.now().toISOString() }),
    fields: {
      ...experiment.fields,
      ...(document !== undefined && fieldsFromDocument(document.values, experimentFields)),
      ...fieldsFromQuery(query, experimentFields, options),
    },
  }
}
