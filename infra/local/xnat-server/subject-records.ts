import { givenId, nextSubjectId } from './accession.ts'
import type { ItemDocument } from './document.ts'
import type { Exchange } from './exchange.ts'
import { fieldsFromDocument, fieldsFromQuery, subjectFields } from './fields.ts'
import { HttpFailure } from './http-failure.ts'
import type { Project, Subject } from './records.ts'

/** Creates a subject. XNAT does the same on its own when an experiment names one that is missing. */
export function createSubject(
  exchange: Exchange,
  project: Project,
  label: string | undefined,
  document?: ItemDocument,
): Subject {
  const { xnat, user, query } = exchange
  const given = givenId(query, document)
  // XNAT: the record of that ID would be changed, and may not be by way of another project (SubjectResource.java).
  if (given !== undefined && xnat.state.subjects.get(given) !== undefined)
    throw new HttpFailure(409, 'Project must be modified through separate URI.')
  const subjectId = given ?? nextSubjectId(xnat.state)
  const blank: Subject = {
    subjectId,
    projectId: project.projectId,
    label: label ?? subjectId,
    fields: {},
    shares: [],
    inserted: { at: xnat.now().toISOString(), by: user?.username ?? 'guest' },
  }
  return xnat.state.subjects.put(mergeSubject(exchange, blank, document, { isNew: true }))
}

export function mergeSubject(
  { query, xnat }: Exchange,
  subject: Subject,
  document: ItemDocument | undefined,
  options: { isNew: boolean },
): Subject {
  return {
    ...subject,
    ...(!options.isNew && { modifiedAt: xnat.now().toISOString() }),
    fields: {
      ...subject.fields,
      ...(document !== undefined && fieldsFromDocument(document.values, subjectFields)),
      ...fieldsFromQuery(query, subjectFields, options),
    },
  }
}
