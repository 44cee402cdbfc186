import type { Receipt } from './answers.ts'
import { readReceipt } from './api.ts'
import { codeAdvice } from './codes.ts'
import { OutcomeMark } from './deliveries-view.tsx'
import { count, duration, moment, size } from './format.ts'
import { Empty, Polled, Staleness } from './notice.tsx'
import { usePoll } from './poll.ts'
import { ProjectLink } from './project-link.tsx'
import { now } from './screen.ts'
import { VirtualTable } from './virtual-table.tsx'

// Receipts are written again when a delivery is tried again.
const pace = () => ({ leastMs: 30_000, mostMs: 300_000 })

export function ReceiptView({ deliveryId }: { deliveryId: string }) {
  const poll = usePoll((options) => readReceipt(deliveryId, options), { question: deliveryId, pace })
  return (
    <section>
      <p class="crumbs">
        <a href="#/deliveries">Deliveries</a> /
      </p>
      <h1>Receipt</h1>
      <p class="faint ids">
        <code>{deliveryId}</code>
      </p>
      <Staleness poll={poll} />
      <Polled poll={poll}>{(receipt) => <ReceiptDetails receipt={receipt} />}</Polled>
    </section>
  )
}

type File = Receipt['files'][number]

const provedBy = { md5: 'name, size and MD5', size: 'name and size', count: 'number of files' }

const columns = [
  { id: 'path', title: 'File', cell: ({ path }: File) => <code title={path}>{path}</code> },
  { id: 'size', title: 'Size', cell: ({ sizeBytes }: File) => size(sizeBytes) },
  { id: 'outcome', title: 'Outcome', cell: ({ outcome }: File) => outcome },
  { id: 'proof', title: 'Proved by', cell: ({ verifiedBy }: File) => verifiedBy && provedBy[verifiedBy] },
  { id: 'digest', title: 'MD5', cell: ({ md5 }: File) => md5 !== undefined && <code title={md5}>{md5}</code> },
]

function ReceiptDetails({ receipt }: { receipt: Receipt }) {
  const { outcome, code, target, experimentId, startedAt, finishedAt, files, session } = receipt
  const tookMs = new Date(finishedAt).getTime() - new Date(startedAt).getTime()
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return (
    <>
      <dl class="facts">
        <Fact name="Outcome">
          <OutcomeMark outcome={outcome} /> {code !== undefined && <code>{code}</code>}
          {code !== undefined && <div class="faint">{codeAdvice(code)}</div>}
        </Fact>
        <Fact name="Ended">
          {moment(new Date(finishedAt), now.value)}, after {duration(tookMs)}
        </Fact>
        <Fact name="Project">
          <ProjectLink id={target.projectId} />
        </Fact>
        <Fact name="Place">{placeOf(target)}</Fact>
        {experimentId !== undefined && (
          <Fact name="Experiment">
            <code>{experimentId}</code>
          </Fact>
        )}
        {session !== undefined && (
          <Fact name="Session">
            {count(session.sentInstances)} instances sent; XNAT lists {count(session.instances)} in{' '}
            {count(session.scans)} scans
          </Fact>
        )}
        <Fact name="Files">
          {count(files.length)}, {size(bytes)}
        </Fact>
      </dl>
      <VirtualTable
        label="Files"
        rows={files}
        rowKey={({ path }) => path}
        columns={columns}
        rowHeight={{ wide: 34, narrow: 64 }}
      >
        <Empty title="No files">Nothing was delivered.</Empty>
      </VirtualTable>
    </>
  )
}

const Fact = ({ name, children }: { name: string; children: preact.ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

function placeOf({ subject, experiment, scanId, assessor, direction, resourceLabel }: Receipt['target']): string {
  const levels = [
    ['subject', subject],
    ['session', experiment],
    ['scan', scanId],
    ['assessor', assessor],
    ['direction', direction],
    ['resource', resourceLabel],
  ]
  const named = levels.flatMap(([level, name]) => (name === undefined ? [] : [`${level} ${name}`]))
  return named.join(', ')
}
