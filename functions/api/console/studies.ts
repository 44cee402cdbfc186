// The studies of a cohort as they are shown: filtered, in order, and chosen.
import { type StudyState, studyStates } from '../../../lib/imports/study-state.ts'
import type { Study } from './answers.ts'
import { statesInOrder } from './states.ts'

export interface StudyFilter {
  /** None: all. */
  states: ReadonlySet<StudyState>
  reason: string | undefined
  /** A part of the accession number. */
  number: string
}

export type StudyOrder = 'number' | 'state' | 'attempts' | 'last' | 'next'

export interface Sorting {
  by: StudyOrder
  isDescending: boolean
}

export function filtered(studies: readonly Study[], { states, reason, number }: StudyFilter): Study[] {
  const part = number.trim().toLowerCase()
  return studies.filter(
    (study) =>
      (states.size === 0 || states.has(study.state)) &&
      (reason === undefined || study.reason === reason) &&
      (part === '' || study.accession_number.toLowerCase().includes(part)),
  )
}

const places = new Map(statesInOrder.map((state, place) => [state, place]))
const place = (state: StudyState) => places.get(state) ?? studyStates.length

const text = (value: string | null) => value ?? ''
const compareText = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)

// Times are in ISO 8601 and all of one zone, so that they sort as texts.
const comparisons: Readonly<Record<StudyOrder, (one: Study, other: Study) => number>> = {
  number: (one, other) => compareText(one.accession_number, other.accession_number),
  state: (one, other) => place(one.state) - place(other.state),
  attempts: (one, other) => one.attempts - other.attempts,
  last: (one, other) => compareText(text(one.last_attempt), text(other.last_attempt)),
  next: (one, other) => compareText(text(one.next_attempt), text(other.next_attempt)),
}

/** What is equal keeps the cohort's own order. */
export function sorted(studies: readonly Study[], { by, isDescending }: Sorting): Study[] {
  const compare = comparisons[by]
  return studies.toSorted((one, other) => (isDescending ? compare(other, one) : compare(one, other)))
}

/** How many studies have each reason, the most first. */
export function reasonsOf(studies: readonly Study[]): { reason: string; studies: number }[] {
  const counts = new Map<string, number>()
  for (const { reason } of studies) if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts]
    .map(([reason, number]) => ({ reason, studies: number }))
    .toSorted((one, other) => other.studies - one.studies || compareText(one.reason, other.reason))
}

/** The chosen with one turned; or, from the one that was turned last, all between made alike. */
export function toggled(
  chosen: ReadonlySet<string>,
  keys: readonly string[],
  { index, from }: { index: number; from: number | undefined },
): Set<string> {
  const next = new Set(chosen)
  const key = keys[index]
  if (key === undefined) return next
  if (from === undefined || from === index) {
    if (!next.delete(key)) next.add(key)
    return next
  }
  for (const each of keys.slice(Math.min(from, index), Math.max(from, index) + 1)) next.add(each)
  return next
}
