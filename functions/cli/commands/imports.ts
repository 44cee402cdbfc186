import * as z from 'zod'
import { type StudyState, studyStates } from '../../../lib/imports/study-state.ts'
import { parts } from '../../../lib/in-parts.ts'
import { type CommandTools, command } from '../command.ts'
import { type ExitCode, exitCodes } from '../failure.ts'

const State = z.enum(studyStates)
const count = z.int().nonnegative()

const Study = z.object({
  accession_number: z.string(),
  state: State,
  reason: z.string().nullable(),
  attempts: count,
  last_attempt: z.string().nullable(),
  next_attempt: z.string().nullable(),
})
type Study = z.output<typeof Study>

const Status = z.object({
  project_id: z.string(),
  studies_count: count,
  states: z.partialRecord(State, count),
  waiting: z.object({ code: z.string(), since: z.string() }).nullable(),
  looked_at: z.string().nullable(),
  matching_count: count,
  studies: z.array(Study),
})
type Status = z.output<typeof Status>

export const importStatus = command({
  words: 'status',
  summary: 'Tells where the studies of a project stand. Ends with 0 only when every one is verified.',
  positionals: ['project'],
  options: {
    state: {
      type: 'string',
      multiple: true,
      value: 'STATE',
      about: 'list the studies in this state too; may be repeated',
    },
    all: { type: 'boolean', about: 'list every study' },
  },
  input: z.object({ project: z.string(), state: z.array(State).default([]), all: z.boolean().default(false) }),
  examples: [
    { about: 'how many stand where', line: 'conduit status P1' },
    { about: 'which are in trouble, and why', line: 'conduit status P1 --state failed --state stalled' },
    { about: 'in a script: 0 all verified, 3 not yet, 1 never by itself', line: 'conduit status P1 -o json' },
  ],
  async run({ project, state: wanted, all }, tools) {
    const listed = all ? studyStates : wanted
    const status = await readStatus(tools, project, listed)
    const { matching_count: _matching, studies, ...totals } = status
    tools.show(listed.length === 0 ? totals : { ...totals, studies }, () => statusText(status))
    return exitCodeOf(status)
  },
})

/** These do not change any more by themselves. */
export const atTheEnd: ReadonlySet<StudyState> = new Set(['verified', 'refused', 'exhausted'])

/** A cohort of none is not there yet: its source was not heard. */
function exitCodeOf({ studies_count, states }: Status): ExitCode {
  if (studies_count > 0 && states.verified === studies_count) return exitCodes.done
  const isOpen = studyStates.some((state) => !atTheEnd.has(state) && (states[state] ?? 0) > 0)
  return studies_count === 0 || isOpen ? exitCodes.incomplete : exitCodes.failed
}

const perPage = 10_000

/** The totals, and all studies in these states. */
async function readStatus({ api, terminal }: CommandTools, project: string, states: readonly StudyState[]) {
  const studies: Study[] = []
  for (;;) {
    const query = new URLSearchParams({
      ...(states.length > 0 && { state: states.join(',') }),
      limit: String(states.length > 0 ? perPage : 1),
      offset: String(studies.length),
    })
    const path = `/retrieval/import_status/${encodeURIComponent(project)}?${query}`
    const page = await api.ask({ method: 'GET', path, answer: Status })
    if (states.length === 0) return { ...page, studies }
    studies.push(...page.studies)
    if (studies.length >= page.matching_count || page.studies.length === 0) return { ...page, studies }
    terminal.progress(`${studies.length} of ${page.matching_count} studies`)
  }
}

function statusText({ studies_count, states, waiting, looked_at, studies }: Status): string {
  const counted = studyStates.flatMap((state) => {
    const some = states[state] ?? 0
    return some === 0 ? [] : [`${String(some).padStart(8)}  ${state}`]
  })
  return [
    `${studies_count} studies, looked at ${looked_at ?? 'never yet'}`,
    ...(waiting === null ? [] : [`nothing more is asked for: ${waiting.code} since ${waiting.since}`]),
    ...counted,
    ...(studies.length === 0 ? [] : ['', ...table(studies)]),
  ].join('\n')
}

function table(studies: readonly Study[]): string[] {
  const rows = studies.map((study) => [
    study.accession_number,
    study.state,
    study.reason ?? '-',
    String(study.attempts),
    study.last_attempt ?? '-',
    study.next_attempt ?? '-',
  ])
  const all = [['ACCESSION', 'STATE', 'REASON', 'TRIES', 'LAST', 'NEXT'], ...rows]
  const widths =
    all[0]?.map((_, column) => all.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0)) ?? []
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Those that were asked for in vain, whatever their plan says of another attempt. */
const inVain: readonly StudyState[] = ['incomplete', 'failed', 'stalled', 'not-found', 'ambiguous', 'exhausted']

// Some 70 bytes each as JSON, of the 1 MiB that a request may hold.
const perRequest = 5_000

const Accepted = z.object({ accepted: count, dropped: count })

export const retryImports = command({
  words: 'retry',
  summary:
    'Has studies asked for again now, whatever their plan says; without numbers, all that were asked for in vain.',
  positionals: ['project'],
  more: 'accession',
  options: {},
  input: z.object({ project: z.string(), accession: z.array(z.string()) }),
  examples: [
    { about: 'after the cure of what kept them from coming', line: 'conduit retry P1' },
    { about: 'these alone; new ones join the cohort', line: 'conduit retry P1 ACC0001 ACC0002' },
  ],
  async run({ project, accession }, tools) {
    const given =
      accession.length > 0
        ? accession
        : (await readStatus(tools, project, inVain)).studies.map((study) => study.accession_number)
    const total = { accepted: 0, dropped: 0 }
    for (const part of parts(given, perRequest)) {
      const { accepted, dropped } = await tools.api.ask({
        method: 'POST',
        path: `/retrieval/imports/${encodeURIComponent(project)}`,
        body: { accession_numbers: part },
        answer: Accepted,
      })
      total.accepted += accepted
      total.dropped += dropped
      tools.terminal.progress(`${total.accepted} of ${given.length} studies handed over`)
    }
    tools.show(total, () => retryText(total))
    return total.dropped === 0 ? exitCodes.done : exitCodes.failed
  },
})

function retryText({ accepted, dropped }: z.output<typeof Accepted>): string {
  const studies = accepted === 1 ? '1 study' : `${accepted} studies`
  const said = `${studies} handed to the planner, which asks for them again unless DQR still tries. conduit status tells how they fare.`
  return dropped === 0 ? said : `${said}\n${dropped} left out: no PACS may be asked for such numbers.`
}
