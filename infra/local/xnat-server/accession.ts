import type { State } from './state.ts'

// XNAT: {siteId}_S00001, {siteId}_E00001, five digits or more (IDGenerator.java).
export function nextSubjectId(state: State): string {
  return `${safeSiteId(state)}_S${String(state.next('subject')).padStart(5, '0')}`
}

export function nextExperimentId(state: State): string {
  return `${safeSiteId(state)}_E${String(state.next('experiment')).padStart(5, '0')}`
}

function safeSiteId(state: State): string {
  return state.settings.siteId.replace(/\W/g, '')
}
