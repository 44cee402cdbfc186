import { nextSubjectId } from './accession.ts'
import type { ItemDocument } from './document.ts'
import type { Exchange } from './exchange.ts'
import { fieldsFromDocument, fieldsFromQuery, subjectFields } from './fields.ts'
import type { Project, Subject } from './records.ts'

/** Creates a subject. XNAT does the same on its own when an experiment names one that is missing. */
export function createSubject(
  exchange: Exchange,
  project: Project,
  label: string | undefined,
  document?: ItemDocument,
): Subject {
  const { xnat, user } = exchange
  const subjectId = nextSubjectId(xnat.state)
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
  { query }: Exchange,
  subject: Subject,
  document: ItemDocument | undefined,
  options: { isNew: boolean },
): Subject {
  return {
    ...subject,
    fields: {
      ...subject.fields,
      ...(document !== undefined && fieldsFromDocument(document.values, subjectFields)),
      ...fieldsFromQuery(query, subjectFields, options),
    },
  }
}
