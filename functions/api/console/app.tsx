import { DeadLettersView } from './dead-letters-view.tsx'
import { DeliveriesView } from './deliveries-view.tsx'
import { type HealthReport, readHealthReport } from './health.ts'
import { HealthView } from './health-view.tsx'
import { place } from './location.ts'
import type { Place } from './places.ts'
import { type Poll, usePoll } from './poll.ts'
import { ProjectView } from './project-view.tsx'
import { ProjectsView } from './projects-view.tsx'
import { ReceiptView } from './receipt-view.tsx'
import { Said } from './said.tsx'
import { serviceKey } from './service-key.ts'
import { SignIn } from './sign-in.tsx'
import { TopBar } from './top-bar.tsx'

export function App() {
  return serviceKey.value === undefined ? <SignIn /> : <Console />
}

/** Each look makes XNAT ping the PACS. */
const healthPace = () => ({ leastMs: 60_000, mostMs: 300_000 })

function Console() {
  const health = usePoll(readHealthReport, { question: 'health', pace: healthPace, isAside: true })
  return (
    <>
      <button type="button" class="skip" onClick={skipToMain}>
        Skip to the content
      </button>
      <TopBar health={health} />
      <main id="main" tabIndex={-1}>
        {viewOf(place.value, health)}
      </main>
      <Said />
    </>
  )
}

/** No link: what stands behind `#` says where the operator is. */
function skipToMain(): void {
  document.getElementById('main')?.focus()
}

function viewOf({ segments }: Place, health: Poll<HealthReport>) {
  const [area = 'projects', id] = segments
  if (area === 'projects') return id === undefined ? <ProjectsView /> : <ProjectView key={id} projectId={id} />
  if (area === 'deliveries') return id === undefined ? <DeliveriesView /> : <ReceiptView key={id} deliveryId={id} />
  if (area === 'dead-letters') return <DeadLettersView />
  if (area === 'health') return <HealthView health={health} />
  return (
    <section>
      <h1>Not here</h1>
      <p>
        There is no such page. <a href="#/projects">All projects</a>
      </p>
    </section>
  )
}
