// From which data type a list starts: records of other types are not in it (QueryOrganizerResource.java getRootElementName).
import type { Exchange } from './exchange.ts'
import type { FieldSet } from './fields.ts'
import type { Row } from './result-set.ts'
import { fullPath } from './xml-paths.ts'
import { isA } from './xsi-types.ts'

/**
 * The type `xsiType=` names, else the narrowest below the list's own type whose fields are asked for or filtered by.
 * XNAT: several types in `xsiType=` count for nothing.
 */
export function rootType(exchange: Exchange, set: FieldSet, ownType: string): string {
  const asked = exchange.query.get('xsiType')
  if (asked !== undefined && !asked.includes(',')) return asked
  return namesAsked(exchange).reduce((root, name) => {
    const type = fullPath(set, name)?.split('/')[0]
    return type !== undefined && isA(type, root) ? type : root
  }, ownType)
}

/** What a list is asked to show or to be filtered by: shortcuts and paths, among other parameters. */
export function namesAsked({ query }: Exchange): string[] {
  return query.keys().flatMap((key) => (key === 'columns' ? (query.get('columns') ?? '').split(',') : [key]))
}

export function isOfRoot({ values }: { values: Row }, root: string): boolean {
  return isA(String(values['xsiType'] ?? ''), root)
}

/** XNAT: a list always holds its root's key; a root that is no type of its own brings type and project along. */
export function experimentKeys(root: string): string[] {
  const isAbstract = ['xnat:experimentData', 'xnat:subjectAssessorData', 'xnat:imageSessionData'].includes(root)
  const key = root === 'xnat:experimentData' ? 'ID' : `${root.toLowerCase()}/id`
  return isAbstract ? [key, 'xsiType', 'project'] : [key]
}
