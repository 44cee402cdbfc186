// Lists of experiments (ExperimentListResource.java, ProjSubExptList.java).
import type { Exchange } from '../exchange.ts'
import { listedExperiment } from '../experiment-listing.ts'
import { experimentFields } from '../fields.ts'
import { HttpFailure } from '../http-failure.ts'
import { experimentKeys, isOfRoot, rootType } from '../list-root.ts'
import { listingReply } from '../listing.ts'
import { isVisible, labelIn, requireProject, requireSubject } from '../lookup.ts'
import { canUseData } from '../permissions.ts'
import type { Reply } from '../reply.ts'
import { joinScans } from '../scan-columns.ts'
import { isA } from '../xsi-types.ts'

export function listAllExperiments(exchange: Exchange): Reply {
  const { xnat } = exchange
  const root = rootType(exchange, experimentFields, 'xnat:experimentData')
  const visible = xnat.state.experiments.all().filter((experiment) => isVisible(exchange, experiment))
  const kindColumns = [
    ...(isA(root, 'xnat:subjectAssessorData') ? ['subject_ID', 'subject_label'] : []),
    ...(isA(root, 'xnat:imageAssessorData') ? ['session_ID', 'session_label'] : []),
  ]
  const rooted = visible
    .map((experiment) => listedExperiment(xnat.state, experiment))
    .filter((record) => isOfRoot(record, root))
  return listingReply(exchange, joinScans(exchange, rooted), {
    keys: experimentKeys(root),
    defaultColumns: ['ID', 'project', 'date', 'xsiType', 'label', 'insert_date', ...kindColumns],
    title: 'Matching experiments',
    canPage: true,
  })
}

export function listProjectExperiments(exchange: Exchange): Reply {
  const { xnat, user } = exchange
  const root = rootType(exchange, experimentFields, 'xnat:subjectAssessorData')
  const project = requireProject(exchange)
  const subject = exchange.params['SUBJECT_ID'] === undefined ? undefined : requireSubject(exchange, project)
  if (!canUseData(user, 'read', project)) {
    throw new HttpFailure(403, `Unable to read experiments for Project: ${project.projectId}`)
  }
  const records = xnat.state.experiments.all().flatMap((experiment) => {
    const label = labelIn(experiment, project)
    const isListed =
      experiment.sessionId === undefined && (subject === undefined || experiment.subjectId === subject.subjectId)
    return label !== undefined && isListed ? [listedExperiment(xnat.state, experiment, label)] : []
  })
  const rooted = records.filter((record) => isOfRoot(record, root))
  return listingReply(exchange, joinScans(exchange, rooted), {
    defaultColumns: ['ID', 'project', 'date', 'xsiType', 'label', 'insert_date'],
    keys: experimentKeys(root),
    title: 'Matching experiments',
    canPage: true,
  })
}
