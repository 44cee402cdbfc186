// Subjects (ProjectSubjectList.java, SubjectListResource.java, SubjectResource.java).

import { createdInList } from '../created-reply.ts'
import { deleteSubjectData } from '../deletion.ts'
import { type ItemDocument, readDocument } from '../document.ts'
import type { Exchange } from '../exchange.ts'
import { subjectFields } from '../fields.ts'
import { HttpFailure } from '../http-failure.ts'
import { subjectItem } from '../item.ts'
import { itemReply } from '../item-reply.ts'
import { type ListedRecord, listingReply } from '../listing.ts'
import { findProject, findSubject, isVisible, labelIn } from '../lookup.ts'
import { canUse, canUseData } from '../permissions.ts'
import type { Project, Subject } from '../records.ts'
import { emptyTextReply, type Reply, textReply } from '../reply.ts'
import { archiveRoutes } from '../router.ts'
import { listSharing, sharedProjectName, shareInto, unshare } from '../sharing.ts'
import { createSubject, mergeSubject } from '../subject-records.ts'
import { listTimestamp } from '../timestamps.ts'

const item = { GET: showSubject, PUT: putSubject, DELETE: deleteSubject }
export const subjectRoutes = [
  ...archiveRoutes('/subjects', { GET: listAllSubjects }),
  ...archiveRoutes('/subjects/{SUBJECT_ID}', item),
  ...archiveRoutes('/projects/{PROJECT_ID}/subjects', { GET: listProjectSubjects, POST: createFromList }),
  ...archiveRoutes('/projects/{PROJECT_ID}/subjects/{SUBJECT_ID}', item),
]

const defaultColumns = ['ID', 'project', 'label', 'insert_date', 'insert_user']

function listAllSubjects(exchange: Exchange): Reply {
  const visible = exchange.xnat.state.subjects.all().filter((subject) => isVisible(exchange, subject))
  const hasProject = exchange.xnat.state.projects.all().some((project) => canUseData(exchange.user, 'read', project))
  // XNAT: someone without any project breaks the query (SubjectListResource.java).
  if (!hasProject) throw new HttpFailure(500)
  return listingReply(
    exchange,
    visible.map((subject) => listedSubject(subject, subject.label)),
    { defaultColumns, keys: ['ID'], title: 'Subjects', canPage: true },
  )
}

function listProjectSubjects(exchange: Exchange): Reply {
  const project = requireProject(exchange)
  const { state } = exchange.xnat
  if (!canUseData(exchange.user, 'read', project)) {
    throw new HttpFailure(403, `Unable to read subjects for Project: ${project.projectId}`)
  }
  const records = state.subjects.all().flatMap((subject) => {
    const label = labelIn(subject, project)
    return label === undefined ? [] : [listedSubject(subject, label)]
  })
  return listingReply(exchange, records, { defaultColumns, keys: ['ID'], title: 'Subjects', canPage: true })
}

function listedSubject(subject: Subject, label: string): ListedRecord {
  return {
    values: {
      ID: subject.subjectId,
      project: subject.projectId,
      label,
      insert_date: listTimestamp(subject.inserted.at),
      insert_user: subject.inserted.by,
      last_modified: listTimestamp(subject.modifiedAt ?? subject.inserted.at),
      URI: `/data/subjects/${subject.subjectId}`,
    },
    fields: subject.fields,
    fieldSet: subjectFields,
  }
}

async function createFromList(exchange: Exchange): Promise<Reply> {
  const { query } = exchange
  const project = requireProject(exchange)
  const document = await readSubject(exchange)
  const subjectLabel = query.get('label') ?? document?.values.get('label')
  if (subjectLabel !== undefined && findSubject(exchange, subjectLabel, project) !== undefined) {
    throw new HttpFailure(409, 'Subject already exists.')
  }
  requireMayCreate(exchange, project)
  const subject = createSubject(exchange, project, subjectLabel, document)
  return createdInList(exchange, subject.subjectId)
}

function showSubject(exchange: Exchange): Reply {
  const subject = requireSubject(exchange)
  if (exchange.rest.startsWith('/projects')) return listSharing(exchange, subject)
  return itemReply(exchange, subjectItem(exchange.xnat.state, subject))
}

async function putSubject(exchange: Exchange): Promise<Reply> {
  const { params, rest, xnat, user, query } = exchange
  const { state } = xnat
  const sharedName = sharedProjectName(rest)
  if (sharedName !== undefined) return shareInto(exchange, state.subjects, requireSubject(exchange), sharedName)
  const name = params['SUBJECT_ID'] ?? ''
  const document = await readSubject(exchange)
  const project = projectOf(exchange, name)
  const present = findSubject(exchange, name, project)
  if (present === undefined) {
    if (!/^[^'"\\/&<>]+$/.test(name)) throw new HttpFailure(417, 'Invalid character in subject label.')
    requireMayCreate(exchange, project)
    return textReply(createSubject(exchange, project, document?.values.get('label') ?? name, document).subjectId, 201)
  }
  if (!canUse(state, 'edit', user, present)) throw insufficient('edit')
  const label = query.get('label')
  if (label !== undefined) return rename(exchange, present, project, label)
  refuseIdentityChange(present, document)
  state.subjects.put(mergeSubject(exchange, present, document, { isNew: false }))
  return textReply(present.subjectId)
}

async function deleteSubject(exchange: Exchange): Promise<Reply> {
  const { rest, user, xnat, query } = exchange
  const subject = requireSubject(exchange)
  const sharedName = sharedProjectName(rest)
  if (sharedName !== undefined) return unshare(exchange, xnat.state.subjects, subject, sharedName)
  if (!canUse(xnat.state, 'delete', user, subject)) throw new HttpFailure(403)
  await deleteSubjectData(xnat, subject, { removeFiles: query.isTrue('removeFiles') })
  return emptyTextReply()
}

async function rename({ xnat }: Exchange, subject: Subject, project: Project, label: string): Promise<Reply> {
  const { subjects } = xnat.state
  const holder = subjects.find((other) => labelIn(other, project) === label)
  if (holder !== undefined && holder.subjectId !== subject.subjectId) {
    throw new HttpFailure(409, 'Specified label is already in use.')
  }
  subjects.put({ ...subject, label })
  await xnat.archive.relocate(xnat.state, xnat.state.resourcesOf({ level: 'subject', id: subject.subjectId }))
  return emptyTextReply()
}

function refuseIdentityChange(subject: Subject, document: ItemDocument | undefined): void {
  const id = document?.values.get('ID')
  if (id !== undefined && id !== '' && id !== subject.subjectId) throw new HttpFailure(400, 'ID cannot be modified')
  const project = document?.values.get('project')
  if (project !== undefined && project !== '' && project !== subject.projectId) {
    throw new HttpFailure(409, 'Project must be modified through separate URI.')
  }
}

async function readSubject(exchange: Exchange): Promise<ItemDocument | undefined> {
  const document = await readDocument(exchange)
  if (document !== undefined && document.xsiType !== 'xnat:subjectData') {
    throw new HttpFailure(422, 'Only xnat:Subject documents can be PUT to this address.')
  }
  return document
}

/** The project of a PUT: the one in the path, or that of the subject itself. */
function projectOf(exchange: Exchange, name: string): Project {
  const { params, xnat } = exchange
  const projectName = params['PROJECT_ID'] ?? xnat.state.subjects.get(name)?.projectId
  const project = projectName === undefined ? undefined : findProject(exchange, projectName)
  if (project === undefined) throw new HttpFailure(422, 'Submitted subject record must include the project attribute.')
  return project
}

function requireProject(exchange: Exchange): Project {
  const project = findProject(exchange, exchange.params['PROJECT_ID'] ?? '')
  if (project === undefined) throw new HttpFailure(404, `Unable to identify project ${exchange.params['PROJECT_ID']}`)
  return project
}

function requireSubject(exchange: Exchange): Subject {
  const { PROJECT_ID, SUBJECT_ID } = exchange.params
  const project = PROJECT_ID === undefined ? undefined : requireProject(exchange)
  const subject = findSubject(exchange, SUBJECT_ID ?? '', project)
  if (subject === undefined) throw new HttpFailure(404, 'Unable to find the specified subject.')
  return subject
}

function requireMayCreate({ user }: Exchange, project: Project): void {
  if (!canUseData(user, 'edit', project)) throw insufficient('create')
}

function insufficient(right: 'create' | 'edit'): HttpFailure {
  return new HttpFailure(
    403,
    `Specified user account has insufficient ${right} privileges for subjects in this project.`,
  )
}
