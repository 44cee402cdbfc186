// The data types a search may start from, and their fields (SearchElementListResource.java, SearchFieldListResource.java).
import type { Exchange } from '../exchange.ts'
import { experimentFields, type FieldSet, projectFields, subjectFields } from '../fields.ts'
import { HttpFailure } from '../http-failure.ts'
import type { Reply } from '../reply.ts'
import { type Row, tableReply } from '../result-set.ts'
import type { Route } from '../router.ts'
import type { State } from '../state.ts'
import { assessorTypes, sessionTypes } from '../xsi-types.ts'

export const searchElementRoutes: Route[] = [
  { template: '/search/elements', methods: { GET: listElements } },
  { template: '/search/elements/{ELEMENT_NAME}', methods: { GET: listFields } },
]

const elementNames = ['xnat:projectData', 'xnat:subjectData', ...sessionTypes, ...assessorTypes]

function listElements(exchange: Exchange): Reply {
  const { query, xnat } = exchange
  const { unregisteredTypes } = xnat.state.switches
  const rows = elementNames
    .filter((name) => !unregisteredTypes.includes(name))
    .map((name): Row & { COUNT: number } => ({
      ELEMENT_NAME: name,
      // XNAT: a type without a description of its own goes by its name.
      SINGULAR: name,
      PLURAL: name,
      SECURED: 'true',
      COUNT: countOf(name, xnat.state),
    }))
    .filter(({ COUNT }) => COUNT > 0 || !query.has('used'))
  return tableReply(exchange, rows, {
    columns: ['ELEMENT_NAME', 'SINGULAR', 'PLURAL', 'SECURED', 'COUNT'],
    title: 'Data-Types',
  })
}

function countOf(name: string, state: State): number {
  if (name === 'xnat:projectData') return state.projects.all().length
  if (name === 'xnat:subjectData') return state.subjects.all().length
  return state.experiments.all().filter(({ xsiType }) => xsiType === name).length
}

function listFields(exchange: Exchange): Reply {
  const asked = exchange.params['ELEMENT_NAME'] ?? ''
  const rows = asked.split(',').flatMap((name) =>
    fieldIdsOf(name).map(
      ([id, type]): Row => ({
        FIELD_ID: id,
        HEADER: id,
        SUMMARY: '',
        TYPE: type,
        REQUIRES_VALUE: 'false',
        DESC: id,
        ELEMENT_NAME: name,
        SRC: 0,
      }),
    ),
  )
  return tableReply(exchange, rows, {
    columns: ['FIELD_ID', 'HEADER', 'SUMMARY', 'TYPE', 'REQUIRES_VALUE', 'DESC', 'ELEMENT_NAME', 'SRC'],
    title: 'Search Fields',
    extras: { element_name: asked },
  })
}

/**
 * XNAT takes these from a display document per type; here they are the fields the stand-in knows, in its spelling.
 *
 * @throws {HttpFailure} 400 for an unknown type.
 */
function fieldIdsOf(name: string): [id: string, type: string][] {
  if (name === 'xnat:projectData') return fieldIds(['ID', 'SECONDARY_ID', 'NAME'], projectFields)
  if (name === 'xnat:subjectData') return fieldIds(['SUBJECT_ID', 'SUBJECT_LABEL', 'PROJECT'], subjectFields)
  if (sessionTypes.has(name) || assessorTypes.has(name)) {
    return fieldIds(['SESSION_ID', 'LABEL', 'PROJECT'], experimentFields)
  }
  throw new HttpFailure(400)
}

function fieldIds(own: readonly string[], fields: FieldSet): [id: string, type: string][] {
  const ids = new Map(own.map((id) => [id, 'string']))
  for (const { path, type } of fields.values()) {
    ids.set(
      path
        .replace(/^demographics\//, '')
        .replaceAll('/', '_')
        .toUpperCase(),
      type,
    )
  }
  return [...ids]
}
