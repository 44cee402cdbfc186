import { experimentFields } from './fields.ts'
import type { ListedRecord } from './listing.ts'
import type { Experiment } from './records.ts'
import type { State } from './state.ts'
import { listTimestamp } from './timestamps.ts'

/** An experiment as lists may show it: default columns, shortcuts and everything a filter can name. */
export function listedExperiment(state: State, experiment: Experiment, label = experiment.label): ListedRecord {
  const session = experiment.sessionId === undefined ? experiment : state.experiments.get(experiment.sessionId)
  return {
    values: {
      ID: experiment.experimentId,
      project: experiment.projectId,
      date: experiment.fields['date'],
      xsiType: experiment.xsiType,
      label,
      insert_date: listTimestamp(experiment.inserted.at),
      insert_user: experiment.inserted.by,
      last_modified: listTimestamp(experiment.modifiedAt ?? experiment.inserted.at),
      subject_ID: experiment.subjectId,
      subject_label: state.subjects.get(experiment.subjectId)?.label,
      subject_project: state.subjects.get(experiment.subjectId)?.projectId,
      session_ID: session?.experimentId,
      session_label: session?.label,
      'xnat:subjectassessordata/id': experiment.experimentId,
      'xnat:imageassessordata/id': experiment.experimentId,
      URI: `/data/experiments/${experiment.experimentId}`,
    },
    fields: experiment.fields,
    fieldSet: experimentFields,
  }
}
