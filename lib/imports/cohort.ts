// The accession numbers that a project is to hold, kept beside its registration. Written by import-cohort alone.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'

const Cohort = z.object({
  /** As the cohort's source gave them last. */
  queried: z.array(z.string()),
  /** Asked for by name. */
  named: z.array(z.string()),
  /** How many of the source's were left out as unusable for any query. */
  dropped: z.int().nonnegative(),
  /** When the source was last heard; absent as long as it was not. */
  queriedAt: z.iso.datetime().optional(),
})
export type Cohort = z.infer<typeof Cohort>

export const emptyCohort: Cohort = { queried: [], named: [], dropped: 0 }

const cohortKey = (projectId: string) => `cohorts/${projectId}.json`

export async function findCohort(
  state: ObjectStore,
  projectId: string,
  options: { signal?: AbortSignal } = {},
): Promise<Cohort | undefined> {
  const stored = await state.readText(cohortKey(projectId), options)
  return stored && Cohort.parse(JSON.parse(stored.text))
}

export async function writeCohort(
  state: ObjectStore,
  projectId: string,
  cohort: Cohort,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  await state.writeText(cohortKey(projectId), JSON.stringify(cohort), { ...options, contentType: 'application/json' })
}

export async function forgetCohort(state: ObjectStore, projectId: string): Promise<void> {
  await state.remove(cohortKey(projectId))
}

/** Every accession number once: the source's first. */
export const membersOf = ({ queried, named }: Pick<Cohort, 'queried' | 'named'>) => [...new Set([...queried, ...named])]
