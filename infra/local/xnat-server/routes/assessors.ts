// Image assessors (ProjSubExptAsstList.java, ExptAssessmentResource.java).
import { givenId, nextExperimentId } from '../accession.ts'
import { deleteExperimentData } from '../deletion.ts'
import { readDocument } from '../document.ts'
import type { Exchange } from '../exchange.ts'
import { listedExperiment } from '../experiment-listing.ts'
import { experimentFields, fieldsFromDocument, fieldsFromQuery } from '../fields.ts'
import { HttpFailure } from '../http-failure.ts'
import { experimentItem } from '../item.ts'
import { itemReply } from '../item-reply.ts'
import { listingReply } from '../listing.ts'
import { isVisible } from '../lookup.ts'
import { canUse } from '../permissions.ts'
import type { Experiment } from '../records.ts'
import { emptyTextReply, type Reply, textReply } from '../reply.ts'
import { listedBelow } from '../resources-below.ts'
import { archiveRoutes } from '../router.ts'
import { findSession } from '../session-lookup.ts'
import { sharedProjectName, shareInto, unshare } from '../sharing.ts'
import { isAssessorType } from '../xsi-types.ts'

const list = { GET: listAssessors }
const item = { GET: showAssessor, PUT: putAssessor, DELETE: deleteAssessor }
export const assessorRoutes = [
  '/experiments/{ASSESSED_ID}',
  '/projects/{PROJECT_ID}/subjects/{SUBJECT_ID}/experiments/{ASSESSED_ID}',
].flatMap((session) => [
  ...archiveRoutes(`${session}/assessors`, list),
  ...archiveRoutes(`${session}/assessors/{EXPT_ID}`, item),
])

function listAssessors(exchange: Exchange): Reply {
  const session = requireSession(exchange)
  const { state } = exchange.xnat
  const records = assessorsOf(exchange, session).map((assessor) => listedExperiment(state, assessor))
  return listingReply(exchange, records, {
    defaultColumns: ['ID', 'project', 'label', 'date', 'xsiType', 'insert_date', 'session_ID', 'session_label'],
    keys: ['xnat:imageassessordata/id'],
    title: 'Assessors',
  })
}

function showAssessor(exchange: Exchange): Reply {
  return itemReply(exchange, experimentItem(exchange.xnat.state, requireAssessor(exchange)))
}

async function putAssessor(exchange: Exchange): Promise<Reply> {
  const { params, rest, query, xnat, user } = exchange
  const sharedName = sharedProjectName(rest)
  if (sharedName !== undefined)
    return shareInto(exchange, xnat.state.experiments, requireAssessor(exchange), sharedName)
  const session = requireSession(exchange)
  const document = await readDocument(exchange)
  const present = findAssessor(exchange, session)
  const asked = document === undefined ? query.get('xsiType') : (document.xsiType ?? '')
  if (present === undefined && asked === undefined) throw new HttpFailure(417, 'Need POST Contents')
  if (asked !== undefined && !isAssessorType(asked))
    throw new HttpFailure(400, 'Only assessor documents can be PUT to this address.')
  if (present === undefined && params['PROJECT_ID'] === undefined) {
    throw new HttpFailure(422, 'Submitted subject record must include the project attribute.')
  }
  if (!canUse(xnat.state, 'edit', user, session)) throw new HttpFailure(403)
  const fields = {
    ...present?.fields,
    ...fieldsFromDocument(document?.values ?? new Map(), experimentFields),
    ...fieldsFromQuery(query, experimentFields, { isNew: present === undefined }),
  }
  if (present !== undefined) {
    xnat.state.experiments.put({ ...present, fields, label: query.get('label') ?? present.label })
    await xnat.archive.relocate(xnat.state, listedBelow(xnat.state, { level: 'experiment', id: present.experimentId }))
    return textReply(present.experimentId)
  }
  return textReply(create(exchange, session, { xsiType: asked ?? '', fields }).experimentId, 201)
}

async function deleteAssessor(exchange: Exchange): Promise<Reply> {
  const { rest, user, xnat, query } = exchange
  const assessor = requireAssessor(exchange)
  const sharedName = sharedProjectName(rest)
  if (sharedName !== undefined) return unshare(exchange, xnat.state.experiments, assessor, sharedName)
  if (!canUse(xnat.state, 'delete', user, assessor)) throw new HttpFailure(403)
  await deleteExperimentData(xnat, assessor, { removeFiles: query.isTrue('removeFiles') })
  return emptyTextReply()
}

function create(
  { params, xnat, user, query }: Exchange,
  session: Experiment,
  made: Pick<Experiment, 'xsiType' | 'fields'>,
): Experiment {
  const label = params['EXPT_ID'] ?? ''
  if (xnat.state.experiments.group(session.projectId).some((experiment) => experiment.label === label)) {
    throw new HttpFailure(409, 'Conflict: Duplicate experiment label')
  }
  return xnat.state.experiments.put({
    ...made,
    experimentId: givenId(query, undefined) ?? nextExperimentId(xnat.state),
    projectId: session.projectId,
    label,
    subjectId: session.subjectId,
    sessionId: session.experimentId,
    shares: [],
    inserted: { at: xnat.now().toISOString(), by: user?.username ?? 'guest' },
  })
}

function assessorsOf(exchange: Exchange, session: Experiment): Experiment[] {
  const all = exchange.xnat.state.experiments.group(session.projectId)
  return all.filter((assessor) => assessor.sessionId === session.experimentId && isVisible(exchange, assessor))
}

function findAssessor(exchange: Exchange, session: Experiment): Experiment | undefined {
  const name = exchange.params['EXPT_ID']
  return assessorsOf(exchange, session).find(({ experimentId, label }) => experimentId === name || label === name)
}

function requireAssessor(exchange: Exchange): Experiment {
  const session = findSession(exchange)
  const assessor = session && findAssessor(exchange, session)
  if (assessor === undefined) throw new HttpFailure(404, 'Unable to find the specified experiment.')
  return assessor
}

function requireSession(exchange: Exchange): Experiment {
  const session = findSession(exchange)
  if (session === undefined) throw new HttpFailure(404, 'Unable to identify image session')
  return session
}
