import { useSignal } from '@preact/signals'
import type { Provisioning } from './answers.ts'
import { readProvisioning, repairProvisioning } from './api.ts'
import { Polled, Staleness } from './notice.tsx'
import { type Poll, usePoll } from './poll.ts'
import { attempt, say } from './said.tsx'

const pace = () => ({ leastMs: 60_000, mostMs: 600_000 })

const aspectNames: Readonly<Record<string, string>> = {
  project: 'Project in XNAT',
  'prearchive-code': 'Archives by itself',
  'nifti-wrapper': 'Conversion command',
  'nifti-subscription': 'Conversion on arrival',
  members: 'Members',
}

const stateNames = { 'as-wanted': '✓ As wanted', missing: '✕ Missing', changed: '△ Changed' }

/** What of a provisioned project is not as it was asked for, and a way to set it right. */
export function ProvisioningPanel({ projectId }: { projectId: string }) {
  const poll = usePoll((options) => readProvisioning(projectId, options), {
    question: `provisioning ${projectId}`,
    pace,
    isAside: true,
  })
  return (
    <details class="panel">
      <summary>
        Provisioning <Summary poll={poll} />
      </summary>
      <Polled poll={poll}>
        {(provisioning) => <Aspects projectId={projectId} provisioning={provisioning} poll={poll} />}
      </Polled>
      <Staleness poll={poll} />
    </details>
  )
}

function Summary({ poll }: { poll: Poll<Provisioning> }) {
  const provisioning = poll.data.value
  if (provisioning === undefined) {
    const failure = poll.failure.value
    // What is not provisioned here is a project like others.
    return (
      <span class="faint">{failure === undefined ? '…' : failure.status === 404 ? 'not from here' : 'not known'}</span>
    )
  }
  const drifted = driftedOf(provisioning)
  return drifted === 0 ? (
    <span class="aspect as-wanted">✓ As wanted</span>
  ) : (
    <span class="aspect changed">
      △ {drifted} of {provisioning.aspects.length} not as wanted
    </span>
  )
}

const driftedOf = ({ aspects }: Provisioning) => aspects.filter(({ state }) => state !== 'as-wanted').length

interface AspectsProps {
  projectId: string
  provisioning: Provisioning
  poll: Poll<Provisioning>
}

function Aspects({ projectId, provisioning, poll }: AspectsProps) {
  const isMending = useSignal(false)
  const drifted = driftedOf(provisioning)

  const repair = async () => {
    isMending.value = true
    const mended = await attempt(() => repairProvisioning(projectId))
    const left = mended === undefined ? undefined : driftedOf(mended.value)
    if (left !== undefined) say(left === 0 ? 'All is as wanted again.' : `${left} could not be set right.`)
    await poll.refresh()
    isMending.value = false
  }

  return (
    <>
      <ul class="aspects">
        {provisioning.aspects.map(({ aspect, state, detail }) => (
          <li key={aspect}>
            <span>{aspectNames[aspect] ?? aspect}</span>
            <span class={`aspect ${state}`}>{stateNames[state]}</span>
            <span class="faint">{detail ?? ''}</span>
          </li>
        ))}
      </ul>
      <button type="button" class="primary" onClick={repair} disabled={drifted === 0 || isMending.value}>
        {isMending.value ? 'Repairing …' : 'Repair'}
      </button>
    </>
  )
}
