import type { Experiment } from '../records.ts'
import type { State } from '../state.ts'
import {
  experimentTriggers,
  projectTrigger,
  resourceTrigger,
  scanTrigger,
  subjectTrigger,
  type Trigger,
} from './triggers.ts'

/** Notes what is saved and deleted from here on. XNAT: while the service is off nothing is noted (processEvent). */
export function watchForEvents(state: State): void {
  const note = (triggers: readonly (Trigger | undefined)[]) => {
    if (!state.events.isEnabled) return
    for (const trigger of triggers) if (trigger !== undefined) state.events.pending.push(trigger)
  }
  state.projects.watch({
    created: (project) => note([projectTrigger(project, 'CREATED')]),
    deleted: (project) => note([projectTrigger(project, 'DELETED')]),
  })
  state.subjects.watch({
    created: (subject) => note([subjectTrigger(subject, 'CREATED')]),
    deleted: (subject) => note([subjectTrigger(subject, 'DELETED')]),
  })
  state.experiments.watch({
    created: (experiment) => note(experimentTriggers(state, experiment, 'CREATED')),
    deleted: (experiment) => note(experimentTriggers(state, experiment, 'DELETED')),
  })
  state.scans.watch({ created: (scan) => note([scanTrigger(state, scan, 'CREATED')]) })
  state.resources.watch({ created: (resource) => note([resourceTrigger(state, resource, 'CREATED')]) })
}

/** More scans came into a session that was there. */
export function noteMerge(state: State, session: Experiment): void {
  if (state.events.isEnabled) state.events.pending.push(...experimentTriggers(state, session, 'MERGED'))
}
