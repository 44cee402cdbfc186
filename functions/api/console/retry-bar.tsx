import { useSignal } from '@preact/signals'
import type { Study } from './answers.ts'
import { askForImport } from './api.ts'
import { count, counted } from './format.ts'
import { attempt, say } from './said.tsx'

interface RetryBarProps {
  projectId: string
  studies: readonly Study[]
  chosen: ReadonlySet<string>
  onClear: () => void
  onRetried: () => void
}

/** Well below the 1 MiB that a request may hold. */
const numbersPerRequest = 5_000

/** Has the chosen studies asked for anew, now. It keeps its place while none is chosen. */
export function RetryBar({ projectId, studies, chosen, onClear, onRetried }: RetryBarProps) {
  const isAsking = useSignal(false)
  // What was chosen and is no more in the cohort does not count.
  const picked = studies.filter((study) => chosen.has(study.accession_number))
  const verified = picked.filter(({ state }) => state === 'verified').length

  const retry = async () => {
    isAsking.value = true
    const numbers = picked.map((study) => study.accession_number)
    const done = await attempt(() => askForAll(projectId, numbers))
    isAsking.value = false
    if (done === undefined) return
    say(`${counted(done.accepted, 'study', 'studies')} handed to the planner.${droppedText(done.dropped)}`)
    onClear()
    onRetried()
  }

  return (
    <div class="action-bar">
      <span role="status" class={picked.length === 0 ? 'faint' : undefined}>
        {picked.length === 0 ? 'None selected' : `${count(picked.length)} selected`}
        {verified > 0 && <span class="faint">, {count(verified)} of them verified and left alone</span>}
      </span>
      <button type="button" onClick={onClear} disabled={picked.length === 0}>
        Clear
      </button>
      <button type="button" class="primary" onClick={retry} disabled={picked.length === 0 || isAsking.value}>
        Retry now
      </button>
    </div>
  )
}

const droppedText = (dropped: number) =>
  dropped === 0 ? '' : ` ${count(dropped)} left out: no PACS may be asked for them.`

async function askForAll(projectId: string, numbers: readonly string[]) {
  const total = { accepted: 0, dropped: 0 }
  for (let start = 0; start < numbers.length; start += numbersPerRequest) {
    const { value } = await askForImport(projectId, numbers.slice(start, start + numbersPerRequest))
    total.accepted += value.accepted
    total.dropped += value.dropped
  }
  return total
}
