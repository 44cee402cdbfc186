import { useSignal } from '@preact/signals'
import pLimit from 'p-limit'
import type { ImportStatus, Project } from './answers.ts'
import { countImports, listProjects } from './api.ts'
import { count, counted, percent } from './format.ts'
import { Empty, Polled, Staleness } from './notice.tsx'
import { linkTo } from './places.ts'
import { createMemory, usePoll } from './poll.ts'
import { projectName } from './project-name.ts'
import { StateBar } from './state-bar.tsx'
import { inTrouble, isUnderWay, reasonText, underWay } from './states.ts'
import { VirtualTable } from './virtual-table.tsx'

const listPace = () => ({ leastMs: 30_000, mostMs: 300_000 })

/** For each count the API reads what XNAT knows of the whole project; many projects have no cohort and get none. */
const countPace = (status: ImportStatus | undefined) => ({
  leastMs: 20_000,
  mostMs: isUnderWay(status) && status?.studies_count !== 0 ? 60_000 : 300_000,
})
const countAtATime = pLimit(2)

const projectMemory = createMemory<Project[]>()
const countMemory = createMemory<ImportStatus>()

export function ProjectsView() {
  const search = useSignal('')
  const poll = usePoll(listProjects, { question: 'projects', pace: listPace, memory: projectMemory })
  return (
    <section>
      <div class="title-line">
        <h1>Projects</h1>
        <input
          type="search"
          aria-label="Find a project by name or ID"
          placeholder="Name or ID"
          value={search}
          onInput={(event) => {
            search.value = event.currentTarget.value
          }}
        />
      </div>
      <Staleness poll={poll} />
      <Polled poll={poll}>{(projects) => <ProjectTable projects={projects} search={search.value} />}</Polled>
    </section>
  )
}

const columns = [
  {
    id: 'name',
    title: 'Project',
    cell: (project: Project) => (
      <>
        <a href={linkTo(['projects', project.ID])}>{projectName(project)}</a>
        <small class="faint">{project.ID}</small>
      </>
    ),
  },
  { id: 'cohort', title: 'Cohort', cell: ({ ID }: Project) => <Cohort key={ID} projectId={ID} /> },
]

function ProjectTable({ projects, search }: { projects: readonly Project[]; search: string }) {
  const wanted = search.trim().toLowerCase()
  const rows = projects
    .filter(({ ID, name, secondary_ID }) =>
      [ID, name, secondary_ID].some((text) => text.toLowerCase().includes(wanted)),
    )
    .toSorted((one, other) => projectName(one).localeCompare(projectName(other)))
  return (
    <VirtualTable
      label="Projects"
      rows={rows}
      rowKey={({ ID }) => ID}
      columns={columns}
      rowHeight={{ wide: 60, narrow: 116 }}
    >
      {projects.length === 0 ? (
        <Empty title="No projects yet">They appear when the hub, or somebody with the API, makes one.</Empty>
      ) : (
        <Empty title="No project fits">Look for another part of its name or ID.</Empty>
      )}
    </VirtualTable>
  )
}

function Cohort({ projectId }: { projectId: string }) {
  const poll = usePoll((options) => countAtATime(() => countImports(projectId, options)), {
    question: projectId,
    pace: countPace,
    memory: countMemory,
  })
  const status = poll.data.value
  if (status === undefined) {
    const failure = poll.failure.value
    return failure === undefined ? (
      <span class="faint">Counting …</span>
    ) : (
      <span class="problem">{failure.message}</span>
    )
  }
  const { states, studies_count: total, waiting } = status
  if (total === 0) return <span class="faint">No cohort</span>
  const [moving, stopped] = [underWay(states), inTrouble(states)]
  return (
    <>
      <StateBar states={states} total={total} />
      <small>
        <b>{percent(states.verified ?? 0, total)}</b> of {counted(total, 'study', 'studies')} verified
        {moving > 0 && `, ${count(moving)} under way`}
        {stopped > 0 && ', '}
        {stopped > 0 && <span class="problem">{count(stopped)} in trouble</span>}
        {waiting !== null && <span class="faint">; held up: {reasonText(waiting.code)}</span>}
      </small>
    </>
  )
}
