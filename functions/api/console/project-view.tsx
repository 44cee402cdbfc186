import type { ImportStatus } from './answers.ts'
import { readImports, readProject } from './api.ts'
import { moment } from './format.ts'
import { Polled, Staleness } from './notice.tsx'
import { linkTo } from './places.ts'
import { type Poll, usePoll } from './poll.ts'
import { projectName } from './project-name.ts'
import { ProvisioningPanel } from './provisioning-panel.tsx'
import { now } from './screen.ts'
import { StateBar } from './state-bar.tsx'
import { isUnderWay, reasonText } from './states.ts'
import { Studies } from './study-table.tsx'

const projectPace = () => ({ leastMs: 120_000, mostMs: 600_000 })
const importPace = (status: ImportStatus | undefined) => ({
  leastMs: 5_000,
  mostMs: isUnderWay(status) ? 10_000 : 60_000,
})

export function ProjectView({ projectId }: { projectId: string }) {
  const project = usePoll((options) => readProject(projectId, options), {
    question: `project ${projectId}`,
    pace: projectPace,
    isAside: true,
  })
  const imports = usePoll((options) => readImports(projectId, options), {
    question: `imports ${projectId}`,
    pace: importPace,
  })
  const { value: record } = project.data
  return (
    <section class="project">
      <p class="crumbs">
        <a href="#/projects">Projects</a> /
      </p>
      <div class="title-line">
        <h1>{record === undefined ? projectId : projectName(record)}</h1>
        <a class="button" href={linkTo(['deliveries'], { project: projectId })}>
          Deliveries
        </a>
      </div>
      <p class="faint ids">
        XNAT ID <code>{projectId}</code>
        {record !== undefined && record.secondary_ID !== '' && (
          <>
            , secondary ID <code>{record.secondary_ID}</code>
          </>
        )}
      </p>
      <ProvisioningPanel projectId={projectId} />
      <Staleness poll={imports} />
      <Polled poll={imports}>{(status) => <Imports projectId={projectId} status={status} poll={imports} />}</Polled>
    </section>
  )
}

function Imports(props: { projectId: string; status: ImportStatus; poll: Poll<ImportStatus> }) {
  const { projectId, status, poll } = props
  const { waiting, looked_at, states, studies_count } = status
  const lookedAt = looked_at === null ? 'never' : moment(new Date(looked_at), now.value)
  return (
    <>
      <StateBar states={states} total={studies_count} />
      <p class="planner">
        {waiting === null ? (
          <span class="faint">The planner looked at it last: {lookedAt}.</span>
        ) : (
          <span class="problem">
            Nothing more is asked for: {reasonText(waiting.code)}, since {moment(new Date(waiting.since), now.value)}.
          </span>
        )}
      </p>
      <Studies projectId={projectId} status={status} onRetried={() => void poll.refresh()} />
    </>
  )
}
