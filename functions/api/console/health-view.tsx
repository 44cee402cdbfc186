import { exactClock } from './format.ts'
import type { HealthReport, Part } from './health.ts'
import { Polled } from './notice.tsx'
import type { Poll } from './poll.ts'

const parts = [
  { id: 'api', name: 'API', what: 'What this page asks, and services around it.' },
  { id: 'xnat', name: 'XNAT', what: 'The archive, signed in to with the service account.' },
  { id: 'pacs', name: 'PACS', what: 'What XNAT imports from, as it answers a C-ECHO or DICOMweb ping now.' },
] as const

export function HealthView({ health: poll }: { health: Poll<HealthReport> }) {
  return (
    <section>
      <div class="title-line">
        <h1>Health</h1>
        <button type="button" onClick={() => void poll.refresh()}>
          Ask again
        </button>
      </div>
      <Polled poll={poll}>
        {(report) => (
          <dl class="health">
            {parts.map(({ id, name, what }) => (
              <HealthRow key={id} name={name} what={what} part={report[id]} />
            ))}
          </dl>
        )}
      </Polled>
      <p>
        How the API is asked, route by route: <a href="/docs">its documentation</a>
      </p>
      <p class="faint">{poll.heardAt.value !== undefined && `Asked at ${exactClock(poll.heardAt.value)}.`}</p>
    </section>
  )
}

const words = { well: '✓ Well', ill: '✕ In trouble', unknown: '? Unknown' }

const HealthRow = ({ name, what, part }: { name: string; what: string; part: Part }) => (
  <div>
    <dt>{name}</dt>
    <dd>
      <span class={`standing ${part.standing}`}>{words[part.standing]}</span> {part.text}
      <div class="faint">{what}</div>
    </dd>
  </div>
)
