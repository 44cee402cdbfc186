import type { StudyState } from '../../../lib/imports/study-state.ts'
import { count, counted } from './format.ts'
import { type StateCounts, statesInOrder, stateWords } from './states.ts'

/** How much of a cohort stands where. The order, patterns and the text in words say what the colours say. */
export function StateBar({ states, total }: { states: StateCounts; total: number }) {
  const parts = statesInOrder.flatMap((state) => {
    const studies = states[state] ?? 0
    return studies === 0 ? [] : [{ state, studies }]
  })
  const told = parts.map(({ state, studies }) => `${count(studies)} ${stateWords[state].label.toLowerCase()}`)
  const text = total === 0 ? 'No studies' : `${counted(total, 'study', 'studies')}: ${told.join(', ')}`
  return (
    <div class="state-bar" role="img" aria-label={text} title={text}>
      {parts.map(({ state, studies }) => (
        <span key={state} class={`swatch ${state}`} style={{ flexGrow: studies }} />
      ))}
    </div>
  )
}

export function StateMark({ state }: { state: StudyState }) {
  const { label, glyph, meaning } = stateWords[state]
  return (
    <span class={`state-mark ${state}`} title={meaning}>
      <span class="glyph" aria-hidden="true">
        {glyph}
      </span>
      {label}
    </span>
  )
}
