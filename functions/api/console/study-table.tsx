import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { StudyState } from '../../../lib/imports/study-state.ts'
import type { ImportStatus, Study } from './answers.ts'
import { count, counted, moment, until } from './format.ts'
import { place, setQuery } from './location.ts'
import { Empty } from './notice.tsx'
import { RetryBar } from './retry-bar.tsx'
import { now } from './screen.ts'
import { StateMark } from './state-bar.tsx'
import { isStudyState, reasonText, statesInOrder, stateWords } from './states.ts'
import { filtered, reasonsOf, type Sorting, type StudyOrder, sorted, toggled } from './studies.ts'
import { type Column, VirtualTable } from './virtual-table.tsx'

interface StudiesProps {
  projectId: string
  status: ImportStatus
  onRetried: () => void
}

/** The studies of a cohort. Filters are part of the address, but for accession numbers, which browsers would remember. */
export function Studies({ projectId, status, onRetried }: StudiesProps) {
  const number = useSignal('')
  const sorting = useSignal<Sorting>({ by: 'number', isDescending: false })
  const chosen = useSignal<ReadonlySet<string>>(new Set())
  const lastTurned = useSignal<number | undefined>(undefined)
  const { query } = place.value
  const stateQuery = query.get('state') ?? ''
  const reason = query.get('reason') ?? undefined
  const { studies } = status

  const rows = useMemo(() => {
    const states = new Set(stateQuery.split(',').filter(isStudyState))
    return sorted(filtered(studies, { states, reason, number: number.value }), sorting.value)
  }, [studies, stateQuery, reason, number.value, sorting.value])
  const reasons = useMemo(() => reasonsOf(studies), [studies])

  const choose = (keys: ReadonlySet<string>) => {
    chosen.value = keys
  }
  const keys = () => rows.map((study) => study.accession_number)
  const allChosen = rows.length > 0 && rows.every((study) => chosen.value.has(study.accession_number))
  const selection = {
    isSelected: (key: string) => chosen.value.has(key),
    onToggle: (index: number, isRange: boolean) => {
      choose(toggled(chosen.value, keys(), { index, from: isRange ? lastTurned.value : undefined }))
      lastTurned.value = index
    },
    onSelectAll: () => choose(new Set([...chosen.value, ...keys()])),
    onClear: () => choose(new Set()),
  }
  const onChooseAll = () => {
    const shown = new Set(keys())
    if (allChosen) choose(new Set([...chosen.value].filter((key) => !shown.has(key))))
    else selection.onSelectAll()
  }

  return (
    <div class="studies">
      <StateFilter status={status} chosen={new Set(stateQuery.split(','))} />
      <div class="tools">
        <input
          type="search"
          aria-label="Find by accession number"
          placeholder="Accession number"
          value={number}
          onInput={(event) => {
            number.value = event.currentTarget.value
          }}
        />
        <select
          aria-label="Reason"
          value={reason ?? ''}
          onChange={(event) => setQuery({ reason: event.currentTarget.value })}
        >
          <option value="">Any reason</option>
          {reasons.map((each) => (
            <option key={each.reason} value={each.reason}>
              {reasonText(each.reason)} ({count(each.studies)})
            </option>
          ))}
        </select>
        <span class="faint shown-count" role="status">
          {rows.length === studies.length
            ? counted(studies.length, 'study', 'studies')
            : `${count(rows.length)} of ${counted(studies.length, 'study', 'studies')}`}
        </span>
        <RetryBar
          projectId={projectId}
          studies={studies}
          chosen={chosen.value}
          onClear={selection.onClear}
          onRetried={onRetried}
        />
      </div>
      <VirtualTable
        label="Studies"
        rows={rows}
        rowKey={(study) => study.accession_number}
        columns={columns({ sorting, chosen: chosen.value, allChosen, onChooseAll })}
        rowHeight={{ wide: 34, narrow: 64 }}
        selection={selection}
      >
        {studies.length === 0 ? (
          <Empty title="No cohort yet">
            Studies appear when the project's query was heard, or when accession numbers are asked for.
          </Empty>
        ) : (
          <Empty title="No study fits">Choose other states, another reason or another number.</Empty>
        )}
      </VirtualTable>
    </div>
  )
}

/** Every state has its place, also with no studies in it: nothing moves while an import goes on. */
function StateFilter({ status, chosen }: { status: ImportStatus; chosen: ReadonlySet<string> }) {
  const turn = (state: StudyState) => {
    const next = new Set(chosen)
    if (!next.delete(state)) next.add(state)
    setQuery({ state: [...next].filter(isStudyState).join(',') })
  }
  return (
    <fieldset class="state-filter">
      <legend class="unseen">States to show</legend>
      {statesInOrder.map((state) => {
        const studies = status.states[state] ?? 0
        return (
          <button
            key={state}
            type="button"
            class={studies === 0 ? 'none' : undefined}
            aria-pressed={chosen.has(state)}
            title={stateWords[state].meaning}
            onClick={() => turn(state)}
          >
            <span class={`swatch ${state}`} aria-hidden="true" />
            {stateWords[state].label} <b>{count(studies)}</b>
          </button>
        )
      })}
    </fieldset>
  )
}

interface ColumnTools {
  sorting: { value: Sorting }
  chosen: ReadonlySet<string>
  allChosen: boolean
  onChooseAll: () => void
}

function columns({ sorting, chosen, allChosen, onChooseAll }: ColumnTools): Column<Study>[] {
  const { by, isDescending } = sorting.value
  const sortable = (order: StudyOrder) => ({
    onSort: () => {
      sorting.value = { by: order, isDescending: by === order && !isDescending }
    },
    sorted: by !== order ? undefined : isDescending ? ('descending' as const) : ('ascending' as const),
  })
  return [
    {
      id: 'choose',
      title: (
        <input
          type="checkbox"
          aria-label="Select all that are shown"
          checked={allChosen}
          indeterminate={!allChosen && chosen.size > 0}
          onChange={onChooseAll}
        />
      ),
      cell: (study) => (
        <span class={`tick${chosen.has(study.accession_number) ? ' on' : ''}`} aria-hidden="true">
          ✓
        </span>
      ),
    },
    { id: 'number', title: 'Accession number', ...sortable('number'), cell: (study) => study.accession_number },
    { id: 'state', title: 'State', ...sortable('state'), cell: (study) => <StateMark state={study.state} /> },
    {
      id: 'reason',
      title: 'Reason',
      cell: ({ reason }) => reason !== null && <span title={reason}>{reasonText(reason)}</span>,
    },
    { id: 'attempts', title: 'Attempts', ...sortable('attempts'), cell: (study) => study.attempts },
    { id: 'last', title: 'Last try', ...sortable('last'), cell: (study) => <Time iso={study.last_attempt} /> },
    {
      id: 'next',
      title: 'Next try',
      ...sortable('next'),
      cell: ({ next_attempt }) => next_attempt !== null && until(new Date(next_attempt), now.value),
    },
  ]
}

const Time = ({ iso }: { iso: string | null }) =>
  iso === null ? null : (
    <time dateTime={iso} title={iso}>
      {moment(new Date(iso), now.value)}
    </time>
  )
