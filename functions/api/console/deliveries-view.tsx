import { useMemo } from 'preact/hooks'
import type { ReceiptSummary } from './answers.ts'
import { listDeliveries } from './api.ts'
import { count, counted, moment, size } from './format.ts'
import { place, setQuery } from './location.ts'
import { Empty, Polled, Staleness } from './notice.tsx'
import { linkTo } from './places.ts'
import { usePoll } from './poll.ts'
import { ProjectLink } from './project-link.tsx'
import { now } from './screen.ts'
import { failureCodes, type Range, ranges, throughputOf, totalsOf } from './throughput.ts'
import { ThroughputChart } from './throughput-chart.tsx'
import { VirtualTable } from './virtual-table.tsx'

const pace = () => ({ leastMs: 10_000, mostMs: 60_000 })

/** The newest receipts that are looked at: ten requests. */
const mostReceipts = 10_000

export function DeliveriesView() {
  const { query } = place.value
  const range = ranges.find(({ name }) => name === query.get('range')) ?? ranges[1]
  const projectId = query.get('project') ?? undefined
  const poll = usePoll(
    (options) => {
      const since = new Date(Date.now() - range.spanMs)
      return listDeliveries({ since, projectId, most: mostReceipts }, options)
    },
    { question: `deliveries ${range.name} ${projectId}`, pace },
  )
  return (
    <section>
      <div class="title-line">
        <h1>Deliveries</h1>
        {projectId !== undefined && (
          <span class="filter">
            of project <ProjectLink id={projectId} />
            <button type="button" class="quiet" onClick={() => setQuery({ project: undefined })}>
              Show all
            </button>
          </span>
        )}
        <fieldset class="segments">
          <legend class="unseen">Time</legend>
          {ranges.map(({ name, label }) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === range.name}
              onClick={() => setQuery({ range: name })}
            >
              {label}
            </button>
          ))}
        </fieldset>
      </div>
      <Staleness poll={poll} />
      <Polled poll={poll}>{(data) => <Deliveries {...data} range={range} />}</Polled>
    </section>
  )
}

interface DeliveriesProps {
  deliveries: readonly ReceiptSummary[]
  isComplete: boolean
  range: Range
}

function Deliveries({ deliveries, isComplete, range }: DeliveriesProps) {
  const { query } = place.value
  const outcome = query.get('outcome') ?? undefined
  const code = query.get('code') ?? undefined
  const throughput = useMemo(() => throughputOf(deliveries, range, now.value), [deliveries, range, now.value])
  const totals = useMemo(() => totalsOf(deliveries), [deliveries])
  const codes = useMemo(() => failureCodes(deliveries), [deliveries])
  const rows = useMemo(
    () =>
      deliveries.filter(
        (each) => (outcome ?? each.outcome) === each.outcome && (code === undefined || each.code === code),
      ),
    [deliveries, outcome, code],
  )
  return (
    <>
      <p class="totals">
        <span>
          <b>{size(totals.bytes)}</b> in {counted(totals.files, 'file')}
        </span>
        <span>
          <b>{count(totals.verified)}</b> verified
        </span>
        <span class={totals.failed > 0 ? 'problem' : 'faint'}>
          <b>{count(totals.failed)}</b> failed
        </span>
        {!isComplete && <span class="faint">the newest {count(deliveries.length)} only</span>}
      </p>
      <ThroughputChart throughput={throughput} binMs={range.binMs} />
      <div class="tools">
        <select
          aria-label="Outcome"
          value={code ?? outcome ?? ''}
          onChange={(event) => setQuery(filterOf(event.currentTarget.value))}
        >
          <option value="">Any outcome</option>
          <option value="verified">Verified ({count(totals.verified)})</option>
          <option value="failed">Failed ({count(totals.failed)})</option>
          {codes.map((each) => (
            <option key={each.code} value={each.code}>
              Failed: {each.code} ({count(each.deliveries)})
            </option>
          ))}
        </select>
        <span class="faint shown-count" role="status">
          {counted(rows.length, 'receipt')}
        </span>
      </div>
      <VirtualTable
        label="Receipts"
        rows={rows}
        rowKey={({ deliveryId }) => deliveryId}
        columns={columns}
        rowHeight={{ wide: 34, narrow: 64 }}
      >
        {deliveries.length === 0 ? (
          <Empty title={`No delivery ended in the last ${range.label}`}>
            A receipt appears here for what is put into the incoming bucket.
          </Empty>
        ) : (
          <Empty title="No delivery fits">Choose another outcome.</Empty>
        )}
      </VirtualTable>
    </>
  )
}

const filterOf = (value: string) =>
  value === 'verified' || value === 'failed'
    ? { outcome: value, code: undefined }
    : { outcome: value === '' ? undefined : 'failed', code: value }

const columns = [
  {
    id: 'ended',
    title: 'Ended',
    cell: ({ deliveryId, finishedAt }: ReceiptSummary) => (
      <a href={linkTo(['deliveries', deliveryId])}>{moment(new Date(finishedAt), now.value)}</a>
    ),
  },
  { id: 'outcome', title: 'Outcome', cell: ({ outcome }: ReceiptSummary) => <OutcomeMark outcome={outcome} /> },
  { id: 'code', title: 'Code', cell: ({ code }: ReceiptSummary) => code !== undefined && <code>{code}</code> },
  {
    id: 'project',
    title: 'Project',
    cell: ({ projectId }: ReceiptSummary) => <ProjectLink id={projectId} />,
  },
  { id: 'experiment', title: 'Experiment', cell: ({ experimentId }: ReceiptSummary) => experimentId },
  { id: 'files', title: 'Files', cell: ({ files }: ReceiptSummary) => count(files) },
  { id: 'size', title: 'Size', cell: ({ bytes }: ReceiptSummary) => size(bytes) },
]

export const OutcomeMark = ({ outcome }: { outcome: ReceiptSummary['outcome'] }) => (
  <span class={`state-mark ${outcome}`}>
    <span class="glyph" aria-hidden="true">
      {outcome === 'verified' ? '✓' : '✕'}
    </span>
    {outcome === 'verified' ? 'Verified' : 'Failed'}
  </span>
)
