import * as z from 'zod'
import { studyStates } from '../../../lib/imports/study-state.ts'
import type { Check } from '../checkup.ts'
import type { CommandTools } from '../command.ts'
import { atTheEnd } from '../commands/imports.ts'
import { ApiFailure, type ConduitApi } from '../conduit-api.ts'
import { exitCodes, Failure } from '../failure.ts'

/** Three rounds of the schedule (serverless.yml). */
const freshMs = 15 * 60_000
/** Each look has the API classify a whole cohort. */
const projectsAsked = 3

const Project = z.object({ ID: z.string(), secondary_ID: z.string() })
const Status = z.object({
  states: z.partialRecord(z.enum(studyStates), z.int()),
  looked_at: z.iso.datetime().nullable(),
})

export const sweep: Check<CommandTools> = {
  name: 'sweep',
  needs: ['XNAT'],
  async look({ api }) {
    const projects = await api.ask({
      method: 'GET',
      path: '/projects?limit=1000',
      attempts: 1,
      answer: z.array(Project),
    })
    const ofHub = projects.filter(({ secondary_ID }) => secondary_ID !== '').slice(0, projectsAsked)
    const unfinished: number[] = []
    for (const { ID } of ofHub) {
      const { states, looked_at } = await statusOf(api, ID)
      if (isFinished(states)) continue
      const lookedAt = looked_at === null ? 0 : Date.parse(looked_at)
      if (Date.now() - lookedAt < freshMs) return { state: 'ok', says: `looked at a project at ${looked_at}` }
      unfinished.push(lookedAt)
    }
    if (unfinished.length === 0)
      return { state: 'skipped', says: 'no project that was asked about has anything to import' }
    const last = Math.max(...unfinished)
    const when = last === 0 ? 'never' : `at ${new Date(last).toISOString()} last`
    throw new Failure(`it looked at projects that are not finished ${when}`, exitCodes.failed)
  },
  advise: (failure) =>
    failure instanceof ApiFailure
      ? 'Look at the log of the function retrieval, and at the data-access-api where cohorts come from it.'
      : 'Is the schedule of sweepImports on, and does importCohort take its messages? See imports in conduit dead-letters.',
}

const statusOf = (api: ConduitApi, projectId: string) =>
  api.ask({ method: 'GET', path: `/retrieval/import_status/${projectId}?limit=1`, attempts: 1, answer: Status })

const isFinished = (states: z.infer<typeof Status>['states']) =>
  studyStates.every((state) => atTheEnd.has(state) || (states[state] ?? 0) === 0)
