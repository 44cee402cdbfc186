import type { ItemDocument } from './document.ts'
import { HttpFailure } from './http-failure.ts'
import type { Query } from './query.ts'
import type { State } from './state.ts'

// XNAT: {siteId}_S00001, {siteId}_E00001, five digits or more (IDGenerator.java).
export function nextSubjectId(state: State): string {
  return `${safeSiteId(state)}_S${String(state.next('subject')).padStart(5, '0')}`
}

export function nextExperimentId(state: State): string {
  return `${safeSiteId(state)}_E${String(state.next('experiment')).padStart(5, '0')}`
}

/**
 * The ID a new record is given by its maker: XNAT makes one up only where there is none (SubjectResource.java,
 * SubjAssessmentResource.java).
 *
 * @throws {HttpFailure} 417 for one with special characters.
 */
export function givenId(query: Query, document: ItemDocument | undefined): string | undefined {
  const path = query.keys().find((key) => /^[\w:]+\/ID$/i.test(key))
  const id = query.get('ID') ?? (path === undefined ? undefined : query.get(path)) ?? document?.values.get('ID')
  if (id === undefined || id === '') return undefined
  if (!/^[\w-]+$/.test(id)) throw new HttpFailure(417, 'Invalid character in ID.')
  return id
}

function safeSiteId(state: State): string {
  return state.settings.siteId.replace(/\W/g, '')
}
