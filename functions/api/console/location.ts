// Where the operator is, kept behind the `#` of the address: it can be reloaded and sent on, and no server sees it.
import { computed, signal } from '@preact/signals'
import { linkTo, type Place, parsePlace } from './places.ts'

const hash = signal(location.hash)
addEventListener('hashchange', () => {
  hash.value = location.hash
})

export const place = computed((): Place => parsePlace(hash.value))

/** Changes the query of where the operator is, without a step to go back over. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const { segments, query } = place.value
  history.replaceState(null, '', linkTo(segments, { ...Object.fromEntries(query), ...changes }))
  hash.value = location.hash
}
