import type { ApiFailure } from './api.ts'
import { exactClock } from './format.ts'
import type { HealthReport, Part, Standing } from './health.ts'
import { place } from './location.ts'
import { linkTo } from './places.ts'
import { type Poll, polls } from './poll.ts'
import { forgetKey } from './service-key.ts'

const areas = [
  { name: 'projects', label: 'Projects' },
  { name: 'deliveries', label: 'Deliveries' },
  { name: 'dead-letters', label: 'Dead letters' },
]

export function TopBar({ health }: { health: Poll<HealthReport> }) {
  const [here = 'projects'] = place.value.segments
  return (
    <header class="top-bar">
      <a class="brand" href="#/projects" aria-label="xnat-conduit">
        <img src="/console/icon.svg" alt="" width="22" height="22" />
        <span>xnat-conduit</span>
      </a>
      <nav aria-label="Areas">
        {areas.map(({ name, label }) => (
          <a key={name} href={linkTo([name])} aria-current={here === name ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <HealthLights report={health.data.value} isHere={here === 'health'} />
      <Freshness shown={polls.value.filter(({ isAside }) => !isAside)} />
      <button type="button" class="quiet" onClick={() => forgetKey()}>
        Forget the key
      </button>
    </header>
  )
}

const lights: Readonly<Record<Standing, { glyph: string; word: string }>> = {
  well: { glyph: '✓', word: 'well' },
  ill: { glyph: '✕', word: 'in trouble' },
  unknown: { glyph: '?', word: 'unknown' },
}

function HealthLights({ report, isHere }: { report: HealthReport | undefined; isHere: boolean }) {
  const light = (name: string, part: Part | undefined) => {
    const standing = part?.standing ?? 'unknown'
    return (
      <span class={`light ${standing}`} title={part?.text}>
        <span class="glyph" aria-hidden="true">
          {lights[standing].glyph}
        </span>
        {name}
        <span class="unseen"> {lights[standing].word}</span>
      </span>
    )
  }
  return (
    <a class="lights" href="#/health" aria-current={isHere ? 'page' : undefined}>
      {light('API', report?.api)} {light('XNAT', report?.xnat)} {light('PACS', report?.pacs)}
    </a>
  )
}

/** How old what is shown is, and whether it could be renewed. */
function Freshness({ shown }: { shown: readonly Poll<unknown>[] }) {
  const failed = shown.find(({ failure }) => failure.value !== undefined && !isAnswer(failure.value))
  const oldest = oldestOf(shown)
  return (
    <div class="freshness">
      <span class={failed === undefined ? 'faint' : 'problem'} title={failed?.failure.value?.message}>
        {failed !== undefined ? 'Not up to date' : ''}
        {failed !== undefined && oldest !== undefined ? ', ' : ''}
        {oldest === undefined ? '' : `as of ${exactClock(oldest)}`}
      </span>
      <button type="button" onClick={() => void Promise.all(polls.value.map((poll) => poll.refresh()))}>
        Refresh
      </button>
    </div>
  )
}

/** That there is no such thing is news as good as any. */
const isAnswer = ({ status }: ApiFailure) => status === 404

function oldestOf(shown: readonly Poll<unknown>[]): Date | undefined {
  const times = shown.flatMap(({ heardAt }) => heardAt.value ?? [])
  return times.length === 0 ? undefined : new Date(Math.min(...times.map((time) => time.getTime())))
}
