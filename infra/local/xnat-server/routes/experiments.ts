// Experiments: image sessions and other subject assessments (ExperimentListResource.java, SubjAssessmentResource.java).

import { createdInList } from '../created-reply.ts'
import { deleteExperimentData } from '../deletion.ts'
import { type ItemDocument, readDocument } from '../document.ts'
import type { Exchange } from '../exchange.ts'
import { createExperiment, mergeExperiment, requireCreatable } from '../experiment-records.ts'
import { HttpFailure } from '../http-failure.ts'
import { experimentItem } from '../item.ts'
import { itemReply, itemTypes } from '../item-reply.ts'
import { findExperiment, findProject, findSubject, labelIn, requireProject } from '../lookup.ts'
import { requireAcceptable } from '../media-types.ts'
import { canUse, canUseData } from '../permissions.ts'
import { Query } from '../query.ts'
import type { Experiment, Project, Subject } from '../records.ts'
import { emptyTextReply, type Reply, textReply } from '../reply.ts'
import { listedBelow } from '../resources-below.ts'
import { archiveRoutes } from '../router.ts'
import { listSharing, sharedProjectName, shareInto, unshare } from '../sharing.ts'
import { createSubject } from '../subject-records.ts'
import { refuseActions } from '../uncovered-options.ts'
import { listAllExperiments, listProjectExperiments } from './experiment-lists.ts'

const experimentActions = [
  'pullDataFromHeaders',
  'fixScanTypes',
  'triggerPipelines',
  'activate',
  'quarantine',
  '_lock',
  '_unlock',
  '_obsolete',
]
const item = { GET: showExperiment, PUT: putExperiment, DELETE: deleteExperiment }
export const experimentRoutes = [
  ...archiveRoutes('/experiments', { GET: listAllExperiments }),
  ...archiveRoutes('/experiments/{EXPT_ID}', item),
  ...archiveRoutes('/projects/{PROJECT_ID}/experiments', { GET: listProjectExperiments, POST: createFromList }),
  ...archiveRoutes('/projects/{PROJECT_ID}/experiments/{EXPT_ID}', item),
  ...archiveRoutes('/projects/{PROJECT_ID}/subjects/{SUBJECT_ID}/experiments', {
    GET: listProjectExperiments,
    POST: createFromList,
  }),
  ...archiveRoutes('/projects/{PROJECT_ID}/subjects/{SUBJECT_ID}/experiments/{EXPT_ID}', item),
]

async function createFromList(exchange: Exchange): Promise<Reply> {
  const project = requireProject(exchange)
  const document = await readDocument(exchange)
  const subjectName =
    exchange.params['SUBJECT_ID'] ?? document?.values.get('subject_ID') ?? exchange.query.get('subject_ID') ?? ''
  const subject = findSubject(exchange, subjectName, project)
  if (subject === undefined) throw new HttpFailure(404, `Unable to identify subject ${subjectName}`)
  const label = exchange.query.get('label') ?? document?.values.get('label')
  if (label !== undefined && findExperiment(exchange, label, project) !== undefined) {
    throw new HttpFailure(409, 'Specified experiment already exists.')
  }
  requireMayEdit(exchange, project)
  const experiment = createExperiment(exchange, { project, subject, label, document, need: 'POST' })
  return createdInList(exchange, experiment.experimentId)
}

function showExperiment(exchange: Exchange): Reply {
  const experiment = requireExperiment(exchange)
  const { state } = exchange.xnat
  requireAcceptable(exchange, itemTypes)
  switch (exchange.rest.replace(/\/$/, '')) {
    case '/status':
      return textReply('active')
    case '/projects':
      return listSharing(exchange, experiment)
    case '/history':
      throw new HttpFailure(501, 'The stand-in XNAT keeps no history.', { voice: 'plain' })
    default:
      return itemReply(exchange, experimentItem(state, experiment))
  }
}

async function putExperiment(exchange: Exchange): Promise<Reply> {
  const { params, rest, xnat } = exchange
  const sharedName = sharedProjectName(rest)
  if (sharedName !== undefined)
    return shareInto(exchange, xnat.state.experiments, requireExperiment(exchange), sharedName)
  // XNAT: PUT has no route below a project's experiment; GET falls back to the experiment, PUT does not.
  if (rest.replace(/\/$/, '') !== '') throw new HttpFailure(400)
  refuseActions(exchange, experimentActions)
  const name = params['EXPT_ID'] ?? ''
  const document = await readDocument(exchange)
  const project = params['PROJECT_ID'] === undefined ? undefined : requireProject(exchange)
  const present = findExperiment(exchange, name, project)
  if (present !== undefined) return update(exchange, present, project, document)
  if (project === undefined) throw new HttpFailure(404, 'Unable to find the specified experiment.')
  requireMayEdit(exchange, project)
  requireCreatable(exchange, document, 'PUT')
  const subject = subjectForNew(exchange, project, document)
  return textReply(
    createExperiment(exchange, { project, subject, label: name, document, need: 'PUT' }).experimentId,
    201,
  )
}

async function deleteExperiment(exchange: Exchange): Promise<Reply> {
  const { rest, user, xnat, query } = exchange
  const experiment = requireExperiment(exchange)
  const sharedName = sharedProjectName(rest)
  if (sharedName !== undefined) return unshare(exchange, xnat.state.experiments, experiment, sharedName)
  if (rest.replace(/\/$/, '') !== '') throw new HttpFailure(400)
  if (!canUse(xnat.state, 'delete', user, experiment)) throw new HttpFailure(403)
  await deleteExperimentData(xnat, experiment, { removeFiles: query.isTrue('removeFiles') })
  return emptyTextReply()
}

async function update(
  exchange: Exchange,
  present: Experiment,
  project: Project | undefined,
  document: ItemDocument | undefined,
): Promise<Reply> {
  const { xnat, user, query, params } = exchange
  const { experiments } = xnat.state
  if (!canUse(xnat.state, 'edit', user, present)) throw new HttpFailure(403)
  const label = query.get('label')
  if (label !== undefined) return rename(exchange, present, label)
  refuseIdentityChange(present, document)
  const subject =
    params['SUBJECT_ID'] === undefined || project === undefined ? undefined : subjectForNew(exchange, project, document)
  experiments.put({
    ...mergeExperiment(exchange, present, document, { isNew: false }),
    // XNAT: a label is unique in its project, so naming another subject in the path moves the session there.
    ...(subject !== undefined && { subjectId: subject.subjectId }),
  })
  return textReply(present.experimentId)
}

async function rename({ xnat }: Exchange, experiment: Experiment, label: string): Promise<Reply> {
  const { experiments, projects } = xnat.state
  const project = projects.get(experiment.projectId)
  const holder = project && experiments.find((other) => labelIn(other, project) === label)
  if (holder !== undefined && holder.experimentId !== experiment.experimentId) {
    throw new HttpFailure(409, 'Specified label is already in use.')
  }
  experiments.put({ ...experiment, label })
  await xnat.archive.relocate(xnat.state, listedBelow(xnat.state, { level: 'experiment', id: experiment.experimentId }))
  return emptyTextReply()
}

function refuseIdentityChange(experiment: Experiment, document: ItemDocument | undefined): void {
  const differs = (name: string, own: string) => {
    const value = document?.values.get(name)
    return value !== undefined && value !== '' && value !== own
  }
  if (differs('ID', experiment.experimentId)) throw new HttpFailure(400, 'ID cannot be modified')
  if (differs('project', experiment.projectId))
    throw new HttpFailure(400, 'Project must be modified through separate URI.')
  if (differs('label', experiment.label)) throw new HttpFailure(400, 'Label must be modified through separate URI.')
}

// XNAT: a subject that does not exist is created with that label (SubjAssessmentResource.java handlePut).
function subjectForNew(exchange: Exchange, project: Project, document: ItemDocument | undefined): Subject {
  const name = exchange.params['SUBJECT_ID'] ?? exchange.query.get('subject_ID') ?? document?.values.get('subject_ID')
  if (name === undefined || name === '')
    throw new HttpFailure(400, 'Submitted experiment record must include the subject.')
  return findSubject(exchange, name, project) ?? createSubject({ ...exchange, query: new Query('') }, project, name)
}

function requireMayEdit({ user }: Exchange, project: Project): void {
  if (!canUseData(user, 'edit', project)) {
    throw new HttpFailure(
      403,
      'Specified user account has insufficient create privileges for experiments in this project.',
    )
  }
}

function requireExperiment(exchange: Exchange): Experiment {
  const { PROJECT_ID, EXPT_ID } = exchange.params
  const project = PROJECT_ID === undefined ? undefined : findProject(exchange, PROJECT_ID)
  const isLost = PROJECT_ID !== undefined && project === undefined
  const experiment = isLost ? undefined : findExperiment(exchange, EXPT_ID ?? '', project)
  if (experiment === undefined) throw new HttpFailure(404, 'Unable to find the specified experiment.')
  return experiment
}
